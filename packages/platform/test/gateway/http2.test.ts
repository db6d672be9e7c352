import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import http2, { type ClientHttp2Session, type OutgoingHttpHeaders } from "node:http2";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { pipeline, Readable } from "node:stream";
import { describe, test, type TestContext } from "node:test";
import {
  type ApiHandler,
  createInstanceEndpoint,
  type FunctionUrl,
  type FunctionUrlHandler,
  Gateway,
  type S3Door,
} from "../../src/gateway/index.ts";
import { deferred, ManualClock } from "../../src/base/index.ts";
import type { InstanceCaller } from "../../src/model/index.ts";
import type { Egress } from "../../src/security/index.ts";
import { send } from "../support/signed-http.ts";

const { constants } = http2;
const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

type Handle = (request: IncomingMessage, response: ServerResponse, endpoint: string) => Promise<void>;

const collect = async (request: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(request, "end");
  return Buffer.concat(chunks);
};

/** A gateway whose API says what it was asked. */
async function open(context: TestContext, handle?: Handle) {
  const defects: unknown[] = [];
  const clock = new ManualClock();
  const echo: Handle = async (request, response, endpoint) => {
    const body = await collect(request);
    const text = JSON.stringify({ endpoint, method: request.method, url: request.url, host: request.headers.host, bytes: body.length });
    response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(text) }).end(text);
  };
  const gateway = new Gateway({
    api: { handle: handle ?? echo } as unknown as ApiHandler,
    s3: {
      door: { telling: (request: IncomingMessage) => (request.headers["x-for"] === "s3" ? "s3" : "other") } as unknown as S3Door,
      clock,
    },
    functionUrls: { handle: async () => undefined } as unknown as FunctionUrlHandler,
    findUrl: (name) => (name === "hello" ? ({ functionName: "hello", urlId: "abc" } as FunctionUrl) : undefined),
    browserRules: { allowedHosts: [], allowedOrigins: [] },
    health: () => ({ status: "running" }),
    reportDefect: (error) => defects.push(error),
  });
  const { port } = await gateway.listen("127.0.0.1", 0);
  const closing = deferred<void>();
  context.after(async () => {
    closing.resolve();
    await gateway.close(closing.promise);
  });
  return { gateway, port, url: `http://127.0.0.1:${port}`, defects, clock };
}

function session(context: TestContext, url: string): ClientHttp2Session {
  // A client counts what it sends as memory of its session.
  const client = http2.connect(url, { maxSessionMemory: 64 });
  client.on("error", () => undefined);
  context.after(() => client.destroy());
  return client;
}

interface Answer {
  readonly status: number;
  readonly body: string;
  /** What the stream was closed with. */
  readonly code: number;
}

async function ask(client: ClientHttp2Session, headers: OutgoingHttpHeaders, body?: Buffer): Promise<Answer> {
  const stream = client.request(headers, { endStream: body === undefined });
  let status = 0;
  const chunks: Buffer[] = [];
  stream.on("response", (received) => (status = Number(received[":status"])));
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  stream.on("error", () => undefined);
  if (body) stream.end(body);
  await new Promise((resolve) => stream.once("close", resolve));
  return { status, body: Buffer.concat(chunks).toString(), code: stream.rstCode };
}

/** A frame's nine bytes and what it holds. */
function frame(type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}
const SETTINGS = frame(4, 0, 0);
/** `:method GET`, `:scheme http`, `:path /` from the static table, `:authority localhost` in full. */
const HEAD = Buffer.concat([Buffer.from([0x82, 0x86, 0x84, 0x41, 9]), Buffer.from("localhost")]);

async function raw(context: TestContext, port: number): Promise<{ socket: Socket; closed: Promise<unknown> }> {
  const socket = connect(port, "127.0.0.1");
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.on("error", () => undefined).resume();
  context.after(() => socket.destroy());
  await once(socket, "connect");
  return { socket, closed };
}

