/** What the operations on buckets work with, and the few lines each of them begins with. */
import { LambentError, type Clock, type SecureRandom } from "../../base/index.ts";
import type { BucketRecord, Buckets } from "../../objects/index.ts";
import type { Roles } from "../../security/index.ts";
import { given } from "../given.ts";

export interface BucketParts {
  readonly buckets: Buckets;
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
  readonly roles: Pick<Roles, "roleIdOf">;
  /** Refuses a target of notifications that is not there, or that does not let the bucket tell it anything. */
  checkTarget(bucket: BucketRecord, arn: string): Promise<void>;
}

/** Members that say which bucket is meant, and whose it has to be. */
export interface BucketInput {
  readonly Bucket?: string | undefined;
  readonly ExpectedBucketOwner?: string | undefined;
}

/** The bucket an input names; refuses one of another owner than the caller expects. */
export function recordOf(buckets: Pick<Buckets, "get">, input: BucketInput): BucketRecord {
  const record = buckets.get(given(input.Bucket, "Bucket"));
  expectOwner(record, input.ExpectedBucketOwner);
  return record;
}

/** Refuses a bucket of another account than the one expected. */
export function expectOwner(record: BucketRecord, account: string | undefined): void {
  if (account !== undefined && account !== record.realm.account)
    throw new LambentError("AccessDenied", `Access Denied: the bucket ${record.name} is not the account's that the request expects.`);
}

/** The record with one document set, or taken away. */
export function withDocument(record: BucketRecord, name: string, document: unknown): BucketRecord {
  const { [name]: _before, ...others } = record.documents;
  return { ...record, documents: document === undefined ? others : { ...others, [name]: document } };
}

/** A value as it comes back from the store: what has no value is not in it, times are texts. */
export function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
