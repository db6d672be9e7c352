/** What the JavaScript client puts of a bucket and reads back, through S3's XML both ways. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { s3WireError } from "../../../src/api/s3/errors.ts";
import type { Operation } from "../../../src/api/index.ts";
import { isLambentError } from "../../../src/base/index.ts";
import {
  decode,
  encodeError,
  encodeOutput,
  errorTarget,
  loadService,
  type WireRequest,
  type WireResponse,
} from "../../../src/wire/index.ts";
import { testClient } from "../../support/wire-client.ts";
import { ACCOUNT, type BucketWorld, openBucketWorld } from "./bucket-world.ts";

const Bucket = "photos";
const QUEUE = `arn:aws:sqs:us-east-1:${ACCOUNT}:uploads`;
const model = loadService("s3");

/** The client, and a bucket it may say things of. */
async function open(test: TestContext): Promise<(operation: string, input?: object) => Promise<Record<string, unknown>>> {
  const world = await openBucketWorld(test);
  await world.make(Bucket);
  world.targets.add(QUEUE);
  const client = testClient("s3", "restXml", (request) => answer(world, request));
  return async (operation, input = {}) => {
    const { $metadata: _metadata, ...output } = await client.send(operation, { Bucket, ...input });
    return output;
  };
}

async function answer(world: BucketWorld, request: WireRequest): Promise<WireResponse> {
  try {
    const decoded = decode(request, model);
    const operations = world.operations as unknown as Readonly<Record<string, Operation<object, Record<string, unknown> | undefined>>>;
    const operation = operations[decoded.operation] ?? assert.fail(`no ${decoded.operation}`);
    return encodeOutput(decoded, await operation(decoded.input, world.context()), "request-1");
  } catch (error) {
    if (!isLambentError(error)) throw error;
    return encodeError(errorTarget(request, model), s3WireError(error), "request-1");
  }
}

/** What is put under which member, and how it is read back where not by that member. */
const ROUND_TRIPS: readonly {
  readonly of: string;
  readonly member: string;
  readonly value: object;
  readonly read?: object;
}[] = [
  { of: "BucketVersioning", member: "VersioningConfiguration", value: { Status: "Suspended" }, read: { Status: "Suspended" } },
  {
    of: "BucketCors",
    member: "CORSConfiguration",
    value: {
      CORSRules: [{ AllowedMethods: ["GET", "PUT"], AllowedOrigins: ["https://*.a.test"], ExposeHeaders: ["ETag"], MaxAgeSeconds: 3 }],
    },
    read: {
      CORSRules: [{ AllowedMethods: ["GET", "PUT"], AllowedOrigins: ["https://*.a.test"], ExposeHeaders: ["ETag"], MaxAgeSeconds: 3 }],
    },
  },
  {
    of: "BucketTagging",
    member: "Tagging",
    value: { TagSet: [{ Key: "ü", Value: "a b" }] },
    read: { TagSet: [{ Key: "ü", Value: "a b" }] },
  },
  {
    of: "BucketLifecycleConfiguration",
    member: "LifecycleConfiguration",
    value: {
      Rules: [
        { ID: "a", Status: "Enabled", Filter: { Prefix: "" }, Expiration: { Date: new Date("2027-01-01") } },
        {
          ID: "b",
          Status: "Enabled",
          Filter: { And: { Prefix: "x", Tags: [{ Key: "k", Value: "v" }] } },
          Transitions: [{ Days: 30, StorageClass: "GLACIER" }],
        },
      ],
    },
    read: {
      TransitionDefaultMinimumObjectSize: "all_storage_classes_128K",
      Rules: [
        { ID: "a", Status: "Enabled", Filter: { Prefix: "" }, Expiration: { Date: new Date("2027-01-01") } },
        {
          ID: "b",
          Status: "Enabled",
          Filter: { And: { Prefix: "x", Tags: [{ Key: "k", Value: "v" }] } },
          Transitions: [{ Days: 30, StorageClass: "GLACIER" }],
        },
      ],
    },
  },
  {
    of: "BucketNotificationConfiguration",
    member: "NotificationConfiguration",
    value: { EventBridgeConfiguration: {}, QueueConfigurations: [{ Id: "q", QueueArn: QUEUE, Events: ["s3:ObjectCreated:*"] }] },
    read: { EventBridgeConfiguration: {}, QueueConfigurations: [{ Id: "q", QueueArn: QUEUE, Events: ["s3:ObjectCreated:*"] }] },
  },
  {
    of: "PublicAccessBlock",
    member: "PublicAccessBlockConfiguration",
    value: { BlockPublicAcls: true, IgnorePublicAcls: false, BlockPublicPolicy: false, RestrictPublicBuckets: true },
  },
  { of: "BucketOwnershipControls", member: "OwnershipControls", value: { Rules: [{ ObjectOwnership: "ObjectWriter" }] } },
  {
    of: "BucketEncryption",
    member: "ServerSideEncryptionConfiguration",
    value: { Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "aws:kms", KMSMasterKeyID: "k" }, BucketKeyEnabled: true }] },
  },
  {
    of: "BucketWebsite",
    member: "WebsiteConfiguration",
    value: {
      IndexDocument: { Suffix: "index.html" },
      RoutingRules: [{ Condition: { KeyPrefixEquals: "a&b" }, Redirect: { HostName: "h" } }],
    },
    read: {
      IndexDocument: { Suffix: "index.html" },
      RoutingRules: [{ Condition: { KeyPrefixEquals: "a&b" }, Redirect: { HostName: "h" } }],
    },
  },
  {
    of: "BucketLogging",
    member: "BucketLoggingStatus",
    value: { LoggingEnabled: { TargetBucket: Bucket, TargetPrefix: "" } },
    read: { LoggingEnabled: { TargetBucket: Bucket, TargetPrefix: "" } },
  },
  { of: "BucketRequestPayment", member: "RequestPaymentConfiguration", value: { Payer: "Requester" }, read: { Payer: "Requester" } },
  { of: "BucketAccelerateConfiguration", member: "AccelerateConfiguration", value: { Status: "Enabled" }, read: { Status: "Enabled" } },
];

