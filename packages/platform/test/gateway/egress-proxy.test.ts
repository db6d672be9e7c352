import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request, type Server as HttpServer } from "node:http";
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from "node:net";
import { describe, test, type TestContext } from "node:test";
import { deferred } from "../../src/base/index.ts";
import { createEgressProxy, EGRESS_CONNECTIONS_MAX } from "../../src/gateway/egress-proxy.ts";
import { createEgress, type Egress, type OpenedDestination } from "../../src/security/index.ts";
import { type HttpReply, send } from "../support/signed-http.ts";

/** Refusals and endings, on this machine's loopback; the way to a public address is shown in egress-namespaces.test.ts. */

const NAMES: Readonly<Record<string, readonly string[]>> = {
  "private.test": ["10.1.2.3"],
  "mixed.test": ["8.8.4.4", "127.0.0.1"],
  "mapped.test": ["::ffff:127.0.0.1"],
  "metadata.test": ["169.254.169.254"],
  "own.test": ["8.8.4.1"],
  "here.test": ["127.0.0.1"],
};

async function proxy(context: TestContext, opened: readonly OpenedDestination[] = [], changed: Partial<Egress> = {}): Promise<string> {
  const egress = createEgress({
    opened,
    ownAddresses: () => new Set(["8.8.4.1"]),
    lookup: async (host) => NAMES[host] ?? assert.fail("no such name"),
  });
  return await listen(context, createEgressProxy({ ...egress, ...changed }));
}

async function listen(context: TestContext, server: HttpServer): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const get = (proxyUrl: string, url: string, headers: Record<string, string> = {}): Promise<HttpReply> =>
  send(proxyUrl, { method: "GET", path: url, headers });

/** The status of a CONNECT, and the tunnel when there is one. */
async function tunnel(proxyUrl: string, authority: string): Promise<{ readonly status: number; readonly socket: Socket }> {
  const outgoing = request(proxyUrl, { method: "CONNECT", path: authority, agent: false });
  outgoing.end();
  const [answer, socket] = (await once(outgoing, "connect")) as [{ statusCode: number }, Socket];
  socket.on("error", () => undefined);
  return { status: answer.statusCode, socket };
}

const REFUSED_HOSTS = [
  "127.0.0.1", "localhost.invalid", "10.0.0.1", "192.168.1.1", "172.16.0.1", "100.64.0.1", "169.254.169.254", "0.0.0.0", "224.0.0.1", "192.0.2.1",
  "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[fe80::1]", "[fc00::1]", "8.8.4.1",
  ...Object.keys(NAMES),
]; // prettier-ignore

describe("P3: the way out of an instance", () => {
  test("is closed to everything that is not a public address, by HTTP and by CONNECT", async (context) => {
    const url = await proxy(context);
    for (const host of REFUSED_HOSTS) {
      const reply = await get(url, `http://${host}/`);
      assert.equal(reply.status, 403, host);
      const { status, socket } = await tunnel(url, `${host}:443`);
      assert.equal(status, 403, host);
      socket.destroy();
    }
  });

  test("says which name leads to which address", async (context) => {
    const url = await proxy(context);
    assert.equal(
      (await get(url, "http://mixed.test/")).body.toString(),
      "mixed.test resolves to 127.0.0.1, which is not a public address.",
    );
  });

  test("sees through other spellings of loopback", async (context) => {
    const url = await proxy(context);
    for (const host of ["2130706433", "0x7f.1", "0177.0.0.1", "127.1", "[0:0:0:0:0:0:0:1]"]) {
      assert.equal((await get(url, `http://${host}/`)).status, 403, host);
    }
    for (const authority of ["2130706433:80", "127.1:80"]) {
      const { status, socket } = await tunnel(url, authority);
      assert.equal(status, 403, authority);
      socket.destroy();
    }
  });

  test("takes only the absolute http form and host:port", async (context) => {
    const url = await proxy(context);
    for (const target of ["/", "/latest/meta-data", "ftp://8.8.4.4/", "https://8.8.4.4/", "http://", "*"]) {
      const reply = await send(url, { method: target === "*" ? "OPTIONS" : "GET", path: target });
      assert.equal(reply.status, 400, target);
    }
    for (const authority of ["8.8.4.4", "8.8.4.4:http", "8.8.4.4:123456", ":443", "a:b:443"]) {
      const { status, socket } = await tunnel(url, authority);
      assert.equal(status, 400, authority);
      socket.destroy();
    }
  });

  test("is opened to one address and port, or a network, by configuration only", async (context) => {
    const upstream = await listen(
      context,
      createServer((incoming, outgoing) => outgoing.end(`${incoming.method} ${incoming.url} ${incoming.headers.host}`)),
    );
    const port = Number(new URL(upstream).port);
    const url = await proxy(context, [{ kind: "hostPort", host: "here.test", port }]);
    assert.equal((await get(url, `http://here.test:${port}/a?b`)).body.toString(), `GET /a?b here.test:${port}`);
    assert.equal((await get(url, `http://here.test:${port + 1}/`)).status, 403);
    assert.equal((await get(url, `http://127.0.0.1:${port}/`)).status, 403, "opened by name, not by address");
    const wide = await proxy(context, [{ kind: "network", address: "127.0.0.0", prefix: 8 }]);
    assert.equal((await get(wide, `http://127.0.0.1:${port}/`)).status, 200);
  });
});

