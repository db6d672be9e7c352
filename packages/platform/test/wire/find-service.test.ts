import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AWS_SERVICES, findService, loadService } from "../../src/wire/index.ts";
import { formRequest, targetRequest, wireRequest } from "../support/wire-request.ts";

const models = AWS_SERVICES.map(loadService);

describe("the service of a request", () => {
  test("is the one of its credential scope, whatever else it shows", () => {
    const request = targetRequest("Logs_20140328.DescribeLogGroups", "{}");
    assert.equal(findService({ ...request, scopeService: "iam" }, models)?.name, "iam");
    assert.equal(findService({ ...request, scopeService: "s3" }, models)?.name, "s3");
    assert.equal(findService({ ...request, scopeService: "dynamodb" }, models), undefined);
  });

  for (const [what, request, expected] of [
    ["target", targetRequest("Logs_20140328.DescribeLogGroups", "{}"), "logs"],
    ["CBOR path", wireRequest("POST", "/service/Logs_20140328/operation/DescribeLogGroups", { "smithy-protocol": "rpc-v2-cbor" }), "logs"],
    ["path", wireRequest("POST", "/2015-03-31/functions/hello/invocations"), "lambda"],
    ["action in a form", formRequest("Action=AssumeRoleWithWebIdentity&Version=2011-06-15"), "sts"],
    ["action in the URL", wireRequest("GET", "/?Action=ListRoles&Version=2010-05-08"), "iam"],
    ["host", wireRequest("GET", "/", { host: "logs.us-east-1.amazonaws.com" }), "logs"],
    ["host, where each path is a key", wireRequest("GET", "/bucket/key", { host: "s3.us-east-1.amazonaws.com" }), "s3"],
    ["path alone, which S3 has for everything, not at all", wireRequest("GET", "/bucket/key"), undefined],
    ["action, where S3 has an operation of that name, not at all", wireRequest("GET", "/?Action=ListBuckets"), undefined],
    ["target, where it is S3's, not at all", targetRequest("AmazonS3.ListBuckets", "{}"), undefined],
    ["nothing it shows", wireRequest("GET", "/favicon.ico", { host: "127.0.0.1:4566" }), undefined],
    ["a form cut in the middle of an escape", formRequest(`Action=Nothing&a=${"%C3%BC".repeat(1_000)}`), undefined],
  ] as const) {
    test(`without a signature is told by its ${what}`, () => assert.equal(findService(request, models)?.name, expected));
  }
});
