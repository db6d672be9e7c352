import type { Call, CallEnding } from "../model/index.ts";
import { RESPONSE_BYTES_MAX } from "./channel/frames.ts";
import type { StreamBegin } from "./channel/messages.ts";
import { LogTail } from "./log-tail.ts";
import { type CallReport, LOG_TAIL_BYTES_MAX } from "./runtime.ts";

/** Bytes of one streamed answer, as AWS counts them. */
export const STREAMED_BYTES_MAX = 209_715_200;

/**
 * Bytes that may still come after a process was told to pause; more breaks the protocol. One turn of our loop reads up
 * to 2 MiB before the pause even leaves, and what was written until the process hears it comes on top.
 */
export const STREAM_OVERRUN_BYTES_MAX = 8 * 1_024 * 1_024;

/** What became of one chunk of a streamed answer. */
export type ChunkFate = "taken" | "takerSlow" | "overrun" | "tooLarge";

const NO_BYTES = Buffer.alloc(0);

/** One call inside an instance: what it was asked, what it has printed and answered so far. */
export class RunningCall {
  readonly call: Call;
  readonly startedMs: number;
  readonly #resolve: (report: CallReport) => void;
  #tail: LogTail | undefined;
  #collected: Buffer[] = [];
  #streamedBytes = 0;
  #overrunBytes = 0;
  #stream: "flowing" | "paused" = "flowing";

  constructor(call: Call, startedMs: number, resolve: (report: CallReport) => void) {
    this.call = call;
    this.startedMs = startedMs;
    this.#resolve = resolve;
  }

  log(text: string): void {
    this.#tail ??= new LogTail(LOG_TAIL_BYTES_MAX);
    this.#tail.add(text);
  }

  streamBegin(begin: StreamBegin): void {
    if (this.call.stream) this.call.stream.begin({ contentType: begin.contentType, http: begin.http });
    // A buffered call of a streaming handler gets what a stream's reader would: the prelude, eight zero bytes, the body.
    else if (begin.http) this.#collect(Buffer.concat([begin.http, Buffer.alloc(8)]));
  }

  streamChunk(chunk: Buffer): ChunkFate {
    this.#streamedBytes += chunk.length;
    if (!this.call.stream) return this.#collect(chunk);
    if (this.#streamedBytes > STREAMED_BYTES_MAX) return "tooLarge";
    if (this.call.stream.write(chunk)) return "taken";
    if (this.#stream === "paused") {
      this.#overrunBytes += chunk.length;
      return this.#overrunBytes > STREAM_OVERRUN_BYTES_MAX ? "overrun" : "taken";
    }
    this.#stream = "paused";
    return "takerSlow";
  }

  /** The taker of the stream is ready again. */
  resumed(): void {
    this.#stream = "flowing";
    this.#overrunBytes = 0;
  }

  /** Everything that was streamed to a buffered call. */
  collected(): Buffer {
    return this.call.stream ? NO_BYTES : Buffer.concat(this.#collected);
  }

  end(ending: CallEnding, durationMs: number, memoryPeakMb: number): void {
    this.#collected = [];
    this.#resolve({ ending, durationMs, logTail: this.#tail?.content() ?? NO_BYTES, memoryPeakMb });
  }

  #collect(chunk: Buffer): ChunkFate {
    if (this.#streamedBytes > RESPONSE_BYTES_MAX) return "tooLarge";
    this.#collected.push(chunk);
    return "taken";
  }
}
