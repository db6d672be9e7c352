import type { ServerResponse } from "node:http";
import { pipeline, Readable } from "node:stream";
import type { Service } from "../api/index.ts";
import { isLambentError, LambentError } from "../base/index.ts";
import { encodeError, type ErrorTarget, type WireError, type WireResponse } from "../wire/index.ts";

export type ReportDefect = (error: unknown, requestId: string) => void;

/** Statuses that HTTP has no body for; a length beside them is wrong, or makes clients wait for one. */
const BODILESS: ReadonlySet<number> = new Set([204, 304]);

/** Writes `answer` whole, or as its stream goes. */
export function writeAnswer(response: ServerResponse, answer: WireResponse, requestId: string, reportDefect: ReportDefect): void {
  if (answer.body instanceof Readable) {
    response.writeHead(answer.status, answer.headers);
    // Whichever side breaks off takes the other with it; the taker sees a cut answer as cut.
    pipeline(answer.body, response, (error) => {
      if (error && !isDeparture(error)) reportDefect(error, requestId);
    });
    return;
  }
  declareLength(answer, answer.body);
  response.writeHead(answer.status, answer.headers).end(answer.body);
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
