/**
 * Answers to requests whose body is not read to its end. Closing a connection on which bytes still arrive resets it, and the client may
 * never see the answer: so the whole answer is sent, what arrives is thrown away for a while, and then the connection is closed.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { type Clock, deferred } from "../../base/index.ts";
import type { WireResponse } from "../../wire/index.ts";
import { declareLength } from "../answers.ts";
import { expectsContinue, hasBody } from "./request-bytes.ts";

/** How long, and for how many bytes, a client that goes on sending is listened to once it is answered (P7). */
const UNREAD_MS_MAX = 5_000;
const UNREAD_BYTES_MAX = 64 * 1024 * 1024;

/** True when some of a request's body may still be on its way. */
export function isUnread(request: IncomingMessage): boolean {
  // A client that waits for its 100 may send its body or not: nobody can tell what comes next on this connection.
  return hasBody(request) && (!request.complete || (expectsContinue(request) && !request.readableDidRead));
}

/** Writes `answer`, and closes the connection once the client had time to see it. */
export function answerUnread(
  request: IncomingMessage,
  response: ServerResponse,
  answer: WireResponse & { readonly body: Buffer },
  clock: Clock,
): void {
  declareLength(answer, answer.body);
  answer.headers["connection"] = "close";
  response.writeHead(answer.status, answer.headers);
  if (answer.body.length > 0 && request.method !== "HEAD") response.write(answer.body);
  else response.flushHeaders();
  void discard(request, clock).then(() => response.end());
}

function discard(request: IncomingMessage, clock: Clock): Promise<void> {
  const { promise, resolve } = deferred<void>();
  if (request.destroyed || request.readableEnded) return Promise.resolve();
  const timer = clock.schedule(UNREAD_MS_MAX, resolve);
  let bytes = 0;
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > UNREAD_BYTES_MAX) resolve();
  });
  for (const event of ["end", "close", "error"]) request.on(event, resolve);
  request.resume();
  return promise.then(() => timer.cancel());
}
