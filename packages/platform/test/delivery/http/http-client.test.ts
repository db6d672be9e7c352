import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import type { AddressInfo } from "node:net";
import { describe, test, type TestContext } from "node:test";
import { type Deferred, deferred, LambentError } from "../../../src/base/index.ts";
import { HTTP_CALLS_MAX, HTTP_IDLE_CONNECTIONS_MAX } from "../../../src/delivery/http/http-client.ts";
import type { HttpEnding } from "../../../src/delivery/index.ts";
import { selfSigned } from "../../gateway/egress-world/self-signed.ts";
import { listen, listenRaw, openClient, testEgress } from "./world.ts";

const failure = (ending: HttpEnding): string => (ending.kind === "failed" ? ending.why : `${ending.kind}`);
const status = (ending: HttpEnding): number | undefined => (ending.kind === "answered" ? ending.status : undefined);

describe("a call over HTTP", () => {
  test("carries method, path, headers and body, and ends as what was answered", async (context) => {
    const endpoint = await listen(context, (_received, response) => void response.writeHead(201, { "x-seen": "yes" }).end("made"));
    const { call } = openClient(context);
    const ending = await call(`${endpoint.url}/a/b?c=d`, { method: "PUT", headers: { "x-a": "1" }, body: Buffer.from("hello") });
    assert.ok(ending.kind === "answered");
    assert.deepEqual([ending.status, ending.headers["x-seen"], ending.body.toString(), ending.whole], [201, "yes", "made", true]);
    const [received] = endpoint.received;
    assert.deepEqual([received?.method, received?.path, received?.body, received?.headers["x-a"]], ["PUT", "/a/b?c=d", "hello", "1"]);
    assert.deepEqual([received?.headers.host, received?.headers["content-length"]], [`127.0.0.1:${endpoint.port}`, "5"]);
  });

  test("goes to the address that was checked, under the name that was asked for, which is resolved once", async (context) => {
    const endpoint = await listen(context);
    const egress = testEgress({ "api.test": [["127.0.0.1"]] });
    const { call } = openClient(context, egress);
    assert.equal(status(await call(`http://api.test:${endpoint.port}/`)), 200);
    assert.equal(endpoint.received[0]?.headers.host, `api.test:${endpoint.port}`);
    assert.deepEqual(egress.asked, ["api.test"]);
  });

  test("tries the next address of a name when nobody listens on the first", async (context) => {
    const endpoint = await listen(context);
    const { call } = openClient(
      context,
      testEgress({ "both.test": [["127.0.0.2", "127.0.0.1"]], "none.test": [["127.0.0.2", "127.0.0.3"]] }),
    );
    assert.equal(status(await call(`http://both.test:${endpoint.port}/`)), 200);
    assert.equal(failure(await call(`http://none.test:${endpoint.port}/`)), "unreachable");
  });

  test("that is redirected ends as that answer; nothing is followed", async (context) => {
    const other = await listen(context);
    const endpoint = await listen(context, (_received, response) => void response.writeHead(307, { location: other.url }).end());
    const { call } = openClient(context);
    assert.equal(status(await call(endpoint.url)), 307);
    assert.deepEqual(other.received, []);
  });

  test("uses a connection again, and a new one when the kept one ends under the request", async (context) => {
    const endpoint = await listen(context);
    let connections = 0;
    endpoint.server.on("connection", () => (connections += 1));
    const { call } = openClient(context);
    await call(endpoint.url);
    await call(endpoint.url);
    assert.equal(connections, 1);
    // What a server does that lets go of an idle connection just as the next request arrives.
    const dropping = await listenRaw(context, (socket) => {
      let requests = 0;
      socket.on("data", () => (++requests > 1 ? socket.destroy() : socket.write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")));
    });
    for (let round = 0; round < 3; round += 1) assert.equal(status(await call(dropping.url)), 200, `round ${round}`);
  });

  test("that cannot be written is refused before anything is sent", async (context) => {
    const endpoint = await listen(context);
    const { call } = openClient(context);
    assert.equal(failure(await call(endpoint.url, { headers: { "x-a": "a\r\nx-b: c" } })), "invalid");
    assert.equal(failure(await call(endpoint.url, { headers: { "x a": "b" } })), "invalid");
    assert.equal(failure(await call(endpoint.url, { path: "/a b" })), "invalid");
    assert.deepEqual(endpoint.received, []);
  });
});

describe("P8: an endpoint", () => {
  test("that hangs without an answer, within its headers, or within its body, is given up at the deadline, and its connection closed", async (context) => {
    for (const begun of ["", "HTTP/1.1 200 OK\r\nx-a:", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc"]) {
      const asked = deferred<Socket>();
      const { url } = await listenRaw(context, (socket) => {
        socket.once("data", () => {
          socket.write(begun);
          asked.resolve(socket);
        });
      });
      const { call, clock } = openClient(context);
      const calling = call(url);
      const socket = await asked.promise;
      const closed = once(socket, "close");
      await clock.advance(4_999);
      await clock.advance(1);
      assert.equal(failure(await calling), "timedOut", JSON.stringify(begun));
      await closed;
    }
  });

  test("whose name is not resolved in time is given up", async (context) => {
    const { call, clock } = openClient(context, { ...testEgress(), resolveAll: () => new Promise(() => undefined) });
    const calling = call("http://slow.test/");
    await clock.advance(5_000);
    assert.equal(failure(await calling), "timedOut");
  });

  test("that answers garbage, endless headers, or another protocol, is told from one that answers", async (context) => {
    const answers = [
      "\0\x01\x02garbage\r\n\r\n",
      "SSH-2.0-OpenSSH_9.6\r\n",
      "HTTP/1.1 abc OK\r\n\r\n",
      `HTTP/1.1 200 OK\r\nx: ${"y".repeat(100_000)}\r\n\r\n`,
      "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    ];
    for (const answer of answers) {
      const { url } = await listenRaw(context, (socket) => socket.once("data", () => socket.end(answer)));
      const { call } = openClient(context);
      assert.equal(failure(await call(url)), "garbled", answer.slice(0, 60));
    }
  });

  test("that closes before its answer, or within it, has not answered", async (context) => {
    for (const answer of [
      "",
      "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc",
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n",
    ]) {
      const { url } = await listenRaw(context, (socket) => socket.once("data", () => socket.end(answer)));
      const { call } = openClient(context);
      assert.equal(failure(await call(url)), "broken", JSON.stringify(answer));
    }
  });

  test("that answers without end has answered, and is not listened to further", async (context) => {
    const closed = deferred<void>();
    const { url } = await listenRaw(context, (socket) => {
      const more = (): void => void (!socket.destroyed && socket.write("x".repeat(65_536), more));
      socket.once("data", () => socket.write("HTTP/1.1 200 OK\r\n\r\n", more));
      socket.once("close", () => closed.resolve());
    });
    const { call } = openClient(context);
    const ending = await call(url);
    assert.ok(ending.kind === "answered");
    assert.deepEqual([ending.status, ending.whole, ending.body.length], [200, false, 1_000]);
    await closed.promise;
  });

  test("whose port is closed, or whose name has no address, is unreachable", async (context) => {
    const endpoint = await listen(context);
    endpoint.server.close();
    await once(endpoint.server, "close");
    const { call } = openClient(context);
    assert.equal(failure(await call(endpoint.url)), "unreachable");
    assert.equal(failure(await call("http://unknown.test/")), "unreachable");
  });
});

describe("addresses that may not be reached", () => {
  test("are refused, given as such or by a name, also by one that was allowed the time before", async (context) => {
    const endpoint = await listen(context);
    const names = {
      "private.test": [["10.1.2.3"]],
      "metadata.test": [["169.254.169.254"]],
      "mixed.test": [["127.0.0.1", "192.168.0.1"]],
      "changing.test": [["127.0.0.1"], ["10.0.0.1"], ["169.254.169.254"]],
    };
    const { call } = openClient(context, testEgress(names));
    const hosts = [
      "10.0.0.1",
      "192.168.1.1",
      "172.16.0.1",
      "169.254.169.254",
      "0.0.0.0",
      "[fe80::1]",
      "[fc00::1]",
      "2130706433.test",
      "0xa9fea9fe",
    ];
    for (const host of [...hosts, "private.test", "metadata.test", "mixed.test"]) {
      const expected = host === "2130706433.test" ? "unreachable" : "refused";
      assert.equal(failure(await call(`http://${host}:${endpoint.port}/`)), expected, host);
    }
    assert.equal(status(await call(`http://changing.test:${endpoint.port}/`)), 200);
    assert.equal(failure(await call(`http://changing.test:${endpoint.port}/`)), "refused");
    assert.equal(failure(await call(`http://changing.test:${endpoint.port}/`)), "refused");
    assert.equal(endpoint.received.length, 1);
  });
});

describe("a call over TLS", () => {
  async function listenTls(context: TestContext, certificateName: string) {
    const { key, certificate } = selfSigned(certificateName);
    const asked: (string | false | null)[] = [];
    const server = createTlsServer({ key, cert: certificate }, (socket: TLSSocket) => {
      asked.push(socket.servername);
      socket.on("error", () => undefined);
      socket.on("data", () => socket.write("HTTP/1.1 204 No Content\r\n\r\n"));
    });
    server.on("tlsClientError", () => undefined);
    const sockets = new Set<Socket>();
    server.on("connection", (socket: Socket) => sockets.add(socket));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    context.after(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return { certificate, asked, port: (server.address() as AddressInfo).port };
  }

  test("asks for the name, and takes only a certificate of it that an authority vouches for", async (context) => {
    const { certificate, asked, port } = await listenTls(context, "api.test");
    const names = () => testEgress({ "api.test": [["127.0.0.1"]], "other.test": [["127.0.0.1"]] });
    const { call } = openClient(context, names(), [certificate]);
    assert.equal(status(await call(`https://api.test:${port}/`)), 204);
    assert.deepEqual(asked, ["api.test"]);
    assert.equal(failure(await call(`https://other.test:${port}/`)), "unreachable");
    assert.equal(failure(await call(`https://127.0.0.1:${port}/`)), "unreachable");
    const strangers = openClient(context, names());
    assert.equal(failure(await strangers.call(`https://api.test:${port}/`)), "unreachable");
  });

  test("to an endpoint without TLS is unreachable", async (context) => {
    const endpoint = await listen(context);
    const { call } = openClient(context, testEgress({ "api.test": [["127.0.0.1"]] }));
    assert.equal(failure(await call(`https://api.test:${endpoint.port}/`)), "unreachable");
  });
});

describe("P7: a client", () => {
  test("has a bound of calls under way, and of idle connections to all endpoints together", async (context) => {
    const held: (() => void)[] = [];
    let full = deferred<void>();
    let connections = 0;
    const endpoints = await Promise.all(
      ["left", "right"].map(() =>
        listen(context, (_received, response) => {
          held.push(() => response.end());
          if (held.length === HTTP_CALLS_MAX) full.resolve();
        }),
      ),
    );
    for (const { server } of endpoints) server.on("connection", () => (connections += 1));
    const { call } = openClient(context);
    const callAll = async (): Promise<void> => {
      const calls = Array.from({ length: HTTP_CALLS_MAX }, (_, index) => call(endpoints[index % 2]?.url ?? ""));
      await full.promise;
      assert.deepEqual(await call(endpoints[0]?.url ?? ""), { kind: "busy" });
      full = deferred<void>();
      for (const answer of held.splice(0)) answer();
      for (const ending of await Promise.all(calls)) assert.equal(status(ending), 200);
    };
    await callAll();
    assert.equal(connections, HTTP_CALLS_MAX);
    await callAll();
    // What was not kept had to be opened again.
    assert.ok(connections >= 2 * HTTP_CALLS_MAX - HTTP_IDLE_CONNECTIONS_MAX, `${connections} connections`);
    assert.ok(connections < 2 * HTTP_CALLS_MAX, "some were used again");
  });

  test("counts names that are looked up for nobody among its calls", async (context) => {
    const lookups: Deferred<never>[] = [];
    const resolveAll = (): Promise<never> => {
      const lookup = deferred<never>();
      lookups.push(lookup);
      return lookup.promise;
    };
    const { call, clock } = openClient(context, { ...testEgress(), resolveAll });
    const calls = Array.from({ length: HTTP_CALLS_MAX }, () => call("http://slow.test/"));
    await clock.advance(5_000);
    assert.deepEqual(new Set((await Promise.all(calls)).map(failure)), new Set(["timedOut"]));
    assert.deepEqual(await call("http://slow.test/"), { kind: "busy" });
    lookups[0]?.reject(new LambentError("EgressRefused", "slow.test does not resolve.", { unresolved: true }));
    await clock.advance(0);
    const calling = call("http://slow.test/");
    await clock.advance(5_000);
    assert.equal(failure(await calling), "timedOut");
  });

  test("that is closed ends its calls, and leaves no connection", async (context) => {
    const asked = deferred<Socket>();
    const { url } = await listenRaw(context, (socket) => socket.once("data", () => asked.resolve(socket)));
    const { call, client } = openClient(context);
    const calling = call(url);
    const socket = await asked.promise;
    const closed = once(socket, "close");
    client.close();
    assert.equal(failure(await calling), "timedOut");
    await closed;
  });
});
