import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import { describe, test, type TestContext } from "node:test";
import { deferred, isLambentError } from "../../src/base/index.ts";
import { type ApiHandler, type FunctionUrl, type FunctionUrlHandler, Gateway } from "../../src/gateway/index.ts";
import { send } from "../support/signed-http.ts";

const URL_OF_HELLO = { functionName: "hello", urlId: "abc" } as FunctionUrl;

interface Handlers {
  readonly api?: (request: IncomingMessage, response: ServerResponse, endpoint: string) => Promise<void>;
  readonly functionUrl?: (match: { readonly target: string }, request: IncomingMessage, response: ServerResponse) => Promise<void>;
}

/** The gateway on a free port; what stands behind it answers with its own name. */
async function open(context: TestContext, handlers: Handlers = {}) {
  const defects: unknown[] = [];
  const gateway = new Gateway({
    api: {
      handle: handlers.api ?? (async (_request, response, endpoint) => void response.end(`api ${endpoint}`)),
    } as unknown as ApiHandler,
    functionUrls: {
      handle: handlers.functionUrl ?? (async (match, _request, response) => void response.end(`function ${match.target}`)),
    } as unknown as FunctionUrlHandler,
    findUrl: (name) => (name === "hello" || name === "abc" ? URL_OF_HELLO : undefined),
    browserRules: { allowedHosts: ["lambent"], allowedOrigins: ["https://console.example"] },
    publicText: (path) =>
      path === "/certificate.pem" ? Promise.resolve({ contentType: "application/x-pem-file", text: "a certificate" }) : undefined,
    health: () => ({ status: "running" }),
    reportDefect: (error) => defects.push(error),
  });
  const { port } = await gateway.listen("127.0.0.1", 0);
  context.after(() => gateway.close(Promise.resolve()));
  const url = `http://127.0.0.1:${port}`;
  const get = async (path: string, headers: Record<string, string> = {}) => {
    const { status, body } = await send(url, { method: "GET", path, headers });
    return [status, body.toString()] as const;
  };
  return { gateway, url, port, defects, get };
}

describe("what a request reaches", () => {
  test("is health, a function by path or host, or the API", async (context) => {
    const { get, url } = await open(context);
    assert.deepEqual(await get("/_lambent/health"), [200, '{"status":"running"}']);
    assert.deepEqual(await get("/_localstack/health"), [200, '{"status":"running"}']);
    assert.deepEqual(await get("/function-url/hello/a?b=c"), [200, "function /a?b=c"]);
    assert.deepEqual(await get("/a", { host: "abc.lambda-url.localhost" }), [200, "function /a"]);
    assert.deepEqual(await get("/2015-03-31/functions/"), [200, `api ${url}`]);
  });

  test("is a text that everybody may read, by GET only", async (context) => {
    const { get, url } = await open(context);
    assert.deepEqual(await get("/certificate.pem"), [200, "a certificate"]);
    assert.equal((await send(url, { method: "POST", path: "/certificate.pem" })).body.toString(), `api ${url}`);
  });

  test("is nothing when the URL's name is unknown", async (context) => {
    const { get } = await open(context);
    const [status, body] = await get(`/function-url/${"n".repeat(5_000)}/`);
    assert.equal(status, 404);
    assert.ok(body.length < 300, "a long name is not sent back whole");
  });
});

