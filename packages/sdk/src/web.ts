import type { IncomingHttpHeaders } from "node:http";
import type { Readable, Writable } from "node:stream";

/**
 * A web handler, exported as `httpHandler`:
 *
 *     export const httpHandler: WebHandler = (request, response) => response.json({ path: request.path });
 *
 * `next()` answers 404, `next(error)` fails the call. One that returns without having answered is a mistake,
 * and the call ends at once with `Handler.NoResponse`. Through a function URL that streams, what is written leaves as it
 * is written, and status and headers with the first of it; otherwise the answer leaves whole.
 */
export type WebHandler = (request: WebRequest, response: WebResponse, next: WebNext) => unknown;

export interface WebRequest extends Readable {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** A key that is repeated has a list. */
  readonly query: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly ip: string;
  /** By content type: parsed JSON, form fields, text, else bytes. Undefined when empty or not parseable. */
  readonly body: unknown;
  readonly rawBody: Uint8Array;
  /** One header, whatever the case of its name. */
  get(name: string): string | undefined;
  text(): Promise<string>;
  json(): Promise<unknown>;
  arrayBuffer(): Promise<ArrayBuffer>;
}

export interface WebResponse extends Writable {
  statusCode: number;
  readonly headersSent: boolean;
  /** Sends status and headers now, where the answer streams. */
  flushHeaders(): void;
  status(code: number): this;
  setHeader(name: string, value: string | readonly string[]): this;
  getHeader(name: string): unknown;
  /** Text, bytes, or a value that is sent as JSON. Ends the answer. */
  send(body?: unknown): unknown;
  json(value: unknown): unknown;
}

export type WebNext = (error?: unknown) => void;
