import type { Writable } from "node:stream";
import type { Context } from "./handler.ts";

/** Where a streaming handler writes. `end()` it, or the call never ends. */
export interface ResponseStream extends Writable {
  setContentType(type: string): void;
}

export type StreamHandler<Event = unknown> = (event: Event, stream: ResponseStream, context: Context) => Promise<void>;

export interface HttpResponseMetadata {
  readonly statusCode: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cookies?: readonly string[];
}

/** What the runtime has as the global `awslambda`. */
export interface LambentStreaming {
  /** Marks a handler whose answer is passed on while it is written. */
  streamifyResponse<Event = unknown>(handler: StreamHandler<Event>): StreamHandler<Event>;
  readonly HttpResponseStream: {
    /** Sets status, headers and cookies before the first byte. */
    from(stream: ResponseStream, metadata: HttpResponseMetadata): ResponseStream;
  };
}

declare global {
  var awslambda: LambentStreaming;
}
