/** Input that no client sent: what schedules call operations with. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isLambentError } from "../../src/base/index.ts";
import { AWS_SERVICES, decodeInput, loadService, type ServiceName } from "../../src/wire/index.ts";

function read(service: ServiceName, operation: string, text: string) {
  const model = loadService(service).operations.get(operation);
  assert.ok(model);
  return decodeInput(Buffer.from(text), model);
}

describe("the input of an operation", () => {
  test("has blobs as the texts they are, also such that would be base64", () => {
    for (const payload of ['{"shop": "Köln"}', "YWJj", ""])
      assert.deepEqual(read("lambda", "Invoke", JSON.stringify({ FunctionName: "f", Payload: payload }))["Payload"], Buffer.from(payload));
    const attributes = { mark: { DataType: "Binary", BinaryValue: "YWJj" } };
    const sent = read("sqs", "SendMessage", JSON.stringify({ QueueUrl: "q", MessageBody: "m", MessageAttributes: attributes }));
    assert.deepEqual(
      (sent["MessageAttributes"] as Record<string, object>)["mark"],
      Object.assign(Object.create(null), { DataType: "Binary", BinaryValue: Buffer.from("YWJj") }),
    );
  });

  test("is read by the names AWS has for members, whatever the service's protocol", () => {
    assert.ok(AWS_SERVICES.includes("sns"));
    assert.equal(read("sns", "Publish", '{"TopicArn": "arn", "Message": "hello", "unknown": 1}')["Message"], "hello");
    assert.equal(read("lambda", "DeleteFunction", '{"FunctionName": "f"}')["FunctionName"], "f");
  });

  test("that is no JSON, of other types, or against a rule is refused", () => {
    const refused = (text: string, code: "MalformedRequest" | "InvalidParameter"): void =>
      assert.throws(
        () => read("lambda", "Invoke", text),
        (error) => isLambentError(error, code),
        text,
      );
    refused("{", "MalformedRequest");
    refused("[]", "MalformedRequest");
    refused('{"FunctionName": 1}', "MalformedRequest");
    refused('{"FunctionName": "f", "Payload": {"n": 1}}', "MalformedRequest");
    refused("{}", "InvalidParameter");
    refused('{"FunctionName": "f", "InvocationType": "Later"}', "InvalidParameter");
  });
});
