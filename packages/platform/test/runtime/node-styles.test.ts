import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { systemClock } from "../../src/base/index.ts";
import type { HandlerStyle } from "../../src/model/index.ts";
import { errorOf, RuntimeWorld, valueOf } from "../support/runtime-world.ts";

let world: RuntimeWorld;
before(async () => {
  world = await RuntimeWorld.open();
});
after(() => world.close());

interface HttpResult {
  readonly statusCode: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cookies?: readonly string[];
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
}

/** What the gateway hands over for one request. */
function httpEvent(
  method: string,
  path: string,
  changed: { query?: string; headers?: Record<string, string>; body?: string; base64?: boolean; cookies?: string[] } = {},
): unknown {
  return {
    version: "2.0",
    routeKey: "$default",
    rawPath: path,
    rawQueryString: changed.query ?? "",
    headers: { host: "hello.localhost", ...changed.headers },
    ...(changed.cookies ? { cookies: changed.cookies } : {}),
    requestContext: { http: { method, path, protocol: "HTTP/1.1", sourceIp: "127.0.0.1", userAgent: "test" } },
    ...(changed.body === undefined ? {} : { body: changed.body }),
    isBase64Encoded: changed.base64 ?? false,
  };
}

async function answer(style: HandlerStyle, code: string, event: unknown): Promise<HttpResult> {
  const instance = await world.instance({ "index.mjs": code }, { handlerStyle: style });
  return valueOf(await instance.invoke(world.call(event))) as HttpResult;
}

const web = (code: string, event: unknown): Promise<HttpResult> =>
  answer("web", `export async function handler(req, res, next) { ${code} }`, event);

test("web: a handler reads the request and answers JSON", async () => {
  const event = httpEvent("POST", "/items", {
    query: "a=1&a=2&b=x",
    headers: { "content-type": "application/json" },
    body: '{"n":1}',
    cookies: ["k=v", "l=w"],
  });
  const result = await web(
    "res.status(201).set('x-a', 'b').json({ method: req.method, url: req.url, path: req.path, query: req.query, body: req.body, cookie: req.headers.cookie, ip: req.ip });",
    event,
  );
  assert.equal(result.statusCode, 201);
  assert.equal(result.headers?.["content-type"], "application/json; charset=utf-8");
  assert.equal(result.headers?.["x-a"], "b");
  assert.deepEqual(JSON.parse(result.body ?? ""), {
    method: "POST",
    url: "/items?a=1&a=2&b=x",
    path: "/items",
    query: { a: ["1", "2"], b: "x" },
    body: { n: 1 },
    cookie: "k=v; l=w",
    ip: "127.0.0.1",
  });
});

test("web: the body is read as a stream, as text, as JSON, as bytes", async () => {
  const bytes = Buffer.from([0, 255, 1]);
  const result = await web(
    "const chunks = []; for await (const c of req) chunks.push(c); res.type('bin').send(Buffer.concat(chunks));",
    httpEvent("PUT", "/", { body: bytes.toString("base64"), base64: true }),
  );
  assert.equal(result.isBase64Encoded, true);
  assert.deepEqual(Buffer.from(result.body ?? "", "base64"), bytes);
  const read = await web("res.json([await req.text(), await req.json(), req.rawBody.length])", httpEvent("POST", "/", { body: "[1]" }));
  assert.deepEqual(JSON.parse(read.body ?? ""), ["[1]", [1], 3]);
});

test("web: Node's own ways to answer, cookies, redirects and pipes", async () => {
  const node = await web("res.writeHead(418, { 'Content-Type': 'text/plain' }); res.write('tea'); res.end('pot');", httpEvent("GET", "/"));
  assert.deepEqual([node.statusCode, node.headers?.["content-type"], node.body], [418, "text/plain", "teapot"]);
  const cookies = await web("res.cookie('a', '1', { httpOnly: true }).cookie('b', '2').send('ok');", httpEvent("GET", "/"));
  assert.deepEqual(cookies.cookies, ["a=1; Path=/; HttpOnly", "b=2; Path=/"]);
  const redirect = await web("res.redirect('/there');", httpEvent("GET", "/"));
  assert.deepEqual([redirect.statusCode, redirect.headers?.["location"]], [302, "/there"]);
  const piped = await answer(
    "web",
    "import { Readable } from 'node:stream'; export function handler(req, res) { Readable.from(['x', 'y']).pipe(res); }",
    httpEvent("GET", "/"),
  );
  assert.equal(piped.body, "xy");
});

test("web: next() is 404, next(error) fails the call", async () => {
  assert.equal((await web("next();", httpEvent("GET", "/"))).statusCode, 404);
  const instance = await world.instance(
    { "index.mjs": "export function handler(req, res, next) { next(new TypeError('inside')); }" },
    { handlerStyle: "web" },
  );
  assert.equal(errorOf(await instance.invoke(world.call(httpEvent("GET", "/")))).errorType, "TypeError");
});

for (const [what, code] of [
  ["an async handler", "export async function handler() {}"],
  ["a plain handler", "export function handler() {}"],
] as const) {
  test(`web: ${what} that returns without an answer is 500 Handler.NoResponse at once`, async () => {
    const result = await answer("web", code, httpEvent("GET", "/"));
    assert.equal(result.statusCode, 500);
    assert.equal((JSON.parse(result.body ?? "") as { errorType: string }).errorType, "Handler.NoResponse");
  });
}

