import assert from "node:assert/strict";
import { NoSuchBucket, type S3 } from "@aws-sdk/client-s3";
import { type ErrorClass, known, type OperationCase } from "./cases.ts";
import { bucket, keysOf, NOWHERE, openBucket } from "./s3-stage.ts";

/** A document that a bucket keeps: how it is set, read and removed. */
interface Document {
  readonly name: string;
  put(s3: S3, Bucket: string): Promise<unknown>;
  get(s3: S3, Bucket: string): Promise<object>;
  remove?(s3: S3, Bucket: string): Promise<unknown>;
  /** What reading it answers once it is set. */
  readonly says: object;
  /** How reading it is refused once it is removed; where it cannot be, only a bucket that is not there is refused. */
  readonly absent?: ErrorClass | string;
}

const withoutMetadata = async (answer: Promise<object>): Promise<object> => {
  const { $metadata: _metadata, ...members } = (await answer) as { readonly $metadata?: unknown };
  return members;
};

/** The cases of a document's operations. */
function casesOf(document: Document) {
  const { name, says, absent } = document;
  const put: OperationCase = {
    async does(stage) {
      const Bucket = await bucket(stage, `${name}-set`);
      await document.put(stage.js.s3, Bucket);
      assert.deepEqual(await withoutMetadata(document.get(stage.stage.s3, Bucket)), says);
    },
    refuses: [({ js }) => document.put(js.s3, NOWHERE), NoSuchBucket, 404],
  };
  const get: OperationCase = {
    async does(stage) {
      const Bucket = await bucket(stage, `${name}-read`);
      await document.put(stage.stage.s3, Bucket);
      assert.deepEqual(await withoutMetadata(document.get(stage.js.s3, Bucket)), says);
    },
    refuses:
      absent === undefined
        ? [({ js }) => document.get(js.s3, NOWHERE), NoSuchBucket, 404]
        : [
            async (stage) => {
              // Some a bucket has from the start.
              const Bucket = await bucket(stage, `${name}-without`);
              await document.remove?.(stage.stage.s3, Bucket);
              await document.get(stage.js.s3, Bucket);
            },
            absent,
            404,
          ],
  };
  const remove: OperationCase = {
    async does(stage) {
      const Bucket = await bucket(stage, `${name}-removed`);
      await document.put(stage.stage.s3, Bucket);
      await document.remove?.(stage.js.s3, Bucket);
      await assert.rejects(document.get(stage.stage.s3, Bucket), { name: String(absent) });
    },
    refuses: [async ({ js }) => document.remove?.(js.s3, NOWHERE), NoSuchBucket, 404],
  };
  return { put, get, remove };
}

const versioning = casesOf({
  name: "versioning",
  put: (s3, Bucket) => s3.putBucketVersioning({ Bucket, VersioningConfiguration: { Status: "Enabled" } }),
  get: (s3, Bucket) => s3.getBucketVersioning({ Bucket }),
  says: { Status: "Enabled" },
});

const CORSRules = [
  {
    AllowedOrigins: ["https://page.example"],
    AllowedMethods: ["GET", "PUT"],
    AllowedHeaders: ["*"],
    ExposeHeaders: ["ETag"],
    MaxAgeSeconds: 60,
  },
];
const cors = casesOf({
  name: "cors",
  put: (s3, Bucket) => s3.putBucketCors({ Bucket, CORSConfiguration: { CORSRules } }),
  get: (s3, Bucket) => s3.getBucketCors({ Bucket }),
  remove: (s3, Bucket) => s3.deleteBucketCors({ Bucket }),
  says: { CORSRules },
  absent: "NoSuchCORSConfiguration",
});

const tagging = casesOf({
  name: "tagging",
  put: (s3, Bucket) => s3.putBucketTagging({ Bucket, Tagging: { TagSet: [{ Key: "team", Value: "pictures" }] } }),
  get: (s3, Bucket) => s3.getBucketTagging({ Bucket }),
  remove: (s3, Bucket) => s3.deleteBucketTagging({ Bucket }),
  says: { TagSet: [{ Key: "team", Value: "pictures" }] },
  absent: "NoSuchTagSet",
});

const ownership = casesOf({
  name: "ownership",
  put: (s3, Bucket) =>
    s3.putBucketOwnershipControls({ Bucket, OwnershipControls: { Rules: [{ ObjectOwnership: "BucketOwnerPreferred" }] } }),
  get: (s3, Bucket) => s3.getBucketOwnershipControls({ Bucket }),
  remove: (s3, Bucket) => s3.deleteBucketOwnershipControls({ Bucket }),
  says: { OwnershipControls: { Rules: [{ ObjectOwnership: "BucketOwnerPreferred" }] } },
  absent: "OwnershipControlsNotFoundError",
});

