/** Who may do what: actions, resources, the bucket's policy, and what is told of keys that are absent. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { s3Permission } from "../../../src/api/s3/permissions.ts";
import type { Permission, RequestContext } from "../../../src/api/index.ts";
import type { Principal } from "../../../src/security/index.ts";
import { ACCOUNT, ANONYMOUS, openS3, type S3World, textOf } from "./world.ts";

const STRANGER: Principal = { kind: "root", account: "111111111111", accessKeyId: "other" };
const OBJECTS = "arn:aws:s3:::photos/*";
const BUCKET = "arn:aws:s3:::photos";

/** A session of a role that may do what `actions` say, with everything. */
async function roleThatMay(world: S3World, ...actions: readonly string[]): Promise<Principal> {
  const { roles } = world.security;
  const name = `role-${actions.length}-${actions.join("-").replaceAll(/[^A-Za-z-]/gu, "")}`;
  const trustPolicy = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Principal: "*", Action: "sts:AssumeRole" }] });
  await roles.createRole(ACCOUNT, { name, trustPolicy, tags: {} });
  const statement = { Effect: "Allow", Action: actions, Resource: "*" };
  const policy = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
  await roles.changeRole(ACCOUNT, name, { kind: "putInline", name: "own", document: policy });
  return {
    ...{
      kind: "assumedRole",
      account: ACCOUNT,
      roleArn: `arn:aws:iam::${ACCOUNT}:role/${name}`,
      sessionName: "tester",
      accessKeyId: "key",
    },
    ...{ expiresAt: Number.POSITIVE_INFINITY, sessionPolicies: { documents: [], arns: [] }, tags: {} },
  };
}

describe("what a call needs leave for", () => {
  const cases: readonly (readonly [operation: string, input: object, expected: readonly string[]])[] = [
    ["GetObject", { Key: "a" }, ["s3:GetObject a"]],
    ["GetObject", { Key: "a", VersionId: "1" }, ["s3:GetObjectVersion a"]],
    ["HeadObject", { Key: "a" }, ["s3:GetObject a"]],
    ["GetObjectAttributes", { Key: "a" }, ["s3:GetObjectAttributes a", "s3:GetObject a"]],
    ["PutObject", { Key: "a" }, ["s3:PutObject a"]],
    ["PutObject", { Key: "a", Tagging: "x=y", ACL: "private" }, ["s3:PutObject a", "s3:PutObjectTagging a", "s3:PutObjectAcl a"]],
    ["CopyObject", { Key: "a", CopySource: "photos/b" }, ["s3:PutObject a", "s3:GetObject b"]],
    ["CopyObject", { Key: "a", CopySource: "photos/b?versionId=1" }, ["s3:PutObject a", "s3:GetObjectVersion b"]],
    ["DeleteObject", { Key: "a" }, ["s3:DeleteObject a"]],
    ["DeleteObject", { Key: "a", VersionId: "1" }, ["s3:DeleteObjectVersion a"]],
    ["PutObjectTagging", { Key: "a", VersionId: "1" }, ["s3:PutObjectVersionTagging a"]],
    ["PutObjectAcl", { Key: "a", ACL: "private" }, ["s3:PutObjectAcl a"]],
    ["CreateMultipartUpload", { Key: "a" }, ["s3:PutObject a"]],
    ["UploadPart", { Key: "a" }, ["s3:PutObject a"]],
    ["UploadPartCopy", { Key: "a", CopySource: "photos/b" }, ["s3:PutObject a", "s3:GetObject b"]],
    ["CompleteMultipartUpload", { Key: "a" }, ["s3:PutObject a"]],
    ["AbortMultipartUpload", { Key: "a" }, ["s3:AbortMultipartUpload a"]],
    ["ListParts", { Key: "a" }, ["s3:ListMultipartUploadParts a"]],
    ["ListObjectsV2", {}, ["s3:ListBucket"]],
    ["HeadBucket", {}, ["s3:ListBucket"]],
    ["ListObjectVersions", {}, ["s3:ListBucketVersions"]],
    ["ListMultipartUploads", {}, ["s3:ListBucketMultipartUploads"]],
    ["CreateBucket", {}, ["s3:CreateBucket"]],
    ["DeleteBucket", {}, ["s3:DeleteBucket"]],
    ["GetBucketPolicy", {}, ["s3:GetBucketPolicy"]],
    ["PutBucketCors", {}, ["s3:PutBucketCORS"]],
    ["DeleteBucketCors", {}, ["s3:PutBucketCORS"]],
    ["PutBucketLifecycleConfiguration", {}, ["s3:PutLifecycleConfiguration"]],
    ["GetBucketEncryption", {}, ["s3:GetEncryptionConfiguration"]],
    ["PutBucketNotificationConfiguration", {}, ["s3:PutBucketNotification"]],
    ["GetPublicAccessBlock", {}, ["s3:GetBucketPublicAccessBlock"]],
  ];
  it("is what AWS's reference says", async (test) => {
    const { make, buckets } = await openS3(test);
    await make("photos");
    const context = { sourceAddress: "10.1.2.3" } as RequestContext;
    const told = ({ action, resource }: Permission): string => `${action} ${resource.slice(BUCKET.length + 1)}`.trim();
    for (const [operation, input, expected] of cases) {
      const permission = s3Permission(buckets, operation, { Bucket: "photos", ...input }, context);
      assert.ok(permission);
      assert.deepEqual([permission, ...(permission.others ?? [])].map(told), expected, operation);
    }
    assert.deepEqual(s3Permission(buckets, "ListBuckets", {}, context)?.action, "s3:ListAllMyBuckets");
    const listing = s3Permission(buckets, "ListObjectsV2", { Bucket: "photos", Prefix: "home/", Delimiter: "/", MaxKeys: 10 }, context);
    assert.deepEqual(listing?.context, { "s3:prefix": "home/", "s3:delimiter": "/", "s3:max-keys": "10", "aws:SourceIp": "10.1.2.3" });
    assert.equal(listing?.resourceAccount, ACCOUNT);
  });
});

