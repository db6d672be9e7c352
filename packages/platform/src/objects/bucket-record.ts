/** A bucket's definition. */
import type { Instant } from "../base/index.ts";
import type { Realm } from "../model/index.ts";

export type Versioning = "off" | "enabled" | "suspended";

/** What is told to a target of what happens to objects. */
export interface NotificationRule {
  readonly id: string;
  /** ARN of a function, a queue or a topic. */
  readonly target: string;
  /** `s3:ObjectCreated:*`, `s3:ObjectRemoved:Delete`. */
  readonly events: readonly string[];
  readonly prefix: string;
  readonly suffix: string;
}

export interface Notifications {
  readonly rules: readonly NotificationRule[];
  /** Everything goes to the account's default bus too. */
  readonly toBus: boolean;
}

export const NO_NOTIFICATIONS: Notifications = { rules: [], toBus: false };

/** Which objects a lifecycle rule is for; all that is said has to be so. */
export interface LifecycleFilter {
  readonly prefix: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Bytes: larger than, smaller than. */
  readonly largerThan?: number | undefined;
  readonly smallerThan?: number | undefined;
}

export interface LifecycleRule {
  readonly id: string;
  readonly enabled: boolean;
  readonly filter: LifecycleFilter;
  /** Of current versions: days after they were stored, or a date. */
  readonly expireAfterDays?: number | undefined;
  readonly expireAt?: Instant | undefined;
  readonly removeLoneMarkers?: boolean | undefined;
  readonly expireNoncurrentAfterDays?: number | undefined;
  /** As many noncurrent versions stay whatever their age. */
  readonly noncurrentKept?: number | undefined;
  readonly abortUploadsAfterDays?: number | undefined;
}

export interface BucketRecord {
  readonly name: string;
  /** Another one each time a bucket of this name is made: names its cell and its folder. */
  readonly id: string;
  readonly realm: Realm;
  readonly createdAt: Instant;
  readonly versioning: Versioning;
  readonly tags: Readonly<Record<string, string>>;
  /** Resource policy, JSON text. */
  readonly policy?: string | undefined;
  readonly notifications: Notifications;
  readonly lifecycle: readonly LifecycleRule[];
  /** Configurations as the API has them, by its name for them (`cors`, `acl`, `lifecycle`, `encryption`, …): JSON. */
  readonly documents: Readonly<Record<string, unknown>>;
}

/** `arn:aws:s3:::photos`. */
export function bucketArn(name: string): string {
  return `arn:aws:s3:::${name}`;
}

/** `arn:aws:s3:::photos/cat.jpg`. */
export function objectArn(bucket: string, key: string): string {
  return `${bucketArn(bucket)}/${key}`;
}
