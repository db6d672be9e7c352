import type { IncomingMessage, ServerResponse } from "node:http";
import { type Clock, LambentError } from "../base/index.ts";

/** Largest request body of a signed API: a 50 MB package as base64 in JSON. @limit */
export const API_BODY_BYTES_MAX = 70 * 1024 * 1024;
/** Largest request body of an HTTP call to a function; AWS's payload limit. @limit */
export const HTTP_BODY_BYTES_MAX = 6 * 1024 * 1024;
/** Bodies being received and held over all connections; beyond it requests are refused with 429. @limit */
export const RECEIVED_BYTES_MAX = 512 * 1024 * 1024;

const NO_BODY = Buffer.alloc(0);

/** Counts the bytes of bodies that are held, so that many large uploads at once cannot exhaust memory (P7). */
export class BodyBudget {
  #held = 0;

  get held(): number {
    return this.#held;
  }

  /**
   * Receives the body of `request`, at most `bytesMax`. The bytes count until `release` of the result is called.
   * Throws `RequestTooLarge`, or `InFlightBytesExceeded` when all bodies together are over `RECEIVED_BYTES_MAX`.
   */
  receive(request: IncomingMessage, bytesMax: number): Promise<HeldBody> | HeldBody {
    const declared = request.headers["content-length"];
    const chunked = request.headers["transfer-encoding"] !== undefined;
    if (!chunked && (declared === undefined || declared === "0")) return { bytes: NO_BODY, release: () => undefined };
    if (declared !== undefined && Number(declared) > bytesMax) throw tooLarge(Number(declared), bytesMax);
    return this.#collect(request, bytesMax);
  }

  /** The same for bytes that come from elsewhere than right from a request; what `source` throws is thrown on. */
  async gather(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, bytesMax: number): Promise<HeldBody> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    const release = (): void => {
      this.#held -= size;
      size = 0;
    };
    try {
      for await (const chunk of source) {
        size += chunk.length;
        this.#held += chunk.length;
        chunks.push(chunk);
        if (size > bytesMax) throw tooLarge(size, bytesMax);
        if (this.#held > RECEIVED_BYTES_MAX) throw tooManyBodies();
      }
    } catch (error) {
      release();
      throw error;
    }
    return { bytes: Buffer.concat(chunks), release };
  }

  #collect(request: IncomingMessage, bytesMax: number): Promise<HeldBody> {
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      let size = 0;
      const release = (): void => {
        this.#held -= size;
        size = 0;
      };
      const refuse = (error: LambentError): void => {
        release();
        request.removeAllListeners("data");
        request.resume();
        reject(error);
      };
      request.on("data", (chunk: Buffer) => {
        size += chunk.length;
        this.#held += chunk.length;
        chunks.push(chunk);
        if (size > bytesMax) refuse(tooLarge(size, bytesMax));
        else if (this.#held > RECEIVED_BYTES_MAX) refuse(tooManyBodies());
      });
      request.on("end", () => resolve({ bytes: chunks.length === 1 ? (chunks[0] ?? NO_BODY) : Buffer.concat(chunks), release }));
      request.on("error", () => refuse(new LambentError("MalformedRequest", "the connection ended within the request body")));
      request.on("aborted", () => refuse(new LambentError("MalformedRequest", "the connection ended within the request body")));
    });
  }
}

/** A body and the duty to give its bytes back to the budget. */
export interface HeldBody {
  readonly bytes: Buffer;
  release(): void;
}

function tooLarge(size: number, bytesMax: number): LambentError {
  return new LambentError("RequestTooLarge", `the request body has ${size} bytes or more; at most ${bytesMax} are taken here`);
}

function tooManyBodies(): LambentError {
  return new LambentError("InFlightBytesExceeded", "too many request bodies are being received at once");
}

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
