import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "../base/index.ts";

/** What Node writes itself when a request takes too long. */
const TIMED_OUT = "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n";

/** Closes the connection when `request` has not arrived whole within `boundMs`. For servers that cannot bound all requests alike. */
export function boundWholeRequest(request: IncomingMessage, response: ServerResponse, boundMs: number, clock: Clock): void {
  // Most bodies come with their head, in the same turn: those need no timer.
  queueMicrotask(() => {
    if (request.complete || request.destroyed) return;
    const timer = clock.schedule(boundMs, () => {
      if (request.complete || request.destroyed) return;
      if (response.headersSent) request.socket.destroy();
      else request.socket.end(TIMED_OUT, () => request.socket.destroy());
    });
    request.once("close", () => timer.cancel());
  });
}