describe("by the client, a bucket's configuration", () => {
  for (const { of, member, value, read = { [member]: value } } of ROUND_TRIPS)
    it(`${of} comes back as it was put`, async (test) => {
      const send = await open(test);
      await send(`Put${of}`, { [member]: value });
      assert.deepEqual(await send(`Get${of}`), read);
    });

  it("policy comes back as the text it was", async (test) => {
    const send = await open(test);
    const Policy = `{"Statement": {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::${Bucket}/<&>*"}}\n`;
    await send("PutBucketPolicy", { Policy });
    assert.deepEqual(await send("GetBucketPolicy"), { Policy });
    assert.deepEqual(await send("GetBucketPolicyStatus"), { PolicyStatus: { IsPublic: false } });
  });

  it("location is a name, or nothing for the oldest region", async (test) => {
    const send = await open(test);
    assert.deepEqual(await send("GetBucketLocation"), {});
    await send("CreateBucket", {
      Bucket: "west",
      CreateBucketConfiguration: { LocationConstraint: "us-west-2", Tags: [{ Key: "a", Value: "b" }] },
    });
    assert.deepEqual(await send("GetBucketLocation", { Bucket: "west" }), { LocationConstraint: "us-west-2" });
    assert.equal((await send("HeadBucket", { Bucket: "west" }))["BucketRegion"], "us-west-2");
    assert.deepEqual(await send("GetBucketTagging", { Bucket: "west" }), { TagSet: [{ Key: "a", Value: "b" }] });
  });

  it("that is not there is an error of its own name", async (test) => {
    const send = await open(test);
    await assert.rejects(send("GetBucketCors"), { name: "NoSuchCORSConfiguration" });
    await assert.rejects(send("GetObjectLockConfiguration"), { name: "ObjectLockConfigurationNotFoundError" });
    await assert.rejects(send("GetBucketCors", { Bucket: "nowhere" }), { name: "NoSuchBucket" });
    await assert.rejects(send("HeadBucket", { Bucket: "nowhere" }), { name: "NotFound" });
    await assert.rejects(send("PutBucketVersioning", { VersioningConfiguration: { Status: "Off" } }), { name: "MalformedXML" });
    await assert.rejects(send("PutObjectLockConfiguration", {}), { name: "NotImplemented" });
  });
});
