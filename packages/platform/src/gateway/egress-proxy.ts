import type { IncomingHttpHeaders, IncomingMessage, Server as HttpServer, ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import { isLambentError, LambentError, nodeHttp } from "../base/index.ts";
import type { Egress, ResolvedAddress } from "../security/index.ts";
import { lengthLast } from "./answers.ts";

/**
 * The way out for functions: an HTTP proxy that only their own namespace reaches. Which addresses are allowed is
 * `security/egress`; here a name is resolved once, and the address that was checked is the one connected to (no rebinding).
 */

/** A destination that does not answer within this is given up. @limit */
export const EGRESS_CONNECT_MS_MAX = 10_000;
/** Connections one instance may hold open to the outside. @limit */
export const EGRESS_CONNECTIONS_MAX = 256;

/** Headers that concern the hop to the proxy, not the destination. */
const HOP_HEADERS = ["proxy-connection", "proxy-authorization", "connection", "keep-alive", "te", "upgrade"];

/** A proxy server for one instance; the caller feeds it connections. */
export function createEgressProxy(egress: Egress): HttpServer {
  let open = 0;
  const admit = (leaving: Socket | ServerResponse): boolean => {
    if (open >= EGRESS_CONNECTIONS_MAX) return false;
    open += 1;
    leaving.once("close", () => (open -= 1));
    return true;
  };
  const server = nodeHttp().createServer((request, response) => {
    if (admit(response)) void forward(egress, request, response);
    else response.writeHead(503, { "content-type": "text/plain" }).end(`at most ${EGRESS_CONNECTIONS_MAX} connections may be open`);
  });
  server.on("connect", (request: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.on("error", () => socket.destroy());
    if (admit(socket)) void tunnel(egress, request, socket, head);
    else socket.end(refusal(503));
  });
  return server;
}

/** Plain HTTP in the absolute form. */
async function forward(egress: Egress, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const url = absoluteUrl(request.url ?? "");
    const pinned = await egress.resolvePinned(url.hostname, Number(url.port || 80));
    if (!response.destroyed) relay(request, response, url, pinned);
  } catch (error) {
    const status = isLambentError(error) ? error.entry.status : 502;
    response
      .writeHead(status, { "content-type": "text/plain" })
      .end(isLambentError(error) ? error.message : "the destination cannot be reached");
  }
}

function relay(request: IncomingMessage, response: ServerResponse, url: URL, pinned: ResolvedAddress): void {
  const upstream = nodeHttp().request({
    host: pinned.address,
    port: Number(url.port || 80),
    method: request.method,
    path: url.pathname + url.search,
    headers: endToEnd(request.headers, url.host),
    setHost: false,
    timeout: EGRESS_CONNECT_MS_MAX,
  });
  upstream.on("response", (answer) => {
    upstream.setTimeout(0);
    if (!passHead(answer, response)) return void upstream.destroy();
    answer.pipe(response);
    // An answer that broke off must not look complete, nor leave its reader waiting.
    answer.on("error", () => response.destroy());
  });
  upstream.on("timeout", () => upstream.destroy());
  upstream.on("error", () => (response.headersSent ? response.destroy() : response.writeHead(502).end()));
  response.on("close", () => upstream.destroy());
  request.pipe(upstream);
}

/** A head that could not be written again, as one with the status 099, is answered with 502 in its place: nothing is thrown at the event loop (P8). */
function passHead(answer: IncomingMessage, response: ServerResponse): boolean {
  try {
    response.writeHead(answer.statusCode ?? 502, lengthLast(answer.headers));
    return true;
  } catch {
    response.writeHead(502, { "content-type": "text/plain" }).end("the destination's answer is no HTTP");
    return false;
  }
}

/** HTTPS and everything else a client tunnels. */
async function tunnel(egress: Egress, request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
  try {
    const { host, port } = hostAndPort(request.url ?? "");
    const pinned = await egress.resolvePinned(host, port);
    // Left while the name was looked up: its "close" has been and would not end the way out.
    if (socket.destroyed) return;
    const upstream = connect({ host: pinned.address, port, timeout: EGRESS_CONNECT_MS_MAX }, () => {
      upstream.setTimeout(0);
      socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      upstream.write(head);
      upstream.pipe(socket);
      socket.pipe(upstream);
    });
    upstream.on("timeout", () => upstream.destroy());
    upstream.on("error", () => upstream.destroy());
    // Whoever waits for the answer to CONNECT is told that there is no way; an open tunnel just ends.
    upstream.on("close", () => (socket.bytesWritten === 0 ? socket.end(refusal(502)) : socket.destroy()));
    socket.on("close", () => upstream.destroy());
  } catch (error) {
    socket.end(refusal(isLambentError(error) ? error.entry.status : 502));
  }
}

function refusal(status: number): string {
  return `HTTP/1.1 ${status} Refused\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`;
}

function absoluteUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "http:")
    throw new LambentError("MalformedRequest", "the egress proxy takes absolute http:// addresses and CONNECT");
  return url;
}

function hostAndPort(authority: string): { readonly host: string; readonly port: number } {
  const parts = /^(\[[^\]]+\]|[^:]+):(\d{1,5})$/.exec(authority);
  if (!parts?.[1] || !parts[2]) throw new LambentError("MalformedRequest", "CONNECT needs host:port");
  return { host: parts[1], port: Number(parts[2]) };
}

function endToEnd(headers: IncomingHttpHeaders, host: string): IncomingHttpHeaders {
  const kept: IncomingHttpHeaders = { ...headers, host };
  for (const name of HOP_HEADERS) delete kept[name];
  return kept;
}