const PublicAccessBlockConfiguration = {
  BlockPublicAcls: true,
  IgnorePublicAcls: false,
  BlockPublicPolicy: true,
  RestrictPublicBuckets: false,
};
const publicAccess = casesOf({
  name: "public-access",
  put: (s3, Bucket) => s3.putPublicAccessBlock({ Bucket, PublicAccessBlockConfiguration }),
  get: (s3, Bucket) => s3.getPublicAccessBlock({ Bucket }),
  remove: (s3, Bucket) => s3.deletePublicAccessBlock({ Bucket }),
  says: { PublicAccessBlockConfiguration },
  absent: "NoSuchPublicAccessBlockConfiguration",
});

const lifecycleRules = [{ ID: "old", Status: "Enabled" as const, Filter: { Prefix: "logs/" }, Expiration: { Days: 30 } }];
const lifecycle = casesOf({
  name: "lifecycle",
  put: (s3, Bucket) => s3.putBucketLifecycleConfiguration({ Bucket, LifecycleConfiguration: { Rules: lifecycleRules } }),
  get: (s3, Bucket) => s3.getBucketLifecycleConfiguration({ Bucket }),
  remove: (s3, Bucket) => s3.deleteBucketLifecycle({ Bucket }),
  says: { Rules: lifecycleRules, TransitionDefaultMinimumObjectSize: "all_storage_classes_128K" },
  absent: "NoSuchLifecycleConfiguration",
});

const website = casesOf({
  name: "website",
  put: (s3, Bucket) => s3.putBucketWebsite({ Bucket, WebsiteConfiguration: { IndexDocument: { Suffix: "index.html" } } }),
  get: (s3, Bucket) => s3.getBucketWebsite({ Bucket }),
  remove: (s3, Bucket) => s3.deleteBucketWebsite({ Bucket }),
  says: { IndexDocument: { Suffix: "index.html" } },
  absent: "NoSuchWebsiteConfiguration",
});

const encryptionRules = [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" as const }, BucketKeyEnabled: false }];
const encryption = casesOf({
  name: "encryption",
  put: (s3, Bucket) => s3.putBucketEncryption({ Bucket, ServerSideEncryptionConfiguration: { Rules: encryptionRules } }),
  get: (s3, Bucket) => s3.getBucketEncryption({ Bucket }),
  says: { ServerSideEncryptionConfiguration: { Rules: encryptionRules } },
});

const logging = casesOf({
  name: "logging",
  put: (s3, Bucket) => s3.putBucketLogging({ Bucket, BucketLoggingStatus: {} }),
  get: (s3, Bucket) => s3.getBucketLogging({ Bucket }),
  says: {},
});

const payment = casesOf({
  name: "payment",
  put: (s3, Bucket) => s3.putBucketRequestPayment({ Bucket, RequestPaymentConfiguration: { Payer: "Requester" } }),
  get: (s3, Bucket) => s3.getBucketRequestPayment({ Bucket }),
  says: { Payer: "Requester" },
});

const acceleration = casesOf({
  name: "acceleration",
  put: (s3, Bucket) => s3.putBucketAccelerateConfiguration({ Bucket, AccelerateConfiguration: { Status: "Suspended" } }),
  get: (s3, Bucket) => s3.getBucketAccelerateConfiguration({ Bucket }),
  says: { Status: "Suspended" },
});

const notification = casesOf({
  name: "notification",
  put: (s3, Bucket) => s3.putBucketNotificationConfiguration({ Bucket, NotificationConfiguration: { EventBridgeConfiguration: {} } }),
  get: (s3, Bucket) => s3.getBucketNotificationConfiguration({ Bucket }),
  says: { EventBridgeConfiguration: {} },
});

const policyOf = (Bucket: string): string =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: `arn:aws:s3:::${Bucket}/*` }],
  });
const setPolicy = (s3: S3, Bucket: string) => s3.putBucketPolicy({ Bucket, Policy: policyOf(Bucket) });