describe("what passes through", () => {
  const opened: readonly OpenedDestination[] = [{ kind: "network", address: "127.0.0.0", prefix: 8 }];

  test("P8: an answer whose status is none is 502 to the function, and the proxy goes on", async (context) => {
    const odd = createTcpServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () => socket.end("HTTP/1.1 099 Odd\r\ncontent-length: 2\r\n\r\nhi"));
    }).listen(0, "127.0.0.1");
    await once(odd, "listening");
    context.after(() => void odd.close());
    const { port } = odd.address() as AddressInfo;
    const url = await proxy(context, [{ kind: "hostPort", host: "127.0.0.1", port }]);
    for (let asked = 0; asked < 2; asked++) assert.equal((await get(url, `http://127.0.0.1:${port}/`)).status, 502);
  });

  test("has the headers of the hop taken off and the destination's own host", async (context) => {
    let seen: Record<string, unknown> = {};
    const upstream = await listen(
      context,
      createServer((incoming, outgoing) => {
        seen = incoming.headers;
        outgoing.writeHead(207, { "x-answer": "1", "set-cookie": ["a=1", "b=2"] }).end("body");
      }),
    );
    const url = await proxy(context, opened);
    const reply = await get(url, `${upstream}/`, {
      host: "another.test",
      "proxy-authorization": "secret",
      "proxy-connection": "keep-alive",
      te: "trailers",
      "x-own": "1",
    });
    assert.deepEqual(
      [reply.status, reply.headers["x-answer"], reply.headers["set-cookie"], reply.body.toString()],
      [207, "1", ["a=1", "b=2"], "body"],
    );
    assert.deepEqual(
      [seen.host, seen["x-own"], seen["proxy-authorization"], seen["proxy-connection"], seen.te],
      [new URL(upstream).host, "1", undefined, undefined, undefined],
    );
  });

  test("goes to the address that was checked: the name is looked up once", async (context) => {
    const upstream = await listen(
      context,
      createServer((_incoming, outgoing) => outgoing.end("reached")),
    );
    const port = Number(new URL(upstream).port);
    let lookups = 0;
    const egress = createEgress({
      opened: [{ kind: "network", address: "127.0.0.1", prefix: 32 }],
      lookup: async () => [++lookups === 1 ? "127.0.0.1" : "127.0.0.2"],
    });
    const url = await listen(context, createEgressProxy(egress));
    assert.equal((await get(url, `http://rebinding.test:${port}/`)).body.toString(), "reached");
    assert.equal(lookups, 1);
    assert.equal((await get(url, `http://rebinding.test:${port}/`)).status, 403, "the next request is checked anew");
  });

  test("is 502 when nobody answers there", async (context) => {
    const gone = createTcpServer().listen(0, "127.0.0.1");
    await once(gone, "listening");
    const { port } = gone.address() as AddressInfo;
    gone.close();
    const url = await proxy(context, opened);
    assert.equal((await get(url, `http://127.0.0.1:${port}/`)).status, 502);
    const { status, socket } = await tunnel(url, `127.0.0.1:${port}`);
    assert.equal(status, 502);
    socket.destroy();
  });

  test("that breaks off half way breaks off for the function too", async (context) => {
    const upstream = await listen(
      context,
      createServer((_incoming, outgoing) => {
        outgoing.writeHead(200, { "content-length": "100" });
        outgoing.write("half", () => outgoing.destroy());
      }),
    );
    const url = await proxy(context, opened);
    await assert.rejects(get(url, `${upstream}/`), { code: "ECONNRESET" });
  });

  test("by a tunnel is passed on unread, with what came behind the CONNECT, and ends at both ends", async (context) => {
    const ended = deferred<void>();
    const echo = createTcpServer((socket) =>
      socket
        .on("error", () => undefined)
        .on("close", () => ended.resolve())
        .pipe(socket),
    ).listen(0, "127.0.0.1");
    await once(echo, "listening");
    context.after(() => echo.close());
    const { port } = echo.address() as AddressInfo;
    const url = await proxy(context, opened);
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    socket.write(`CONNECT 127.0.0.1:${port} HTTP/1.1\r\nHost: x\r\n\r\n\0early`);
    let received = "";
    socket.setEncoding("latin1").on("data", (piece: string) => (received += piece));
    while (!received.endsWith("early")) await once(socket, "data");
    assert.match(received, /^HTTP\/1\.1 200 Connection Established\r\n\r\n\0early$/);
    socket.destroy();
    await ended.promise;
  });

  test("P7: at the bound of connections the next one is told so, and has its turn when one ends", async (context) => {
    const sockets: Socket[] = [];
    const hold = createTcpServer((socket) => void sockets.push(socket.on("error", () => undefined))).listen(0, "127.0.0.1");
    await once(hold, "listening");
    context.after(() => {
      for (const socket of sockets) socket.destroy();
      hold.close();
    });
    const { port } = hold.address() as AddressInfo;
    const url = await proxy(context, opened);
    const tunnels = await Promise.all(Array.from({ length: EGRESS_CONNECTIONS_MAX }, () => tunnel(url, `127.0.0.1:${port}`)));
    assert.ok(tunnels.every(({ status }) => status === 200));
    assert.equal((await tunnel(url, `127.0.0.1:${port}`)).status, 503);
    assert.equal((await get(url, `http://127.0.0.1:${port}/`)).status, 503, "plain requests count as well");
    const one = tunnels.pop()?.socket ?? assert.fail();
    one.destroy();
    let status = 503;
    // The proxy hears of the end when its socket closes; until then it may still refuse.
    for (let tries = 0; status === 503 && tries < 200; tries++) status = (await tunnel(url, `127.0.0.1:${port}`)).status;
    assert.equal(status, 200);
    for (const { socket } of tunnels) socket.destroy();
  });

  test("is not even begun for a function that left while its name was looked up", async (context) => {
    const reached = deferred<void>();
    const upstream = createTcpServer(() => reached.resolve()).listen(0, "127.0.0.1");
    await once(upstream, "listening");
    context.after(() => upstream.close());
    const { port } = upstream.address() as AddressInfo;
    const [asked, answer] = [deferred<void>(), deferred<void>()];
    const resolvePinned = async () => {
      asked.resolve();
      await answer.promise;
      return { address: "127.0.0.1", family: 4 } as const;
    };
    const server = createEgressProxy({ resolvePinned });
    const url = await listen(context, server);
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    const left = new Promise((resolve) => server.once("connection", (taken: Socket) => taken.once("close", resolve)));
    socket.write(`CONNECT 127.0.0.1:${port} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await asked.promise;
    socket.resetAndDestroy();
    await left;
    answer.resolve();
    // A connection begun now would arrive before one that is made after it.
    const probe = connect(port, "127.0.0.1");
    await reached.promise;
    probe.destroy();
    assert.equal(await new Promise((resolve) => upstream.getConnections((_error, count) => resolve(count))), 1);
    upstream.unref();
  });
});
