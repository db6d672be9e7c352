/** S3's operations over buckets in memory, each call with its permission asked for as in the server. */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { Readable } from "node:stream";
import { s3WireError } from "../../../src/api/s3/errors.ts";
import { type s3Operations, s3Service } from "../../../src/api/s3/service.ts";
import { type Authorize, perform, type RequestContext, type Service } from "../../../src/api/index.ts";
import { isLambentError, ManualClock, systemClock, systemSecureRandom } from "../../../src/base/index.ts";
import type { Buckets, ObjectEvent } from "../../../src/objects/index.ts";
import type { Principal } from "../../../src/security/index.ts";
import type { WireError } from "../../../src/wire/index.ts";
import { ObjectsWorld } from "../../objects/world.ts";
import { testSecurity, type TestSecurity } from "../../support/api-client.ts";

export const ACCOUNT = "000000000000";
/** It stands still. */
export const NOW = new ManualClock().now();
export const ROOT: Principal = { kind: "root", account: ACCOUNT, accessKeyId: "key" };
export const ANONYMOUS: Principal = { kind: "anonymous" };

type Operations = ReturnType<typeof s3Operations>;
type Input<Name extends keyof Operations> = Parameters<Operations[Name]>[0];
type Output<Name extends keyof Operations> = Awaited<ReturnType<Operations[Name]>>;

export interface S3World {
  readonly buckets: Buckets;
  readonly service: Service;
  readonly authorize: Authorize;
  readonly security: TestSecurity;
  /** What the notifier was asked for. */
  readonly events: ObjectEvent[];
  /** Performs an operation as the gateway does, once it is allowed. */
  call<Name extends keyof Operations>(name: Name, input: Input<Name>, principal?: Principal): Promise<Output<Name>>;
  /** What a call is refused with, in S3's words. */
  refusal<Name extends keyof Operations>(name: Name, input: Input<Name>, principal?: Principal): Promise<WireError>;
  /** Stores an object of some text. */
  put(Bucket: string, Key: string, Body?: string, more?: Partial<Input<"PutObject">>): Promise<Output<"PutObject">>;
  /** A bucket, by default without versions. */
  make(Bucket: string, versioning?: "Enabled" | "Suspended"): Promise<string>;
  /** Gives a bucket a policy, whatever public access is blocked. */
  setPolicy(Bucket: string, ...statements: readonly object[]): Promise<void>;
}

/** S3 over buckets in memory. */
export async function openS3(test: TestContext): Promise<S3World> {
  const { buckets, events } = await ObjectsWorld.open(test);
  const security = await testSecurity(test);
  const authorize: Authorize = ({ principal, requestId, realm }, permission) =>
    security.authorizer.authorize({ principal, requestId, region: realm.region, ...permission });
  const service = s3Service({
    buckets,
    clock: systemClock,
    secureRandom: systemSecureRandom,
    authorize,
    roles: security.roles,
    checkTarget: async () => {},
  });
  const call: S3World["call"] = async (operation, input, principal = ROOT) =>
    (await perform(service, { operation, input: input as unknown as Record<string, unknown> }, contextOf(principal), authorize)) as never;
  return {
    ...{ buckets, service, authorize, security, events, call },
    async refusal(name, input, principal) {
      try {
        await call(name, input, principal);
      } catch (error) {
        if (isLambentError(error)) return s3WireError(error);
        throw error;
      }
      return assert.fail(`${name} was not refused`);
    },
    put: (Bucket, Key, Body = "", more = {}) => call("PutObject", { Bucket, Key, Body, ...more }),
    async make(Bucket, Status) {
      await call("CreateBucket", { Bucket });
      if (Status === "Suspended") await call("PutBucketVersioning", { Bucket, VersioningConfiguration: { Status: "Enabled" } });
      if (Status) await call("PutBucketVersioning", { Bucket, VersioningConfiguration: { Status } });
      return Bucket;
    },
    async setPolicy(name, ...statements) {
      const policy = JSON.stringify({ Version: "2012-10-17", Statement: statements });
      // Nothing of public access is blocked: a policy counts as it is.
      await buckets.update(name, (record) => ({ ...record, policy, documents: { ...record.documents, publicAccessBlock: null } }));
    },
  };
}

function contextOf(principal: Principal): RequestContext {
  return {
    realm: { account: principal.kind === "root" ? principal.account : ACCOUNT, region: "us-east-1" },
    requestId: "request-1",
    principal,
    endpoint: "http://127.0.0.1:4566",
    sourceAddress: "10.1.2.3",
    signal: new AbortController().signal,
    onCallerGone: () => {},
    reportDefect: (error) => assert.fail(String(error)),
  };
}

/** The bytes of an answer. */
export async function bytesOf(body: Readable | Buffer | unknown): Promise<Buffer> {
  if (Buffer.isBuffer(body)) return body;
  const chunks: Buffer[] = [];
  for await (const chunk of body as Readable) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** The text of an answer. */
export async function textOf(answer: { readonly Body?: unknown }): Promise<string> {
  return (await bytesOf(answer.Body)).toString("utf8");
}
