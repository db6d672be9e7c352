import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isLambentError } from "../../src/base/index.ts";
import { formatArn, parseArn } from "../../src/wire/index.ts";

describe("an ARN", () => {
  for (const text of [
    "arn:aws:lambda:us-east-1:000000000000:function:hello:live",
    "arn:aws:iam::123456789012:role/service-role/worker",
    "arn:aws:s3:::bucket/key:with:colons",
    "arn:aws-us-gov:logs:us-gov-west-1:123456789012:log-group:/aws/lambda/a:*",
    "arn:aws:iam::aws:policy/ReadOnlyAccess",
  ]) {
    test(`${text} is read and written back`, () => assert.equal(formatArn(parseArn(text)), text));
  }

  test("has the partition aws unless another is given", () => {
    assert.equal(
      formatArn({ service: "lambda", region: "eu-west-1", account: "000000000000", resource: "function:a" }),
      "arn:aws:lambda:eu-west-1:000000000000:function:a",
    );
  });

  for (const text of [
    "",
    "hello",
    "arn:aws:lambda:us-east-1:1:function:a",
    "arn:aws:lambda:us-east-1:000000000000:",
    "arn:aws:LAMBDA:us-east-1:000000000000:a",
    "arn:aws:s3:::a\nb",
    `arn:aws:s3:::${"a".repeat(3_000)}`,
  ]) {
    test(`${JSON.stringify(text.slice(0, 40))} is none, and the error names the member`, () => {
      assert.throws(
        () => parseArn(text, "Role"),
        (error) => isLambentError(error, "InvalidParameter") && error.message.startsWith("Role is ") && error.message.length < 400,
      );
    });
  }
});
