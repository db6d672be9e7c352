import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Readable } from "node:stream";
import { isLambentError } from "../../src/base/index.ts";
import { decode, encodeError, encodeOutput, errorTarget, loadService } from "../../src/wire/index.ts";
import { wireRequest } from "../support/wire-request.ts";

const lambda = loadService("lambda");
const INVOKE = "/2015-03-31/functions/hello/invocations";

function bodyText(body: Buffer | Readable): string {
  assert.ok(Buffer.isBuffer(body));
  return body.toString("utf8");
}

describe("a restJson1 request", () => {
  test("gives path, query, headers and a raw payload to their members", () => {
    const payload = Buffer.from([0, 255, 10]);
    const request = wireRequest(
      "POST",
      `${INVOKE}?Qualifier=live`,
      { "x-amz-invocation-type": "DryRun", "x-amz-log-type": "Tail" },
      payload,
    );
    const { operation, protocol, input } = decode(request, lambda);
    assert.equal(operation, "Invoke");
    assert.equal(protocol, "restJson1");
    assert.deepEqual(
      { ...input },
      { FunctionName: "hello", InvocationType: "DryRun", LogType: "Tail", Qualifier: "live", Payload: payload },
    );
    assert.equal(Object.getPrototypeOf(input), null);
  });

  test("has its path split before its segments are decoded", () => {
    const arn = "arn:aws:lambda:us-east-1:123456789012:function:hello";
    assert.equal(decode(wireRequest("GET", `/2015-03-31/functions/${encodeURIComponent(arn)}`), lambda).input["FunctionName"], arn);
    const tags = decode(
      wireRequest(
        "GET",
        `/2017-03-31/tags/${encodeURIComponent("arn:aws:lambda:us-east-1:123456789012:event-source-mapping:2f4a8e9c-1b2d-4c3e-8f5a-6b7c8d9e0f1a")}`,
      ),
      lambda,
    );
    assert.equal(tags.operation, "ListTags");
  });

  test("may end its path with a slash or not", () => {
    for (const path of ["/2015-03-31/functions", "/2015-03-31/functions/", "/2015-03-31/functions/?MaxItems=5"]) {
      assert.equal(decode(wireRequest("GET", path), lambda).operation, "ListFunctions");
    }
  });

  test("has a repeated query key as a list", () => {
    const request = wireRequest(
      "DELETE",
      "/2017-03-31/tags/arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Ahello?tagKeys=a+b&tagKeys=c%2Bd",
    );
    assert.deepEqual(decode(request, lambda).input["TagKeys"], ["a b", "c+d"]);
  });

  test("is read as JSON even where curl calls its body a form", () => {
    const request = wireRequest("POST", INVOKE, { "content-type": "application/x-www-form-urlencoded" }, "{}");
    assert.equal(decode(request, lambda).operation, "Invoke");
  });

  test("keeps keys like __proto__ as ordinary keys and pollutes nothing", () => {
    const body =
      '{"Variables":{"A":"1"},"__proto__":{"polluted":true},"FunctionName":"evil","Environment":{"Variables":{"constructor":"2"}},"Tags":{"__proto__":"t","constructor":"c"},"Role":"arn:aws:iam::123456789012:role/r","Code":{}}';
    const { input } = decode(wireRequest("POST", "/2015-03-31/functions", {}, body), lambda);
    const tags = input["Tags"] as Record<string, string>;
    assert.deepEqual(Object.keys(tags), ["__proto__", "constructor"]);
    assert.equal(Object.getPrototypeOf(tags), null);
    assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
  });

  test("without body members takes an empty body, and nulls as absent", () => {
    const { input } = decode(
      wireRequest("PUT", "/2015-03-31/functions/hello/configuration", {}, '{"Timeout":null,"Description":"d"}'),
      lambda,
    );
    assert.deepEqual({ ...input }, { FunctionName: "hello", Description: "d" });
  });

  for (const [what, request, code, message] of [
    ["bytes that are no JSON", wireRequest("POST", "/2015-03-31/functions", {}, "{"), "MalformedRequest", /not JSON/],
    [
      "bytes that are no UTF-8",
      wireRequest("POST", "/2015-03-31/functions", {}, Buffer.from([0x22, 0xff, 0x22])),
      "MalformedRequest",
      /UTF-8/,
    ],
    ["a body that is a list", wireRequest("POST", "/2015-03-31/functions", {}, "[]"), "MalformedRequest", /must be an object/],
    [
      "text where a number belongs",
      wireRequest("POST", "/2015-03-31/functions", {}, '{"Timeout":"3"}'),
      "MalformedRequest",
      /Timeout must be a number; it is a string/,
    ],
    [
      "a number where text belongs",
      wireRequest("POST", "/2015-03-31/functions", {}, '{"Environment":{"Variables":{"A":1}}}'),
      "MalformedRequest",
      /Environment\.Variables\.A must be a string/,
    ],
    [
      "base64 that is none",
      wireRequest("POST", "/2015-03-31/functions", {}, '{"Code":{"ZipFile":"a*b="}}'),
      "MalformedRequest",
      /Code\.ZipFile must be base64/,
    ],
    [
      "a query number that is none",
      wireRequest("GET", "/2015-03-31/functions?MaxItems=x"),
      "MalformedRequest",
      /MaxItems must be a number/,
    ],
    ["an escape that is no UTF-8", wireRequest("GET", "/2015-03-31/functions/%ff"), "MalformedRequest", /percent escape/],
    ["a path of no operation", wireRequest("GET", "/2015-03-31/nothing"), "UnknownOperation", /no operation for GET/],
    ["an empty label", wireRequest("POST", "/2015-03-31/functions//invocations"), "UnknownOperation", /no operation/],
    ["a method the path does not have", wireRequest("PATCH", INVOKE), "UnknownOperation", /PATCH/],
    ["a URL without end", wireRequest("GET", `/2015-03-31/functions?${"a=b&".repeat(10_000)}`), "RequestTooLarge", /at most 32768/],
    [
      "a document over its bound",
      wireRequest("PUT", "/2017-10-31/functions/hello/concurrency", {}, Buffer.alloc(6 * 1024 * 1024 + 1, " ")),
      "RequestTooLarge",
      /at most 6291456/,
    ],
  ] as const) {
    test(`with ${what} is refused as ${code}`, () => {
      assert.throws(
        () => decode(request, lambda),
        (error) => isLambentError(error, code) && message.test(error.message),
      );
    });
  }
});

