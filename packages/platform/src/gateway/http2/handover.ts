/**
 * HTTP/2 with prior knowledge beside HTTP/1.1 on one port: a connection that begins with HTTP/2's preface is handed over.
 *
 * Node's parser of HTTP/1 stops right behind the whole preface, however it is cut, and says so as an error. So connections of HTTP/1 are not
 * looked into first and cost nothing more, and what speaks HTTP/2 is loaded when somebody does. The other errors are answered as Node answers
 * them where nobody listens.
 */
import type { Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { Later } from "../../base/index.ts";
import type { Http2Door, Http2DoorParts } from "./http2-door.ts";

/** What a client of HTTP/2 sends first. */
const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

/** What Node's parser tells of bytes that are no HTTP/1. */
interface ParseError extends Error {
  readonly code?: string;
  readonly bytesParsed?: number;
  readonly rawPacket?: Buffer;
}

/** The connections of one server that speak HTTP/2. */
export class Http2Connections {
  readonly #door: Later<Http2Door>;

  constructor(server: Server, parts: Http2DoorParts) {
    this.#door = new Later(async () => (await import("./http2-door.ts")).openHttp2Door(parts));
    const taken = new WeakSet<Socket>();
    server.on("clientError", (error: ParseError, socket: Socket) => {
      // Node goes on to watch the time of a connection that it gave away.
      if (taken.has(socket)) return;
      const rest = bytesBehindPreface(error, socket);
      if (!rest) return answerFault(error, socket);
      taken.add(socket);
      release(socket);
      socket.unshift(Buffer.concat([PREFACE, rest]));
      this.#take(socket);
    });
  }

  /** Begins nothing more; what is under way ends by itself, or with its connection. */
  close(): Promise<void> {
    return this.#door.close(async (door) => door.close());
  }

  #take(socket: Socket): void {
    const open = this.#door.opened();
    if (open) return open.take(socket);
    this.#door.get().then(
      (door) => door.take(socket),
      () => socket.destroy(),
    );
  }
}

/** What came behind the preface; undefined where the connection did not begin with one. */
function bytesBehindPreface({ code, rawPacket, bytesParsed }: ParseError, socket: Socket): Buffer | undefined {
  if (code !== "HPE_PAUSED_H2_UPGRADE" || rawPacket === undefined || bytesParsed === undefined) return undefined;
  const rest = rawPacket.subarray(bytesParsed);
  // A request in front of it makes it a smuggled one.
  return socket.bytesRead - rest.length === PREFACE.length ? Buffer.from(rest) : undefined;
}

/** Takes a connection away from the server of HTTP/1, which reads it past the stream until somebody else listens to that. */
function release(socket: Socket): void {
  const nobody = (): void => undefined;
  for (const event of ["data", "drain", "timeout"]) socket.removeAllListeners(event);
  socket.on("data", nobody);
  socket.off("data", nobody);
  socket.pause();
  socket.allowHalfOpen = false;
}

const ANSWERS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
  HPE_CHUNK_EXTENSIONS_OVERFLOW: "413 Payload Too Large",
  ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
};

/** Unless an answer has begun, which nothing can be said in the middle of. */
function answerFault({ code = "" }: ParseError, socket: Socket & { readonly _httpMessage?: ServerResponse | null }): void {
  if (socket.writable && !socket._httpMessage?.headersSent)
    socket.write(`HTTP/1.1 ${ANSWERS[code] ?? "400 Bad Request"}\r\nConnection: close\r\n\r\n`);
  socket.destroy();
}