test("web: a plain handler may answer from a callback, also beside other calls", async () => {
  for (const concurrencyPerInstance of [1, 4]) {
    const instance = await world.instance(
      { "index.mjs": "export function handler(req, res) { setTimeout(() => res.send('later'), 10); }" },
      { handlerStyle: "web", concurrencyPerInstance },
    );
    const reports = await Promise.all(
      Array.from({ length: concurrencyPerInstance }, () => instance.invoke(world.call(httpEvent("GET", "/")))),
    );
    for (const report of reports) assert.equal((valueOf(report) as HttpResult).body, "later");
  }
});

test("web: an answer over 6,291,456 bytes is Function.ResponseSizeTooLarge", async () => {
  const instance = await world.instance(
    { "index.mjs": "export function handler(req, res) { res.end(Buffer.alloc(6291457)); }" },
    { handlerStyle: "web" },
  );
  assert.equal(errorOf(await instance.invoke(world.call(httpEvent("GET", "/")))).errorType, "Function.ResponseSizeTooLarge");
});

test("web: an event that is no HTTP request is a POST of itself", async () => {
  const result = await web("res.json({ method: req.method, body: req.body });", { any: "thing" });
  assert.deepEqual(JSON.parse(result.body ?? ""), { method: "POST", body: { any: "thing" } });
});

test("fetch: a Request becomes a Response, with cookies and bytes", async () => {
  const code = `export default { async fetch(request) { const h = new Headers({ 'content-type': 'text/plain' }); h.append('set-cookie', 'a=1'); h.append('set-cookie', 'b=2');
    return new Response(request.method + ' ' + request.url + ' ' + await request.text(), { status: 202, headers: h }); } };`;
  const instance = await world.instance({ "index.mjs": code }, { handlerStyle: "fetch", handler: "index.default" });
  const result = valueOf(await instance.invoke(world.call(httpEvent("POST", "/p", { query: "q=1", body: "hi" })))) as HttpResult;
  assert.deepEqual([result.statusCode, result.body, result.cookies], [202, "POST http://hello.localhost/p?q=1 hi", ["a=1", "b=2"]]);
  assert.equal((await answer("fetch", "export const handler = () => undefined;", httpEvent("GET", "/"))).statusCode, 500);
});

test("functions-framework: request and response", async () => {
  const result = await answer(
    "functions-framework",
    "export const handler = (req, res) => { res.send(`Hello ${req.query.name ?? req.body.name}!`); };",
    httpEvent("GET", "/", { query: "name=Ada" }),
  );
  assert.equal(result.body, "Hello Ada!");
});

test("cloudevent: binary, structured, plain and wrapped events", async () => {
  const code = "export const handler = async (event) => event.data.fail ? undefined : [event.id, event.type, event.source, event.data];";
  const binary = httpEvent("POST", "/", {
    headers: { "ce-id": "1", "ce-type": "t", "ce-source": "s", "ce-specversion": "1.0", "content-type": "application/json" },
    body: '{"n":1}',
  });
  const first = await answer("cloudevent", code, binary);
  assert.deepEqual([first.statusCode, JSON.parse(first.body ?? "")], [200, ["1", "t", "s", { n: 1 }]]);
  const event = { specversion: "1.0", id: "2", type: "t", source: "s", data: { n: 2 } };
  const structured = await answer(
    "cloudevent",
    code,
    httpEvent("POST", "/", { headers: { "content-type": "application/cloudevents+json" }, body: JSON.stringify(event) }),
  );
  assert.deepEqual(JSON.parse(structured.body ?? ""), ["2", "t", "s", { n: 2 }]);
  assert.deepEqual(await answer("cloudevent", code, event), ["2", "t", "s", { n: 2 }]);
  assert.equal((await answer("cloudevent", code, httpEvent("POST", "/", { body: "{}" }))).statusCode, 400);
  const wrapped = (await answer("cloudevent", code, { any: 1 })) as unknown as unknown[];
  assert.deepEqual([wrapped[1], wrapped[3]], ["lambent.invocation", { any: 1 }]);
});

test("web: a streamed answer that is cancelled closes the response, as a lost connection would", async () => {
  const code = `const closed = Promise.withResolvers();
export async function handler(req, res) {
  if (req.path === "/wait") return res.send(await closed.promise);
  res.on("close", () => closed.resolve("closed"));
  res.write("one");
  await closed.promise;
}`;
  const instance = await world.instance({ "index.mjs": code }, { handlerStyle: "web", concurrencyPerInstance: 2 });
  const stream = { begin: () => undefined, write: () => true, drained: () => Promise.resolve() };
  const cut = instance.invoke(world.call(httpEvent("GET", "/"), { stream, deadline: systemClock.now() + 100 }));
  const waiting = instance.invoke(world.call(httpEvent("GET", "/wait")));
  assert.equal((await cut).ending.kind, "timedOut");
  assert.equal((valueOf(await waiting) as HttpResult).body, "closed");
});

test("web, fetch: an event that is no HTTP request is answered whole, whoever asks", async () => {
  const stream = { begin: () => assert.fail("nothing is to stream"), write: () => true, drained: () => Promise.resolve() };
  for (const [style, code] of [
    ["web", "export const handler = (req, res) => res.json(req.body);"],
    ["fetch", "export const handler = async (request) => Response.json(await request.json());"],
  ] as const) {
    const instance = await world.instance({ "index.mjs": code }, { handlerStyle: style });
    const result = valueOf(await instance.invoke(world.call({ n: 1 }, { stream }))) as HttpResult;
    assert.deepEqual([result.statusCode, result.body], [200, '{"n":1}']);
  }
});
