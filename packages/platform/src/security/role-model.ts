import type { Instant } from "../base/index.ts";

/** Roles and managed policies as they are kept; AWS's shapes of them are made in `api/iam`. */

/** Key to value, in the order they were set. */
export type Tags = Readonly<Record<string, string>>;

export interface Role {
  readonly account: string;
  readonly name: string;
  /** `/` or `/team/service/`. */
  readonly path: string;
  readonly arn: string;
  /** `AROA…`. */
  readonly roleId: string;
  readonly createdAt: Instant;
  readonly description: string | undefined;
  readonly maxSessionSeconds: number;
  /** Who may assume it, JSON text. */
  readonly trustPolicy: string;
  /** Name to JSON text. */
  readonly inlinePolicies: Readonly<Record<string, string>>;
  /** ARNs of managed policies, in the order attached. */
  readonly attachedPolicies: readonly string[];
  readonly boundaryArn: string | undefined;
  readonly tags: Tags;
}

export interface PolicyVersion {
  /** `v1`, `v2`, …; never used twice. */
  readonly id: string;
  readonly document: string;
  readonly createdAt: Instant;
}

export interface ManagedPolicy {
  /** `aws` for AWS's own. */
  readonly account: string;
  readonly name: string;
  readonly path: string;
  readonly arn: string;
  /** `ANPA…`. */
  readonly policyId: string;
  readonly description: string | undefined;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
  readonly versions: readonly PolicyVersion[];
  readonly defaultVersionId: string;
  /** Number of the next version. */
  readonly nextVersion: number;
  readonly tags: Tags;
}

/** A part of an ordered list; `next` is undefined at its end. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | undefined;
}

/** What a list is asked for. */
export interface PageRequest {
  readonly pathPrefix?: string | undefined;
  /** `next` of the page before. */
  readonly marker?: string | undefined;
  /** 1 to 1,000; 100 when not given. */
  readonly limit?: number | undefined;
}

/** The document of a policy's default version. */
export function defaultVersion(policy: ManagedPolicy): PolicyVersion | undefined {
  return policy.versions.find((version) => version.id === policy.defaultVersionId);
}
