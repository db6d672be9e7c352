import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Authorization, type ConnectionParameter, type ConnectionParameters, NO_PARAMETERS } from "../../../src/bus/index.ts";
import { destinationRequest } from "../../../src/delivery/http/request.ts";
import type { ParcelOptions } from "../../../src/outbox/index.ts";

const KEY: Authorization = { kind: "apiKey", name: "X-Api-Key", value: "k" };
const parameter = (key: string, value: string): ConnectionParameter => ({ key, value, secret: false });

interface Given {
  readonly endpoint?: string;
  readonly method?: "POST" | "GET" | "HEAD";
  readonly authorization?: Authorization;
  readonly invocation?: Partial<ConnectionParameters>;
  readonly options?: ParcelOptions;
  readonly payload?: string;
  readonly token?: string;
}

const request = ({
  endpoint = "https://api.test/v1",
  method = "POST",
  authorization = KEY,
  invocation,
  options = {},
  payload = "{}",
  token,
}: Given) => {
  const content = { authorization, invocation: { ...NO_PARAMETERS, ...invocation } };
  const { path, headers, body } = destinationRequest({ endpoint, method }, content, token, { payload: Buffer.from(payload), options });
  return { path, headers, body: body?.toString() };
};

describe("the request of an API destination", () => {
  test("carries EventBridge's own headers, and the connection's authorization", () => {
    assert.deepEqual(request({}), {
      path: "/v1",
      headers: {
        "content-type": "application/json; charset=utf-8",
        "accept-encoding": "gzip,deflate",
        "user-agent": "Amazon/EventBridge/ApiDestinations",
        range: "bytes=0-1048575",
        "x-api-key": "k",
      },
      body: "{}",
    });
    const basic = request({ authorization: { kind: "basic", username: "Aladdin", password: "open sesame" } });
    assert.equal(basic.headers["authorization"], "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    const oauth: Authorization = {
      kind: "oauth",
      clientId: "i",
      clientSecret: "s",
      endpoint: "https://a.test/",
      method: "POST",
      parameters: NO_PARAMETERS,
    };
    assert.equal(request({ authorization: oauth, token: "t" }).headers["authorization"], "Bearer t");
  });

  test("has the stars of its path filled, each value as one piece of it", () => {
    const endpoint = "https://api.test/users/*/orders/*?x=1";
    assert.equal(request({ endpoint, options: { pathValues: ["a b/c?d#e", "ü"] } }).path, "/users/a%20b%2Fc%3Fd%23e/orders/%C3%BC?x=1");
    for (const pathValues of [[], ["one"], ["1", "2", "3"], ["..", "x"], ["x", "."], ["\ud800", "x"]])
      assert.throws(() => request({ endpoint, options: { pathValues } }), { code: "InvalidParameter" }, JSON.stringify(pathValues));
    assert.equal(request({ endpoint, options: { pathValues: ["%2e%2e", "..."] } }).path, "/users/%252e%252e/orders/...?x=1");
  });

  test("gives the connection the last word, then the sender; what belongs to the connection as such nobody sets", () => {
    const { path, headers } = request({
      endpoint: "https://api.test/?own=1",
      invocation: { headers: [parameter("X-B", "connection"), parameter("Host", "evil.test")], query: [parameter("q", "connection")] },
      options: {
        headers: {
          "x-b": "sender",
          "Content-Type": "text/plain",
          "Transfer-Encoding": "chunked",
          "User-Agent": "mine",
          "X-API-KEY": "mine",
          "x-c": "c",
        },
        query: { q: "sender", r: "a b&c" },
      },
    });
    assert.equal(path, "/?own=1&q=connection&r=a+b%26c");
    assert.deepEqual(headers, {
      "content-type": "text/plain",
      "accept-encoding": "gzip,deflate",
      "x-b": "connection",
      "x-c": "c",
      "user-agent": "Amazon/EventBridge/ApiDestinations",
      range: "bytes=0-1048575",
      "x-api-key": "k",
    });
  });

  test("is framed as it is whatever the name of the connection's key", () => {
    for (const name of ["Transfer-Encoding", "Content-Length", "Connection"])
      assert.equal(request({ authorization: { kind: "apiKey", name, value: "chunked" } }).headers[name.toLowerCase()], undefined, name);
  });

  test("adds the connection's body parameters to a JSON object, whose own bytes stay", () => {
    const invocation = { body: [parameter("tenant", 'a"b')] };
    const body = (payload: string) => request({ invocation, payload }).body;
    assert.equal(body('{"n":1.00, "big":12345678901234567890 }\n'), '{"n":1.00, "big":12345678901234567890 ,"tenant":"a\\"b"}');
    assert.equal(body(" { } "), '{"tenant":"a\\"b"}');
    assert.equal(body('{"tenant":"mine","x":1}'), '{"tenant":"a\\"b","x":1}');
    for (const payload of ["[1]", '"text"', "plain", ""]) assert.equal(body(payload), payload);
    assert.equal(request({ invocation: { body: [parameter("__proto__", "x")] }, payload: '{"a":1}' }).body, '{"a":1,"__proto__":"x"}');
  });

  test("has no body where its method has none", () => {
    assert.equal(request({ method: "GET" }).body, undefined);
    assert.equal(request({ method: "HEAD" }).body, undefined);
  });
});
