import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { httpAnswer, preludeAnswer } from "../../src/gateway/function-url/answer.ts";
import { corsHeaders, isPreflight, preflightHeaders } from "../../src/gateway/function-url/cors.ts";
import { type HttpCall, httpEvent } from "../../src/gateway/function-url/event.ts";
import type { CorsSettings } from "../../src/functions/index.ts";
import type { FunctionUrl } from "../../src/gateway/index.ts";
import { matchUrl } from "../../src/gateway/function-url/match.ts";
import { cookieBelow } from "../../src/gateway/function-url/sandboxed-answer.ts";

const fixture = (name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(new URL(`../fixtures/lambda-events/${name}`, import.meta.url), "utf8")) as Record<string, unknown>;

const CALL: HttpCall = {
  method: "POST",
  path: "/my/path",
  rawQuery: "parameter1=value1&parameter1=value2&parameter2=value",
  headers: { header1: "value1", header2: "value1,value2", cookie: "cookie1; cookie2", "user-agent": "agent" },
  httpVersion: "1.1",
  sourceIp: "123.123.123.123",
  body: Buffer.from("Hello from client!"),
  requestId: "id",
  at: 1_583_348_638_390,
  urlId: "<url-id>",
  domain: "<url-id>.lambda-url.us-west-2.on.aws",
  caller: {
    kind: "iam",
    accountId: "111122223333",
    accessKey: "AKIA...",
    userArn: "arn:aws:iam::111122223333:user/example-user",
    userId: "AIDA...",
  },
};

interface Event {
  readonly rawPath: string;
  readonly body?: string;
  readonly isBase64Encoded: boolean;
  readonly queryStringParameters?: Record<string, string>;
  readonly requestContext: { readonly accountId: string; readonly time: string; readonly http: { readonly path: string } };
}

const eventOf = (changed: Partial<HttpCall>): Event => JSON.parse(httpEvent({ ...CALL, ...changed }).toString()) as Event;

describe("an HTTP request as an event", () => {
  test("has every member of AWS's published sample, of the same kind", () => {
    const sample = fixture("lambda-urls-request.json");
    const event = JSON.parse(httpEvent(CALL).toString()) as Record<string, unknown>;
    for (const [name, value] of Object.entries(sample)) {
      if (name === "requestContext" || name === "headers") continue;
      assert.deepEqual(event[name], value, name);
    }
    const context = event.requestContext as Record<string, unknown>;
    for (const name of Object.keys(sample.requestContext as object)) assert.ok(name in context, `requestContext.${name}`);
    assert.deepEqual(context.http, (sample.requestContext as Record<string, unknown>).http);
  });

  test("names its time as AWS does", () => {
    assert.equal(eventOf({}).requestContext.time, "04/Mar/2020:19:03:58 +0000");
  });

  test("carries text as it is and everything else as base64, forms included", () => {
    const types: [string, boolean][] = [
      ["application/json", false],
      ["text/csv; charset=utf-8", false],
      ["application/problem+json", false],
      ["image/png", true],
      ["application/x-www-form-urlencoded", true],
    ];
    for (const [type, base64] of types) {
      const event = eventOf({ headers: { "content-type": type } });
      assert.equal(event.isBase64Encoded, base64, type);
      assert.equal(event.body, base64 ? CALL.body.toString("base64") : CALL.body.toString(), type);
    }
  });

  test("has no body when the request has none, and says it is not base64", () => {
    const event = eventOf({ body: Buffer.alloc(0), headers: { "content-type": "image/png" } });
    assert.equal("body" in event, false);
    assert.equal(event.isBase64Encoded, false);
  });

  test("decodes the path, and passes a malformed escape on as it came", () => {
    assert.equal(eventOf({ path: "/caf%C3%A9" }).rawPath, "/café");
    assert.equal(eventOf({ path: "/100%" }).rawPath, "/100%");
  });

  test("keeps a parameter named __proto__ a parameter", () => {
    const event = eventOf({ rawQuery: "__proto__=x" });
    assert.equal(Object.getOwnPropertyDescriptor(event.queryStringParameters, "__proto__")?.value, "x");
  });
});