describe("HTTP/2 with prior knowledge on the port of HTTP/1.1", () => {
  test("reaches the API: many requests on one connection, with bodies whose length is told or not", async (context) => {
    const { url, port } = await open(context);
    const client = session(context, url);
    const answers = await Promise.all([
      ask(client, { ":path": "/" }),
      ask(client, { ":path": "/a?b=c", ":method": "POST", "content-length": 3 }, Buffer.from("abc")),
      ask(client, { ":path": "/large", ":method": "POST" }, Buffer.alloc(12 * 1024 * 1024)),
    ]);
    const host = `127.0.0.1:${port}`;
    assert.deepEqual(
      answers.map(({ status, body }) => [status, JSON.parse(body)]),
      [
        [200, { endpoint: url, method: "GET", url: "/", host, bytes: 0 }],
        [200, { endpoint: url, method: "POST", url: "/a?b=c", host, bytes: 3 }],
        [200, { endpoint: url, method: "POST", url: "/large", host, bytes: 12 * 1024 * 1024 }],
      ],
    );
    assert.equal((await ask(client, { ":path": "/_lambent/health" })).body, '{"status":"running"}');
    assert.equal((await send(url, { method: "GET", path: "/" })).status, 200);
  });

  test("is known by a preface that comes byte by byte, and not by one behind a request", async (context) => {
    const { port } = await open(context);
    const slow = await raw(context, port);
    const settings = once(slow.socket.pause(), "readable");
    for (const byte of Buffer.concat([PREFACE, SETTINGS])) await new Promise((sent) => slow.socket.write(Buffer.of(byte), sent));
    await settings;
    assert.equal((slow.socket.read() as Buffer)[3], 4, "the first frame of an answer is SETTINGS");

    const smuggled = await raw(context, port);
    const chunks: Buffer[] = [];
    smuggled.socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    smuggled.socket.write(Buffer.concat([Buffer.from("GET /_lambent/health HTTP/1.1\r\nhost: localhost\r\n\r\n"), PREFACE, SETTINGS]));
    await smuggled.closed;
    assert.match(Buffer.concat(chunks).toString("latin1"), /^HTTP\/1\.1 (200|400) /);
  });

  test("sends back to HTTP/1.1 what is a function's or S3's, and refuses hosts that are not this server's", async (context) => {
    const { url } = await open(context);
    const client = session(context, url);
    const { NGHTTP2_HTTP_1_1_REQUIRED } = constants;
    assert.equal((await ask(client, { ":path": "/function-url/hello/" })).code, NGHTTP2_HTTP_1_1_REQUIRED);
    assert.equal((await ask(client, { ":path": "/bucket/key", "x-for": "s3" })).code, NGHTTP2_HTTP_1_1_REQUIRED);
    assert.equal((await ask(client, { ":path": "/", ":authority": "evil.example" })).status, 403);
    assert.equal((await ask(client, { ":path": "/", origin: "https://evil.example" })).status, 403);
  });

  test("streams an answer, and tells it that its reader left", async (context) => {
    const left = deferred<boolean>();
    const { url, defects } = await open(context, async (_request, response) => {
      const endless = Readable.from(
        (async function* () {
          for (;;) yield await new Promise<Buffer>((resolve) => setImmediate(() => resolve(Buffer.alloc(1_000))));
        })(),
        { objectMode: false },
      );
      response.writeHead(200);
      response.once("close", () => left.resolve(response.closed && response.destroyed));
      pipeline(endless, response, () => undefined);
    });
    const stream = session(context, url).request({ ":path": "/" });
    await once(stream, "data");
    stream.close(constants.NGHTTP2_CANCEL);
    assert.equal(await left.promise, true);
    assert.deepEqual(defects, []);
  });

  test("gives up a body that does not come to its end", async (context) => {
    const arrived = deferred<void>();
    const { url, clock } = await open(context, async (request, response) => {
      arrived.resolve();
      await collect(request).then(
        () => response.end(),
        () => undefined,
      );
    });
    const stream = session(context, url).request({ ":path": "/", ":method": "POST" });
    stream.on("error", () => undefined);
    stream.write("a");
    await arrived.promise;
    const closed = new Promise((resolve) => stream.once("close", resolve));
    await clock.advance(300_000);
    await closed;
    assert.equal(stream.rstCode, constants.NGHTTP2_CANCEL);
  });

  test("lets requests end when the server stops, and takes no more", async (context) => {
    const [arrived, release] = [deferred<void>(), deferred<void>()];
    const { url, gateway } = await open(context, async (_request, response) => {
      arrived.resolve();
      await release.promise;
      response.end("done");
    });
    const client = session(context, url);
    const idle = session(context, url);
    await once(idle, "remoteSettings");
    const answer = ask(client, { ":path": "/" });
    await arrived.promise;
    const closed = gateway.close(deferred<void>().promise);
    await once(idle, "close");
    release.resolve();
    assert.equal((await answer).body, "done");
    await closed;
  });
});

