import type { ServerResponse } from "node:http";
import { pipeline, Readable } from "node:stream";
import type { Service } from "../api/index.ts";
import { bytesPassed, isLambentError, LambentError } from "../base/index.ts";
import { encodeError, type ErrorTarget, type WireError, type WireResponse } from "../wire/index.ts";

export type ReportDefect = (error: unknown, requestId: string) => void;

/** Statuses that HTTP has no body for; a length beside them is wrong, or makes clients wait for one. */
const BODILESS: ReadonlySet<number> = new Set([204, 304]);

/** Writes `answer` whole, or as its stream goes. */
export function writeAnswer(response: ServerResponse, answer: WireResponse, requestId: string, reportDefect: ReportDefect): void {
  const { body } = answer;
  if (body instanceof Readable) return writeStream(response, { ...answer, body }, (error) => reportDefect(error, requestId));
  declareLength(answer, body);
  response.writeHead(answer.status, lengthLast(answer.headers)).end(body);
}

/**
 * Headers in an order that Node writes as they are: of a `content-disposition` behind the length it takes the bytes for UTF-8, which changes
 * names of files that came as raw Latin-1, and refuses those beyond it.
 */
export function lengthLast<Value>(headers: Readonly<Record<string, Value>>): Readonly<Record<string, Value>> {
  if (headers["content-disposition"] === undefined) return headers;
  const { "content-length": length, ...others } = headers;
  return length === undefined ? headers : { ...others, "content-length": length };
}

/** A stream that nobody reads is closed here, whatever happens: a file that is left to the garbage collector ends the process (P8). */
function writeStream(
  response: ServerResponse,
  { status, headers, body }: WireResponse & { readonly body: Readable },
  onDefect: (error: unknown) => void,
): void {
  // Whoever asked may have left while the answer was made.
  if (response.destroyed) return void body.destroy();
  try {
    response.writeHead(status, lengthLast(headers));
    body.on("data", (chunk: Uint8Array) => bytesPassed(chunk.length));
    cutWhereShort(response, body, Number(headers["content-length"]), onDefect);
    // Whichever side breaks off takes the other with it; the taker sees a cut answer as cut.
    pipeline(body, response, (error) => {
      if (error && !isDeparture(error)) onDefect(error);
    });
  } catch (error) {
    body.destroy();
    throw error;
  }
}

/** A body that ends before its declared length, as a file that lost its end, leaves its client waiting: it sees the answer as cut instead. */
function cutWhereShort(response: ServerResponse, body: Readable, declaredBytes: number, onDefect: (error: unknown) => void): void {
  let left = declaredBytes;
  body.on("data", (chunk: Uint8Array) => (left -= chunk.length));
  body.once("end", () => {
    if (!(left > 0)) return;
    response.destroy();
    onDefect(new LambentError("StorageCorrupt", `An answer's body ended ${left} bytes before its length.`));
  });
}

/** Says how long the body of `answer` is, where it has one and nobody said it before. */
export function declareLength(answer: WireResponse, body: Buffer): void {
  if (!BODILESS.has(answer.status) && answer.headers["content-length"] === undefined)
    answer.headers["content-length"] = String(body.length);
}

/** The answer to what an operation, or anything before it, threw: in the form of the request's protocol. What is no `LambentError` is told as a defect. */
export function errorAnswer(
  error: unknown,
  target: ErrorTarget,
  service: Service | undefined,
  requestId: string,
  reportDefect: ReportDefect,
): WireResponse {
  if (!isLambentError(error)) reportDefect(error, requestId);
  const known = isLambentError(error)
    ? error
    : new LambentError("InternalError", "a defect in Lambent; its log has the details under the request id");
  return encodeError(target, service ? service.wireError(known) : plainError(known), requestId);
}

/** Errors before a service is known carry the catalogue's own code. */
function plainError(error: LambentError): WireError {
  return { name: error.code, message: error.message, status: error.entry.status, fault: error.entry.fault };
}

/** What a stream breaks with when its reader leaves: no defect. */
const DEPARTURES: ReadonlySet<string | undefined> = new Set(["ERR_STREAM_PREMATURE_CLOSE", "ECONNRESET", "EPIPE", "ETIMEDOUT"]);

function isDeparture(error: NodeJS.ErrnoException): boolean {
  return DEPARTURES.has(error.code) || isLambentError(error);
}