describe("an answer as an HTTP response", () => {
  const answer = (value: unknown) => httpAnswer(Buffer.from(JSON.stringify(value)));

  test("AWS's published response sample becomes status, headers, cookies and body", () => {
    const sample = fixture("lambda-urls-response.json");
    const result = answer(sample);
    assert.equal(result?.status, sample.statusCode);
    assert.equal(result?.body.toString(), sample.body);
    assert.deepEqual(result?.headers["set-cookie"], sample.cookies);
  });

  test("anything without statusCode is the JSON body of a 200", () => {
    for (const value of ["Hello, world!", { message: "hi" }, [1], null, 7]) {
      const result = answer(value);
      assert.deepEqual(
        [result?.status, result?.headers["content-type"], result?.body.toString()],
        [200, "application/json", JSON.stringify(value)],
      );
    }
  });

  test("a base64 body is decoded", () => {
    assert.equal(answer({ statusCode: 200, body: Buffer.from("€").toString("base64"), isBase64Encoded: true })?.body.toString(), "€");
  });

  test("a body that is no string is sent as its JSON", () => {
    assert.equal(answer({ statusCode: 200, body: { a: 1 } })?.body.toString(), '{"a":1}');
  });

  test("a status that is none, headers that are none, or a header value with a line break is the function's error", () => {
    for (const broken of [
      { statusCode: "abc" },
      { statusCode: 99 },
      { statusCode: 700 },
      { statusCode: 200, headers: ["a"] },
      { statusCode: 200, headers: { a: "b\r\nc: d" } },
      { statusCode: 200, cookies: "a" },
    ]) {
      assert.equal(answer(broken), undefined, JSON.stringify(broken));
    }
  });

  test("headers of the connection stay the gateway's", () => {
    const headers = answer({ statusCode: 200, headers: { "Content-Length": "99", Connection: "close", "X-Own": "1" } })?.headers;
    assert.deepEqual({ ...headers }, { "x-own": "1", "content-type": "application/json" });
  });

  test("a streaming prelude sets status, headers and cookies", () => {
    const prelude = Buffer.from(JSON.stringify({ statusCode: 201, headers: { "X-A": "b" }, cookies: ["c=d"] }));
    const result = preludeAnswer(prelude, "text/plain");
    assert.deepEqual([result?.status, { ...result?.headers }], [201, { "x-a": "b", "set-cookie": ["c=d"], "content-type": "text/plain" }]);
  });
});

describe("CORS", () => {
  const settings: CorsSettings = {
    allowOrigins: ["https://app.example"],
    allowMethods: ["GET"],
    allowHeaders: ["x-a"],
    exposeHeaders: ["x-b"],
    allowCredentials: true,
    maxAgeSeconds: 60,
  };

  test("an allowed origin is named, another one gets nothing", () => {
    assert.deepEqual(corsHeaders(settings, "https://app.example"), {
      "access-control-allow-origin": "https://app.example",
      vary: "Origin",
      "access-control-allow-credentials": "true",
      "access-control-expose-headers": "x-b",
    });
    assert.deepEqual(corsHeaders(settings, "https://evil.example"), {});
    assert.deepEqual(corsHeaders(settings, undefined), {});
  });

  test("a star with credentials names the origin, because a browser refuses the star then", () => {
    assert.equal(
      corsHeaders({ ...settings, allowOrigins: ["*"] }, "https://a.example")["access-control-allow-origin"],
      "https://a.example",
    );
    assert.equal(
      corsHeaders({ ...settings, allowOrigins: ["*"], allowCredentials: false }, "https://a.example")["access-control-allow-origin"],
      "*",
    );
  });

  test("a preflight is told apart from an OPTIONS request of an API", () => {
    assert.equal(isPreflight("OPTIONS", { origin: "https://a.example", "access-control-request-method": "PUT" }), true);
    assert.equal(isPreflight("OPTIONS", { origin: "https://a.example" }), false);
  });

  test("a preflight's answer has methods, headers and age", () => {
    const headers = preflightHeaders(settings, {
      origin: "https://app.example",
      "access-control-request-method": "GET",
      "access-control-request-headers": "x-a",
    });
    assert.equal(headers["access-control-allow-methods"], "GET");
    assert.equal(headers["access-control-allow-headers"], "x-a");
    assert.equal(headers["access-control-max-age"], "60");
  });
});

describe("matching a function URL", () => {
  const url: FunctionUrl = {
    realm: { account: "000000000000", region: "us-east-1" },
    functionName: "hello",
    qualifier: undefined,
    urlId: "abc",
    authType: "NONE",
    invokeMode: "BUFFERED",
    cors: undefined,
  };
  const find = (name: string): FunctionUrl | undefined => (name === "hello" || name === "abc" ? url : undefined);
  const target = (host: string, path: string): unknown => {
    const matching = matchUrl(host, path, find);
    return matching.kind === "matched" ? [matching.match.target, matching.match.prefix, matching.match.domain] : matching.kind;
  };

  test("the path form takes off its prefix and keeps the query", () => {
    assert.deepEqual(target("127.0.0.1:4566", "/function-url/hello/a/b?c=d"), ["/a/b?c=d", "/function-url/hello", "127.0.0.1"]);
    assert.deepEqual(target("127.0.0.1:4566", "/function-url/hello?c=d"), ["/?c=d", "/function-url/hello", "127.0.0.1"]);
    assert.deepEqual(target("127.0.0.1:4566", "/function-url/hello"), ["/", "/function-url/hello", "127.0.0.1"]);
  });

  test("the host form keeps the path", () => {
    assert.deepEqual(target("abc.lambda-url.localhost:4566", "/a?b"), ["/a?b", undefined, "abc.lambda-url.localhost"]);
  });

  test("an unknown name and a path of the API are told apart", () => {
    assert.equal(target("127.0.0.1", "/function-url/nobody/"), "unknown");
    assert.equal(target("127.0.0.1", "/2015-03-31/functions/"), "none");
  });
});

describe("cookies of functions that share an origin", () => {
  test("stay below the function's own prefix, without a domain", () => {
    assert.equal(
      cookieBelow("id=7; Path=/shop; Domain=example.com; HttpOnly", "/function-url/a"),
      "id=7; HttpOnly; Path=/function-url/a/shop",
    );
    assert.equal(cookieBelow("id=7", "/function-url/a"), "id=7; Path=/function-url/a/");
  });
});