describe("what a browser may not", () => {
  test("call by a host name that is not this server's, whatever the surface", async (context) => {
    const { get } = await open(context);
    for (const host of ["evil.example", "127.0.0.1.evil.example", "127.0.0.1@evil.example", "lambent.evil.example"]) {
      for (const path of ["/", "/_lambent/health", "/function-url/hello/"]) {
        assert.equal((await get(path, { host }))[0], 403, `${host} ${path}`);
      }
    }
    for (const host of ["localhost:1", "[::1]:4566", "lambent", "x.localhost"]) assert.equal((await get("/", { host }))[0], 200, host);
  });

  test("call the API from a page of another origin; functions decide for themselves", async (context) => {
    const { get } = await open(context);
    for (const headers of [
      { origin: "https://evil.example" },
      { origin: "null" },
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site" },
    ]) {
      assert.equal((await get("/", headers as Record<string, string>))[0], 403, JSON.stringify(headers));
      assert.equal((await get("/function-url/hello/", headers as Record<string, string>))[0], 200, JSON.stringify(headers));
    }
    assert.equal((await get("/", { origin: "https://console.example", "sec-fetch-site": "cross-site" }))[0], 200);
    assert.equal((await get("/", { "sec-fetch-site": "none" }))[0], 200);
  });

  test("do without a Host header, or with an empty one", async (context) => {
    const { port } = await open(context);
    assert.match(await raw(port, "GET / HTTP/1.1\r\nHost:\r\n\r\n"), /^HTTP\/1\.1 403 /);
    assert.match(await raw(port, "GET / HTTP/1.0\r\n\r\n"), /^HTTP\/1\.1 403 /);
    assert.match(await raw(port, "GET / HTTP/1.1\r\n\r\n"), /^HTTP\/1\.1 400 /);
  });
});

describe("P8: bytes that are no request", () => {
  test("are answered with an error and the connection closed; the next one is served", async (context) => {
    const { port, get, defects } = await open(context);
    const broken = [
      "\0\0\0\0\r\n\r\n",
      "GET\r\n\r\n",
      "GET / HTTP/9.9\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: localhost\r\nBad Header: 1\r\n\r\n",
      `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${"x".repeat(40_000)}\r\n\r\n`,
      "CONNECT localhost:22 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ];
    for (const bytes of broken) assert.match(await raw(port, bytes), /^(HTTP\/1\.1 4\d\d |$)/, bytes.slice(0, 60));
    assert.equal((await get("/"))[0], 200);
    assert.deepEqual(defects, []);
  });

  test("a handler's defect costs its connection and is told; the next one is served", async (context) => {
    const bug = new TypeError("a bug");
    let calls = 0;
    const { get, defects } = await open(context, {
      api: async (_request, response) => {
        calls += 1;
        if (calls === 1) throw bug;
        response.end("ok");
      },
    });
    await assert.rejects(get("/"));
    assert.deepEqual(defects, [bug]);
    assert.deepEqual(await get("/"), [200, "ok"]);
  });
});

describe("the listener", () => {
  test("says so when its port is taken", async (context) => {
    const { port } = await open(context);
    const second = new Gateway({} as ConstructorParameters<typeof Gateway>[0]);
    await assert.rejects(second.listen("127.0.0.1", port), (error) => isLambentError(error, "PortTaken"));
  });

  test("when closing takes no new connection, lets a running request end, and closes idle ones", async (context) => {
    const [entered, leave] = [deferred<void>(), deferred<void>()];
    const api = async (_request: IncomingMessage, response: ServerResponse): Promise<void> => {
      entered.resolve();
      await leave.promise;
      response.end("done");
    };
    const { gateway, port } = await open(context, { api });
    const idle = await connected(port);
    const running = await connected(port);
    running.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await entered.promise;
    const closing = gateway.close(new Promise(() => undefined));
    await assert.rejects(connected(port), { code: "ECONNREFUSED" });
    leave.resolve();
    assert.match(await everythingFrom(running), /^HTTP\/1\.1 200 .*done/s);
    idle.end();
    await closing;
  });

  test("at the deadline closes what still runs", async (context) => {
    const [entered, deadline] = [deferred<void>(), deferred<void>()];
    const { gateway, port } = await open(context, { api: async () => entered.resolve() });
    const socket = await connected(port);
    socket.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await entered.promise;
    const closing = gateway.close(deadline.promise);
    deadline.resolve();
    assert.equal(await everythingFrom(socket), "");
    await closing;
  });
});

async function connected(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  return socket;
}

async function everythingFrom(socket: Socket): Promise<string> {
  let text = "";
  socket.setEncoding("latin1").on("data", (piece: string) => (text += piece));
  socket.on("error", () => undefined);
  if (!socket.closed) await once(socket, "close");
  return text;
}

async function raw(port: number, bytes: string): Promise<string> {
  const socket = await connected(port);
  const received = everythingFrom(socket);
  socket.end(bytes);
  return received;
}
