import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttpServer, type IncomingMessage, type Server as HttpServer, type ServerResponse } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { ManualClock } from "../../../src/base/index.ts";
import { type HttpCall, HttpClient, type HttpEnding } from "../../../src/delivery/index.ts";
import { createEgress, type EgressToAll } from "../../../src/security/index.ts";

/** Names as this test's resolver answers them: each time the next list, the last one for ever. */
export type Names = Record<string, (readonly string[])[]>;

export function testEgress(names: Names = {}): EgressToAll & { readonly asked: string[] } {
  const asked: string[] = [];
  const lookup = async (host: string): Promise<readonly string[]> => {
    asked.push(host);
    const lists = names[host] ?? [[]];
    return (lists.length > 1 ? lists.shift() : lists[0]) ?? [];
  };
  return { asked, ...createEgress({ lookup, ownAddresses: () => new Set(), opened: [], onLoopback: () => undefined }) };
}

/** A client on a clock that stands still unless it is moved. */
export function openClient(test: TestContext, egress: EgressToAll = testEgress(), authorities?: readonly string[]) {
  const clock = new ManualClock();
  const client = new HttpClient({ egress, clock, ...(authorities ? { authorities } : {}) });
  test.after(() => {
    client.close();
    assert.equal(clock.pendingCount, 0, "a call left its timer behind");
  });
  const call = (url: string, more: Partial<HttpCall> = {}): Promise<HttpEnding> =>
    client.call({
      method: "POST",
      url: new URL(url),
      headers: {},
      body: Buffer.from("{}"),
      timeoutMs: 5_000,
      answerBytesMax: 1_000,
      ...more,
    });
  return { client, clock, call };
}

/** A server that does with each connection what the test says. */
export async function listenRaw(
  test: TestContext,
  connected: (socket: Socket) => void,
): Promise<{ readonly url: string; readonly server: Server }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    connected(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  test.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, server };
}

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

export interface Endpoint {
  readonly url: string;
  readonly port: number;
  readonly received: Received[];
  readonly server: HttpServer;
}

/** A real HTTP server that notes what it gets; `answer` is what it does then, 200 when it is left out. */
export async function listen(
  test: TestContext,
  answer: (received: Received, response: ServerResponse) => void = (_received, response) => void response.end("ok"),
): Promise<Endpoint> {
  const received: Received[] = [];
  const server = createHttpServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const one = {
        method: request.method ?? "",
        path: request.url ?? "",
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
      };
      received.push(one);
      answer(one, response);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  test.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, port, received, server };
}