test("an instance reaches the API by HTTP/2 on its own listener, as itself", async (context) => {
  const caller = { version: { name: "worker" } } as InstanceCaller;
  const api = {
    handle: async (_request: IncomingMessage, response: ServerResponse, endpoint: string, from: InstanceCaller) =>
      void response.end(`${from.version.name} ${endpoint}`),
  } as unknown as ApiHandler;
  const endpoint = createInstanceEndpoint({ api, egress: {} as Egress });
  const listener = createServer();
  const served = endpoint.serveApi(listener, caller);
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const url = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;
  const client = session(context, url);
  assert.equal((await ask(client, { ":path": "/" })).body, `worker ${url}`);
  assert.equal((await send(url, { path: "/" })).body.toString(), `worker ${url}`);
  const closed = new Promise((resolve) => client.once("close", resolve));
  served.close();
  listener.close();
  await closed;
});

describe("P8: a client of HTTP/2 that does harm", () => {
  /** Writes until the server has enough, or everything is written. */
  const flood = async (context: TestContext, port: number, bytes: Buffer, times: number): Promise<void> => {
    const { socket, closed } = await raw(context, port);
    socket.write(Buffer.concat([PREFACE, SETTINGS]));
    let isOpen = true;
    void closed.then(() => (isOpen = false));
    for (let index = 0; index < times && isOpen; index += 1) {
      if (!socket.write(bytes)) await Promise.race([once(socket, "drain").catch(() => undefined), closed]);
    }
    await closed;
  };
  const repeat = (one: (index: number) => Buffer, count: number): Buffer =>
    Buffer.concat(Array.from({ length: count }, (_, index) => one(index)));

  const harm: Readonly<Record<string, readonly [bytes: Buffer, times: number]>> = {
    "requests taken back as soon as they are sent": [
      repeat((index) => Buffer.concat([frame(1, 5, 2 * index + 1, HEAD), frame(3, 0, 2 * index + 1, Buffer.of(0, 0, 0, 8))]), 4_000),
      1,
    ],
    "more settings than a frame may have": [
      frame(
        4,
        0,
        0,
        repeat(() => Buffer.of(0, 3, 0, 0, 0, 1), 1_000),
      ),
      1,
    ],
    "a head that does not end": [Buffer.concat([frame(1, 0, 1, HEAD), repeat(() => frame(9, 0, 1, Buffer.alloc(0)), 2_000)]), 20],
    "a frame that is larger than any may be": [frame(0, 0, 1, Buffer.alloc(70_000)), 1],
    "frames of streams that never were": [repeat(() => frame(3, 0, 9, Buffer.of(0, 0, 0, 8)), 2_000), 1],
    "bytes that are no frames": [Buffer.alloc(20_000, 0x58), 1],
    "settings without end, whose answers it does not read": [repeat(() => SETTINGS, 4_000), 200],
  };
  for (const [what, [bytes, times]] of Object.entries(harm)) {
    test(`costs itself its connection: ${what}`, async (context) => {
      const { port, url, defects } = await open(context);
      const beside = session(context, url);
      assert.equal((await ask(beside, { ":path": "/" })).status, 200);
      await flood(context, port, bytes, times);
      assert.equal((await ask(beside, { ":path": "/" })).status, 200);
      assert.equal((await send(url, { method: "GET", path: "/" })).status, 200);
      assert.deepEqual(defects, []);
    });
  }

  test("has its headers and its streams bounded", async (context) => {
    const { url } = await open(context, async (request, response) => {
      await collect(request).catch(() => undefined);
      response.end();
    });
    const client = session(context, url);
    await once(client, "remoteSettings");
    assert.equal(client.remoteSettings.maxConcurrentStreams, 128);
    const large = await ask(client, { ":path": "/", "x-large": "x".repeat(60_000) });
    assert.notEqual(large.status, 200);
  });
});

describe("P8: what is neither", () => {
  test("is answered as Node answers it where nobody listens", async (context) => {
    const { port } = await open(context);
    const answer = async (bytes: string): Promise<string> => {
      const { socket, closed } = await raw(context, port);
      let text = "";
      socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
      socket.write(bytes);
      await closed;
      return text.split("\r\n", 1)[0] ?? "";
    };
    assert.equal(await answer("PRI * HTTP/2.1\r\n\r\n"), "HTTP/1.1 400 Bad Request");
    assert.equal(await answer("PRI /x HTTP/1.1\r\nhost: localhost\r\n\r\n"), "HTTP/1.1 400 Bad Request");
    assert.equal(
      await answer(`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${"x".repeat(40_000)}\r\n\r\n`),
      "HTTP/1.1 431 Request Header Fields Too Large",
    );
  });
});
