/**
 * Connections of HTTP/2, for the signed APIs: the SDK for JavaScript calls Kinesis by nothing else, others are pushed records by it. What has
 * to do with files, browsers and a user's own HTTP stays with HTTP/1.1, and a client that asks for it here is told so.
 *
 * Keeps P7 (streams, headers, resets and times of a connection are bounded) and P8 (whatever a client does costs its connection, at most).
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import http2, { type Http2ServerRequest, type ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import type { Clock } from "../../base/index.ts";

/** Requests that one connection may have under way. @limit */
export const HTTP2_STREAMS_MAX = 128;
/** Requests that a client may take back at once, and then each second: beyond that it only makes work. @limit */
export const HTTP2_RESETS_MAX = 256;
const RESETS_PER_SECOND = 64;
/** Entries of one SETTINGS frame. */
const SETTINGS_ENTRIES_MAX = 32;
const INVALID_FRAMES_MAX = 100;
/** Mebibytes that Node holds for one connection beside its bodies. */
const SESSION_MEMORY_MIB_MAX = 16;
/** What may be under way of one body, and of all of one connection. */
const STREAM_WINDOW_BYTES = 512 * 1024;
const CONNECTION_WINDOW_BYTES = 2 * 1024 * 1024;

/** Whether a request was taken, or has to come again by HTTP/1.1. */
export type Http2Outcome = "taken" | "http1Only";

export interface Http2DoorParts {
  /** Answers a request. The two are HTTP/1's as far as handlers of APIs use them. */
  readonly handle: (request: IncomingMessage, response: ServerResponse) => Http2Outcome;
  /** Bytes of all headers of a request. */
  readonly headerBytesMax: number;
  /** How long a connection without a request stays open. */
  readonly idleMs: number;
  /** How long a request may take to arrive whole, and who says so; undefined: as long as it likes. */
  readonly whole?: { readonly boundMs: number; readonly clock: Clock } | undefined;
}

export interface Http2Door {
  /** Serves a connection whose preface waits to be read. */
  take(socket: Socket): void;
  /** Tells all clients to begin nothing more; connections close behind their last request. */
  close(): void;
}

const { constants, createServer } = http2;

/** The side of a server that speaks HTTP/2; listens to nothing itself. */
export function openHttp2Door(parts: Http2DoorParts): Http2Door {
  const sessions = new Set<ServerHttp2Session>();
  const server = createServer({
    settings: {
      maxConcurrentStreams: HTTP2_STREAMS_MAX,
      maxHeaderListSize: parts.headerBytesMax,
      initialWindowSize: STREAM_WINDOW_BYTES,
      enablePush: false,
    },
    maxSettings: SETTINGS_ENTRIES_MAX,
    maxSessionMemory: SESSION_MEMORY_MIB_MAX,
    maxSessionInvalidFrames: INVALID_FRAMES_MAX,
    streamResetBurst: HTTP2_RESETS_MAX,
    streamResetRate: RESETS_PER_SECOND,
  });
  server.on("session", (session) => watch(session, sessions, parts.idleMs));
  server.on("request", (request, response) => serve(request, response, parts));
  return {
    take: (socket) => {
      if (!socket.destroyed) server.emit("connection", socket);
    },
    close: () => {
      for (const session of sessions) session.close();
    },
  };
}

function watch(session: ServerHttp2Session, sessions: Set<ServerHttp2Session>, idleMs: number): void {
  let streams = 0;
  sessions.add(session);
  session.once("close", () => sessions.delete(session));
  // Whatever is wrong with a session ends it; nobody else has to know.
  session.on("error", () => undefined);
  session.on("stream", (stream) => {
    streams += 1;
    stream.once("close", () => (streams -= 1));
  });
  session.setTimeout(idleMs, () => {
    if (streams === 0) session.close();
  });
  session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
}

function serve(request: Http2ServerRequest, response: http2.Http2ServerResponse, parts: Http2DoorParts): void {
  const { headers, stream } = request;
  const hasBody = !stream.endAfterHeaders;
  // One host, whichever of its names a client used.
  const host = headers[":authority"] ?? headers.host;
  if (host !== undefined) headers.host = host;
  // A body whose length is not told is what HTTP/1 calls chunked.
  if (hasBody && headers["content-length"] === undefined) headers["transfer-encoding"] = "chunked";
  if (hasBody && parts.whole) boundArrival(request, parts.whole);
  // Node leaves these two out, by which handlers see that nobody waits for an answer any more.
  Object.defineProperties(response, { closed: { get: () => stream.closed }, destroyed: { get: () => stream.destroyed } });
  const outcome = parts.handle(request as unknown as IncomingMessage, response as unknown as ServerResponse);
  if (outcome === "http1Only") stream.close(constants.NGHTTP2_HTTP_1_1_REQUIRED);
}

/** A body that does not come to its end costs its request. */
function boundArrival(request: Http2ServerRequest, { boundMs, clock }: NonNullable<Http2DoorParts["whole"]>): void {
  const timer = clock.schedule(boundMs, () => {
    if (!request.complete) request.stream.close(constants.NGHTTP2_CANCEL);
  });
  request.stream.once("close", () => timer.cancel());
}
