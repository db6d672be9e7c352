import type { Authorize } from "../perform.ts";
import type { BucketParts } from "./bucket-parts.ts";

/** What S3's operations stand on. */
export interface S3Parts extends BucketParts {
  /** Asked for each key of a batch by itself, and before it is told that a key is absent. */
  readonly authorize: Authorize;
}

/** What the operations on objects stand on. */
export type ObjectParts = Pick<S3Parts, "buckets" | "roles" | "authorize">;