const policyCases = {
  PutBucketPolicy: {
    async does(stage) {
      const Bucket = await openBucket(stage, "policy-set");
      await setPolicy(stage.js.s3, Bucket);
      assert.equal((await stage.stage.s3.getBucketPolicy({ Bucket })).Policy, policyOf(Bucket));
    },
    refuses: [
      async (stage) => stage.js.s3.putBucketPolicy({ Bucket: await bucket(stage, "policy-set"), Policy: '{"Version":"2012-10-17"}' }),
      "MalformedPolicy",
      400,
    ],
  },
  GetBucketPolicy: {
    async does(stage) {
      const Bucket = await openBucket(stage, "policy-read");
      await setPolicy(stage.stage.s3, Bucket);
      assert.equal((await stage.js.s3.getBucketPolicy({ Bucket })).Policy, policyOf(Bucket));
    },
    refuses: [async (stage) => stage.js.s3.getBucketPolicy({ Bucket: await bucket(stage, "policy-without") }), "NoSuchBucketPolicy", 404],
  },
  GetBucketPolicyStatus: {
    async does(stage) {
      const Bucket = await openBucket(stage, "policy-status");
      await setPolicy(stage.stage.s3, Bucket);
      assert.deepEqual((await stage.js.s3.getBucketPolicyStatus({ Bucket })).PolicyStatus, { IsPublic: true });
    },
    refuses: [
      async (stage) => stage.js.s3.getBucketPolicyStatus({ Bucket: await bucket(stage, "policy-without") }),
      "NoSuchBucketPolicy",
      404,
    ],
  },
  DeleteBucketPolicy: {
    async does(stage) {
      const Bucket = await openBucket(stage, "policy-removed");
      await setPolicy(stage.stage.s3, Bucket);
      await stage.js.s3.deleteBucketPolicy({ Bucket });
      await assert.rejects(stage.stage.s3.getBucketPolicy({ Bucket }), { name: "NoSuchBucketPolicy" });
    },
    refuses: [({ js }) => js.s3.deleteBucketPolicy({ Bucket: NOWHERE }), NoSuchBucket, 404],
  },
} satisfies Readonly<Record<string, OperationCase>>;

const wholeBucketCases = {
  CreateBucket: {
    async does({ js, stage }) {
      const { Location } = await js.s3.createBucket({ Bucket: "made-by-javascript" });
      assert.equal(Location, "/made-by-javascript");
      await stage.s3.headBucket({ Bucket: "made-by-javascript" });
    },
    refuses: [({ js }) => js.s3.createBucket({ Bucket: "No_Bucket" }), "InvalidBucketName", 400],
  },
  HeadBucket: {
    async does(stage) {
      assert.equal((await stage.js.s3.headBucket({ Bucket: await bucket(stage, "asked-for") })).BucketRegion, "us-east-1");
    },
    refuses: [({ js }) => js.s3.headBucket({ Bucket: NOWHERE }), "NotFound", 404],
  },
  ListBuckets: {
    async does(stage) {
      const Name = await bucket(stage, "among-others");
      const { Buckets = [], Owner } = await stage.js.s3.listBuckets({ Prefix: "among" });
      assert.deepEqual(
        [Buckets.map((each) => each.Name), Owner?.ID],
        [[Name], known((await stage.stage.s3.getBucketAcl({ Bucket: Name })).Owner?.ID)],
      );
    },
    refuses: [({ js }) => js.s3.listBuckets({ MaxBuckets: 10_001 }), "InvalidArgument", 400],
  },
  GetBucketLocation: {
    async does(stage) {
      const Bucket = await bucket(stage, "at-home");
      assert.equal((await stage.js.s3.getBucketLocation({ Bucket })).LocationConstraint, undefined);
    },
    refuses: [({ js }) => js.s3.getBucketLocation({ Bucket: NOWHERE }), NoSuchBucket, 404],
  },
  DeleteBucket: {
    async does(stage) {
      const Bucket = await bucket(stage, "removed-at-once");
      await stage.js.s3.deleteBucket({ Bucket });
      await assert.rejects(keysOf(stage.stage.s3, Bucket), NoSuchBucket);
    },
    refuses: [
      async (stage) => {
        const Bucket = await bucket(stage, "not-empty");
        await stage.stage.s3.putObject({ Bucket, Key: "k" });
        await stage.js.s3.deleteBucket({ Bucket });
      },
      "BucketNotEmpty",
      409,
    ],
  },
  PutBucketAcl: {
    async does(stage) {
      const Bucket = await bucket(stage, "acl-set");
      await stage.js.s3.putBucketAcl({ Bucket, ACL: "private" });
      assert.equal((await stage.stage.s3.getBucketAcl({ Bucket })).Grants?.length, 1);
    },
    refuses: [
      async (stage) => stage.js.s3.putBucketAcl({ Bucket: await bucket(stage, "acl-set"), ACL: "public-read" }),
      "AccessControlListNotSupported",
      400,
    ],
  },
  GetBucketAcl: {
    async does(stage) {
      const { Grants = [] } = await stage.js.s3.getBucketAcl({ Bucket: await bucket(stage, "acl-read") });
      assert.deepEqual(
        Grants.map(({ Grantee, Permission }) => [Grantee?.Type, Permission]),
        [["CanonicalUser", "FULL_CONTROL"]],
      );
    },
    refuses: [({ js }) => js.s3.getBucketAcl({ Bucket: NOWHERE }), NoSuchBucket, 404],
  },
  DeleteBucketEncryption: {
    async does(stage) {
      // A bucket always has one: removing it brings back the first.
      await stage.js.s3.deleteBucketEncryption({ Bucket: await bucket(stage, "encryption-removed") });
      await stage.stage.s3.getBucketEncryption({ Bucket: "encryption-removed" });
    },
    refuses: [({ js }) => js.s3.deleteBucketEncryption({ Bucket: NOWHERE }), NoSuchBucket, 404],
  },
  DeleteBucketReplication: {
    async does(stage) {
      await stage.js.s3.deleteBucketReplication({ Bucket: await bucket(stage, "replication-removed") });
    },
    refuses: [({ js }) => js.s3.deleteBucketReplication({ Bucket: NOWHERE }), NoSuchBucket, 404],
  },
} satisfies Readonly<Record<string, OperationCase>>;

