/** Answers of web and fetch handlers through a real function URL: piece by piece where the URL streams, whole where not. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { makeFunction, startServerWithClients, untilUpdated } from "../support/javascript-clients.ts";
import { known } from "./javascript/cases.ts";
import { openUrl } from "./javascript/lambda-settings.ts";

const { clients } = await startServerWithClients();

/** Each answers `first `, then waits for a call of /go in the same instance before it says `last`. */
const GATE = "const gate = Promise.withResolvers();";
const WEB = `${GATE}
export async function handler(req, res) {
  if (req.path === "/go") { gate.resolve(); return res.send("gone"); }
  if (req.path === "/head") { res.status(202).flushHeaders(); await gate.promise; return res.end("late"); }
  if (req.path === "/late-header") { res.write("one "); try { res.set("x-a", "b"); } catch (error) { return res.end(error.code); } }
  if (req.path === "/breaks") { res.write("begun "); throw new RangeError("half way"); }
  if (req.path === "/breaks-first") { res.status(200); throw new RangeError("before a byte"); }
  if (req.path === "/nothing") return;
  if (req.path === "/large") return res.send(Buffer.alloc(9_000_000, 120));
  if (req.path === "/empty") return res.status(204).end();
  if (req.path === "/endless") {
    for (;;) if (!res.write(Buffer.alloc(65_536))) await new Promise((resolve) => res.once("drain", resolve));
  }
  res.status(201).set("x-style", "web").cookie("k", "v");
  res.write("first ");
  await gate.promise;
  res.end("last");
}`;
const FETCH = `${GATE}
export async function handler(request) {
  const { pathname } = new URL(request.url);
  if (pathname === "/go") { gate.resolve(); return new Response("gone"); }
  if (pathname === "/empty") return new Response(null, { status: 204 });
  if (pathname === "/text") return new Response(new ReadableStream({ start(body) { body.enqueue("text"); body.close(); } }));
  const body = new ReadableStream({
    async start(controller) {
      controller.enqueue(new TextEncoder().encode("first "));
      await gate.promise;
      controller.enqueue(new TextEncoder().encode("last"));
      controller.close();
    },
  });
  return new Response(body, { status: 201, headers: { "x-style": "fetch", "set-cookie": "k=v; Path=/" } });
}`;

let made = 0;
/** The address of a new function that takes two calls at once in one instance. */
async function served(style: string, code: string, InvokeMode: "BUFFERED" | "RESPONSE_STREAM"): Promise<string> {
  made += 1;
  const Tags = { "lambent:handler-style": style, "lambent:concurrency": "2" };
  const FunctionName = await makeFunction(clients.lambda, `style-${made}`, { files: { "index.mjs": code }, Tags, Timeout: 20 });
  const { FunctionUrl } = await clients.lambda.createFunctionUrlConfig({ FunctionName, AuthType: "NONE", InvokeMode });
  await openUrl({ stage: clients }, FunctionName);
  return known(FunctionUrl).replace(/\/$/u, "");
}

for (const [style, code] of [
  ["web", WEB],
  ["functions-framework", WEB],
  ["fetch", FETCH],
] as const) {
  test(`${style}: through a URL that streams, the first piece is there while the handler still runs`, async () => {
    const url = await served(style, code, "RESPONSE_STREAM");
    const answer = await fetch(`${url}/`);
    assert.equal(answer.status, 201);
    assert.equal(answer.headers.get("x-style"), style === "fetch" ? "fetch" : "web");
    assert.match(answer.headers.getSetCookie().join(), /^k=v; Path=/u);
    const pieces = known(answer.body ?? undefined).getReader();
    assert.equal(Buffer.from((await pieces.read()).value ?? []).toString(), "first ");
    assert.equal(await (await fetch(`${url}/go`)).text(), "gone");
    assert.equal(Buffer.from((await pieces.read()).value ?? []).toString(), "last");
    assert.equal((await pieces.read()).done, true);
    assert.equal((await fetch(`${url}/empty`)).status, 204);
  });

  test(`${style}: through a URL that does not, the answer comes whole`, async () => {
    const url = await served(style, code, "BUFFERED");
    const answering = fetch(`${url}/`);
    assert.equal(await (await fetch(`${url}/go`)).text(), "gone");
    const answer = await answering;
    assert.deepEqual([answer.status, answer.headers.get("content-length"), await answer.text()], [201, "10", "first last"]);
    assert.equal((await fetch(`${url}/empty`)).status, 204);
  });
}

describe("a streamed answer of a web handler", () => {
  test("has its head before any byte of the body when the handler flushes it", async () => {
    const url = await served("web", WEB, "RESPONSE_STREAM");
    const answer = await fetch(`${url}/head`);
    assert.equal(answer.status, 202);
    await fetch(`${url}/go`);
    assert.equal(await answer.text(), "late");
  });

  test("takes no headers any more, as Node's own does not", async () => {
    const url = await served("web", WEB, "RESPONSE_STREAM");
    assert.equal(await (await fetch(`${url}/late-header`)).text(), "one ERR_HTTP_HEADERS_SENT");
  });

  test("that fails half way is cut; one that fails before its first byte is a 502, one without an answer a 500", async () => {
    const url = await served("web", WEB, "RESPONSE_STREAM");
    const broken = await fetch(`${url}/breaks`);
    assert.equal(broken.status, 200);
    await assert.rejects(broken.text());
    assert.equal((await fetch(`${url}/breaks-first`)).status, 502);
    const none = await fetch(`${url}/nothing`);
    assert.deepEqual([none.status, ((await none.json()) as { errorType: string }).errorType], [500, "Handler.NoResponse"]);
  });

  test("may be larger than one that is buffered", async () => {
    const whole = await served("web", WEB, "BUFFERED");
    assert.equal((await fetch(`${whole}/large`)).status, 502);
    const url = await served("web", WEB, "RESPONSE_STREAM");
    assert.equal((await (await fetch(`${url}/large`)).arrayBuffer()).byteLength, 9_000_000);
  });

  test("is cut at its deadline", async () => {
    const url = await served("web", WEB, "RESPONSE_STREAM");
    const FunctionName = `style-${made}`;
    await clients.lambda.updateFunctionConfiguration({ FunctionName, Timeout: 1 });
    await untilUpdated(clients.lambda, FunctionName);
    await assert.rejects((await fetch(`${url}/endless`)).arrayBuffer());
  });
});

test("a Response whose body is no bytes fails the same, streamed or whole", async () => {
  const streamed = await served("fetch", FETCH, "RESPONSE_STREAM");
  await assert.rejects((await fetch(`${streamed}/text`)).text());
  const whole = await served("fetch", FETCH, "BUFFERED");
  assert.equal((await fetch(`${whole}/text`)).status, 502);
});
