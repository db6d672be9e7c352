/** The operations on buckets, over buckets in memory. */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { bucketOperations } from "../../../src/api/s3/bucket-operations.ts";
import { configurationOperations } from "../../../src/api/s3/configurations.ts";
import { s3WireError } from "../../../src/api/s3/errors.ts";
import type { RequestContext } from "../../../src/api/index.ts";
import { type Instant, isLambentError, LambentError, systemSecureRandom } from "../../../src/base/index.ts";
import type { BucketRecord, Buckets, NotificationRule } from "../../../src/objects/index.ts";
import { ObjectsWorld } from "../../objects/world.ts";

export const ACCOUNT = "111122223333";
export const STRANGER = "444455556666";

/** Roles that nobody made, each with the same id. */
export const ROLES = { roleIdOf: (): string => "AROA2222222222222222" };

export interface BucketWorld {
  readonly buckets: Buckets;
  readonly operations: ReturnType<typeof bucketOperations> & ReturnType<typeof configurationOperations>;
  /** Targets that notifications may have; all others are refused. */
  readonly targets: Set<string>;
  /** Which targets were asked for, and what was said to new ones. */
  readonly checked: string[];
  readonly tested: readonly NotificationRule[];
  readonly now: Instant;
  context(change?: { readonly account?: string; readonly region?: string }): RequestContext;
  /** A bucket of the usual account in the usual region. */
  make(name: string): Promise<void>;
}

/** Buckets in memory, and S3's operations on them. */
export async function openBucketWorld(test: TestContext): Promise<BucketWorld> {
  const { buckets, clock, tested } = await ObjectsWorld.open(test);
  const targets = new Set<string>();
  const checked: string[] = [];
  const parts = {
    buckets,
    clock,
    secureRandom: systemSecureRandom,
    roles: ROLES,
    async checkTarget(_bucket: BucketRecord, arn: string): Promise<void> {
      checked.push(arn);
      if (!targets.has(arn))
        throw new LambentError("InvalidParameter", `Unable to validate the following destination configurations: ${arn}`);
    },
  };
  const operations = { ...bucketOperations(parts), ...configurationOperations(parts) };
  const context: BucketWorld["context"] = ({ account = ACCOUNT, region = "us-east-1" } = {}) => ({
    realm: { account, region },
    requestId: "request-1",
    principal: { kind: "root", account, accessKeyId: "key" },
    endpoint: "http://127.0.0.1:4566",
    sourceAddress: "10.1.2.3",
    signal: new AbortController().signal,
    onCallerGone: () => {},
    reportDefect: (error) => assert.fail(String(error)),
  });
  const make = async (Bucket: string): Promise<void> => void (await operations.CreateBucket({ Bucket }, context()));
  return { buckets, operations, targets, checked, tested, now: clock.now(), context, make };
}

/** What `call` is refused with, in S3's words; its message has to fit `message`. */
export async function refusedWith(call: () => unknown, name: string, message = /./): Promise<void> {
  let told: ReturnType<typeof s3WireError> | undefined;
  try {
    await call();
  } catch (error) {
    if (!isLambentError(error)) throw error;
    told = s3WireError(error);
  }
  assert.equal(told?.name, name, told?.message ?? "it was not refused");
  assert.match(told?.message ?? "", message);
}
