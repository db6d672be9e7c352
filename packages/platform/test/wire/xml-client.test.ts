/** What a client of our own writes is what the server reads, and the reverse. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { invariant, isLambentError } from "../../src/base/index.ts";
import { decode, encodeError, encodeOutput, loadService, readXmlAnswer, readXmlError, writeXmlPayload } from "../../src/wire/index.ts";
import { wireRequest } from "../support/wire-request.ts";

const service = loadService("s3");

function operation(name: string) {
  const found = service.operations.get(name);
  invariant(found !== undefined, `S3 has ${name}`);
  return found;
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

test("a document that is written is read by the server as it was meant", () => {
  const value = {
    LambdaFunctionConfigurations: [
      {
        Id: 'a <b>&"',
        LambdaFunctionArn: "arn",
        Events: ["s3:ObjectCreated:*"],
        Filter: { Key: { FilterRules: [{ Name: "prefix", Value: " ü\t" }] } },
      },
    ],
    EventBridgeConfiguration: {},
  };
  const body = writeXmlPayload(service, operation("PutBucketNotificationConfiguration"), value);
  const decoded = decode(wireRequest("PUT", "/photos?notification=", {}, body), service);
  assert.equal(decoded.operation, "PutBucketNotificationConfiguration");
  assert.deepEqual(plain(decoded.input["NotificationConfiguration"]), value);
});

test("an answer of the server is read as it was meant, lists, times and numbers too", () => {
  const output = {
    ...{ Name: "photos", KeyCount: 2, IsTruncated: true, NextContinuationToken: "t/+=" },
    Contents: [{ Key: "a&b", Size: 5_000_000_000, LastModified: new Date(1_790_000_000_000), ETag: '"e"' }],
    CommonPrefixes: [{ Prefix: "x/" }, { Prefix: "y/" }],
  };
  const target = { service, protocol: "restXml" as const, operation: "ListObjectsV2", input: {} };
  const { body } = encodeOutput(target, output, "request");
  assert.ok(Buffer.isBuffer(body));
  assert.deepEqual(plain(readXmlAnswer(operation("ListObjectsV2"), body)), plain(output));
});

test("an error's document is no answer; its code and message are read", () => {
  const target = { service, protocol: "restXml" as const, operation: "CompleteMultipartUpload" };
  const { body } = encodeError(target, { name: "NoSuchUpload", status: 404, message: "gone & over", fault: "caller" }, "request");
  assert.ok(Buffer.isBuffer(body));
  assert.deepEqual(readXmlError(body), { code: "NoSuchUpload", message: "gone & over" });
  for (const text of [body, Buffer.from("<html>"), Buffer.from("{}"), Buffer.alloc(0)])
    assert.throws(
      () => readXmlAnswer(operation("CompleteMultipartUpload"), text),
      (error) => isLambentError(error, "MalformedRequest"),
    );
});