describe("a restJson1 answer", () => {
  const invoke = decode(wireRequest("POST", INVOKE), lambda);

  test("has status, headers and raw payload where the schema puts them", () => {
    const payload = Buffer.from('{"ok":true}');
    const response = encodeOutput(
      invoke,
      { StatusCode: 202, FunctionError: "Unhandled", ExecutedVersion: undefined, Payload: payload, Unknown: 1 },
      "id-1",
    );
    assert.equal(response.status, 202);
    assert.deepEqual(response.headers, {
      "x-amz-function-error": "Unhandled",
      "content-type": "application/json",
      "x-amzn-requestid": "id-1",
    });
    assert.equal(response.body, payload);
  });

  test("streams a payload that is a stream", () => {
    const stream = Readable.from([Buffer.from("a")]);
    assert.equal(encodeOutput(invoke, { StatusCode: 200, Payload: stream }, "id-1").body, stream);
  });

  test("leaves undefined and null members out, and writes dates as seconds", () => {
    const settings = decode(wireRequest("GET", "/2016-08-19/account-settings"), lambda);
    const response = encodeOutput(settings, { AccountLimit: { TotalCodeSize: 1, CodeSizeZipped: undefined }, AccountUsage: null }, "id-1");
    assert.equal(bodyText(response.body), '{"AccountLimit":{"TotalCodeSize":1}}');
  });

  test("with status 204 has no body", () => {
    const remove = decode(wireRequest("DELETE", "/2017-10-31/functions/hello/concurrency"), lambda);
    const response = encodeOutput(remove, undefined, "id-1");
    assert.equal(response.status, 204);
    assert.equal(bodyText(response.body), "");
  });

  test("shows what a header cannot carry as question marks", () => {
    const response = encodeOutput(invoke, { StatusCode: 200, FunctionError: "a\r\nset-cookie: b=水" }, "id-1");
    assert.equal(response.headers["x-amz-function-error"], "a??set-cookie: b=?");
  });

  test("that is a modelled error has its name, status, header members and message", () => {
    const response = encodeError(
      invoke,
      {
        name: "TooManyRequestsException",
        message: "Rate Exceeded.",
        members: { Reason: "ReservedFunctionConcurrentInvocationLimitExceeded", Type: "User", retryAfterSeconds: "3" },
      },
      "id-1",
    );
    assert.equal(response.status, 429);
    assert.equal(response.headers["x-amzn-errortype"], "TooManyRequestsException");
    assert.equal(response.headers["retry-after"], "3");
    assert.deepEqual(JSON.parse(bodyText(response.body)), {
      Type: "User",
      message: "Rate Exceeded.",
      Reason: "ReservedFunctionConcurrentInvocationLimitExceeded",
    });
  });

  test("that is an error without a shape keeps name, status and members", () => {
    const target = errorTarget(wireRequest("GET", "/nowhere"), undefined);
    const response = encodeError(target, { name: "NotImplemented", message: "m", status: 501, members: { what: "X" } }, "id-1");
    assert.equal(response.status, 501);
    assert.equal(response.headers["x-amzn-errortype"], "NotImplemented");
    assert.deepEqual(JSON.parse(bodyText(response.body)), { what: "X", message: "m" });
  });
});
