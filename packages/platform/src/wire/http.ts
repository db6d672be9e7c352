import type { Readable } from "node:stream";

/** A request as the listener got it: raw, because signatures are over the raw form (wire.md §8). */
export interface WireRequest {
  readonly method: string;
  /** Path and query exactly as sent. */
  readonly rawUrl: string;
  /** Alternating names and values, as `IncomingMessage.rawHeaders`. */
  readonly rawHeaders: readonly string[];
  /** Lower-case names; repeated ones joined by ", ". Null prototype. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
  /** Stands for the body where the operation takes it as a stream (`takesStream`): passed on as it is. */
  readonly stream?: object | undefined;
}

export interface WireResponse {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Record<string, string>;
  /** A stream for event streams and streamed payloads. */
  readonly body: Buffer | Readable;
}
