/** Code that lies in a bucket: who may take it from there. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Permission, RequestContext } from "../../../src/api/index.ts";
import { zipOf } from "../../../src/api/lambda/code-input.ts";
import type { Buckets } from "../../../src/objects/index.ts";

const PUBLIC = {
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: "arn:aws:s3:::code/*" }],
};

test("reading code asks for leave by the policy that decides reading the object", async () => {
  const asked: Permission[] = [];
  const bucket = {
    get: async () => ({ object: { bytes: 3 } }),
    open: async () => Buffer.from("zip"),
  };
  const record = {
    ...{ name: "code", realm: { account: "111122223333", region: "us-east-1" }, policy: JSON.stringify(PUBLIC) },
    documents: { publicAccessBlock: { RestrictPublicBuckets: true } },
  };
  const buckets = { get: () => record, bucket: async () => bucket } as unknown as Buckets;
  const parts = { buckets: async () => buckets, authorize: (_: unknown, permission: Permission) => void asked.push(permission) };
  const context = {} as RequestContext;
  assert.equal(String(await zipOf({ S3Bucket: "code", S3Key: "a.zip", S3ObjectVersion: "1.a" }, context, parts)), "zip");
  const [{ action, resource, resourceAccount, resourcePolicy = "" } = assert.fail("nobody was asked")] = asked;
  assert.deepEqual([action, resource, resourceAccount], ["s3:GetObjectVersion", "arn:aws:s3:::code/a.zip", "111122223333"]);
  const { Statement } = JSON.parse(resourcePolicy) as { readonly Statement: readonly { readonly Effect: string }[] };
  assert.deepEqual(
    Statement.map(({ Effect }) => Effect),
    ["Allow", "Deny"],
    "a public policy gives others nothing where public access is restricted",
  );
});
