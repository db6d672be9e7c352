import type { IncomingMessage } from "node:http";
import type { WireRequest } from "../wire/index.ts";

/** The request in the raw form that signatures cover. */
export function wireRequestOf(request: IncomingMessage, body: Buffer): WireRequest {
  return {
    method: request.method ?? "GET",
    rawUrl: request.url ?? "/",
    rawHeaders: request.rawHeaders,
    headers: request.headers as WireRequest["headers"],
    body,
  };
}