/** Lists of what reports on objects: there is none, and reading says so. */
const listingNothing = (list: (s3: S3, Bucket: string) => Promise<{ readonly IsTruncated?: boolean | undefined }>): OperationCase => ({
  async does(stage) {
    assert.equal((await list(stage.js.s3, await bucket(stage, "without-reports"))).IsTruncated, false);
  },
  refuses: [({ js }) => list(js.s3, NOWHERE), NoSuchBucket, 404],
});

/** Buckets and their documents, by the SDK for JavaScript. */
export const s3BucketCases = {
  ...wholeBucketCases,
  ...policyCases,
  PutBucketVersioning: versioning.put,
  GetBucketVersioning: versioning.get,
  PutBucketCors: cors.put,
  GetBucketCors: cors.get,
  DeleteBucketCors: cors.remove,
  PutBucketTagging: tagging.put,
  GetBucketTagging: tagging.get,
  DeleteBucketTagging: tagging.remove,
  PutBucketOwnershipControls: ownership.put,
  GetBucketOwnershipControls: ownership.get,
  DeleteBucketOwnershipControls: ownership.remove,
  PutPublicAccessBlock: publicAccess.put,
  GetPublicAccessBlock: publicAccess.get,
  DeletePublicAccessBlock: publicAccess.remove,
  PutBucketLifecycleConfiguration: lifecycle.put,
  GetBucketLifecycleConfiguration: lifecycle.get,
  DeleteBucketLifecycle: lifecycle.remove,
  PutBucketWebsite: website.put,
  GetBucketWebsite: website.get,
  DeleteBucketWebsite: website.remove,
  PutBucketEncryption: encryption.put,
  GetBucketEncryption: encryption.get,
  PutBucketLogging: logging.put,
  GetBucketLogging: logging.get,
  PutBucketRequestPayment: payment.put,
  GetBucketRequestPayment: payment.get,
  PutBucketAccelerateConfiguration: acceleration.put,
  GetBucketAccelerateConfiguration: acceleration.get,
  PutBucketNotificationConfiguration: notification.put,
  GetBucketNotificationConfiguration: notification.get,
  ListBucketAnalyticsConfigurations: listingNothing((s3, Bucket) => s3.listBucketAnalyticsConfigurations({ Bucket })),
  ListBucketInventoryConfigurations: listingNothing((s3, Bucket) => s3.listBucketInventoryConfigurations({ Bucket })),
  ListBucketMetricsConfigurations: listingNothing((s3, Bucket) => s3.listBucketMetricsConfigurations({ Bucket })),
  ListBucketIntelligentTieringConfigurations: listingNothing((s3, Bucket) => s3.listBucketIntelligentTieringConfigurations({ Bucket })),
} satisfies Readonly<Record<string, OperationCase>>;