describe("a bucket's policy", () => {
  it("lets everybody do what it says, and nothing else", async (test) => {
    const { call, put, refusal, setPolicy, make } = await openS3(test);
    await make("photos");
    await put("photos", "a", "abc");
    for (const principal of [ANONYMOUS, STRANGER])
      assert.equal((await refusal("GetObject", { Bucket: "photos", Key: "a" }, principal)).name, "AccessDenied");
    await setPolicy("photos", { Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: OBJECTS });
    for (const principal of [ANONYMOUS, STRANGER]) {
      assert.equal(await textOf(await call("GetObject", { Bucket: "photos", Key: "a" }, principal)), "abc");
      assert.equal((await refusal("PutObject", { Bucket: "photos", Key: "a" }, principal)).name, "AccessDenied");
      assert.equal((await refusal("ListObjectsV2", { Bucket: "photos" }, principal)).name, "AccessDenied");
    }
    assert.equal((await refusal("ListBuckets", {}, ANONYMOUS)).name, "AccessDenied");
  });

  it("can make the prefix of a listing its condition", async (test) => {
    const { call, put, refusal, setPolicy, make } = await openS3(test);
    await make("photos");
    await put("photos", "home/a");
    const Condition = { StringLike: { "s3:prefix": "home/*" } };
    await setPolicy("photos", { Effect: "Allow", Principal: "*", Action: "s3:ListBucket", Resource: BUCKET, Condition });
    assert.equal((await call("ListObjectsV2", { Bucket: "photos", Prefix: "home/" }, STRANGER)).KeyCount, 1);
    assert.equal((await refusal("ListObjectsV2", { Bucket: "photos" }, STRANGER)).name, "AccessDenied");
  });
});

describe("what is told of what is not there", () => {
  it("is that a bucket is absent, to everybody, and that a key is, to those who may list", async (test) => {
    const world = await openS3(test);
    const { call, put, refusal, setPolicy, make } = world;
    await make("photos");
    await put("photos", "a", "abc");
    const reader = await roleThatMay(world, "s3:GetObject");
    const lister = await roleThatMay(world, "s3:GetObject", "s3:ListBucket");
    assert.equal((await call("HeadObject", { Bucket: "photos", Key: "a" }, reader)).ContentLength, 3);
    assert.equal((await refusal("HeadObject", { Bucket: "photos", Key: "none" }, reader)).name, "AccessDenied");
    assert.equal((await refusal("HeadObject", { Bucket: "photos", Key: "none" }, lister)).name, "NoSuchKey");
    await setPolicy("photos", { Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: OBJECTS });
    assert.equal((await refusal("GetObject", { Bucket: "photos", Key: "none" }, ANONYMOUS)).name, "AccessDenied");
    assert.equal((await refusal("GetObject", { Bucket: "nobodys", Key: "a" }, ANONYMOUS)).name, "NoSuchBucket");
  });
});

describe("a batch of deletions", () => {
  it("needs leave for each of its keys", async (test) => {
    const { call, put, setPolicy, make } = await openS3(test);
    await make("photos");
    await put("photos", "open/a");
    await put("photos", "shut/a");
    await setPolicy("photos", { Effect: "Allow", Principal: "*", Action: "s3:DeleteObject", Resource: `${BUCKET}/open/*` });
    const Objects = [{ Key: "open/a" }, { Key: "shut/a" }, { Key: "open/b", VersionId: "null" }];
    const { Deleted, Errors } = await call("DeleteObjects", { Bucket: "photos", Delete: { Objects } }, ANONYMOUS);
    assert.deepEqual(
      Deleted?.map(({ Key }) => Key),
      ["open/a"],
    );
    assert.deepEqual(
      Errors?.map(({ Key, Code }) => [Key, Code]),
      [
        ["shut/a", "AccessDenied"],
        ["open/b", "AccessDenied"],
      ],
    );
  });
});

describe("a copy", () => {
  it("needs leave to read its source", async (test) => {
    const world = await openS3(test);
    const { call, put, refusal, make } = world;
    await make("photos");
    await put("photos", "a", "abc");
    const copy = { Bucket: "photos", Key: "b", CopySource: "photos/a" };
    assert.equal((await refusal("CopyObject", copy, await roleThatMay(world, "s3:PutObject"))).name, "AccessDenied");
    await call("CopyObject", copy, await roleThatMay(world, "s3:PutObject", "s3:GetObject"));
  });
});
