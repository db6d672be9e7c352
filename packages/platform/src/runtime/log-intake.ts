import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import type { Clock } from "../base/index.ts";

/** Bytes of log one instance may write a second, after a burst of the same size (P7). Frames over it are dropped and counted; pipes are not read meanwhile. */
export const LOG_BYTES_PER_SECOND_MAX = 4 * 1_024 * 1_024;

/** Longest line taken from a raw pipe; a longer one goes on in the next line. */
export const RAW_LINE_LENGTH_MAX = 262_144;

/** One line as it came; call id 0 is outside any call. */
export type LineTaker = (callId: number, text: string) => void;

/** What an instance writes, held to a rate: lines of its frames, and lines of its raw standard output and error. */
export class LogIntake {
  readonly #clock: Clock;
  readonly #take: LineTaker;
  #credit = LOG_BYTES_PER_SECOND_MAX;
  #creditAtMs: number;
  #dropped = 0;

  constructor(clock: Clock, take: LineTaker) {
    this.#clock = clock;
    this.#take = take;
    this.#creditAtMs = clock.monotonicMs();
  }

  /** A line that came by frame, in order with the answers: it cannot wait, so over the rate it is dropped. */
  line(callId: number, text: string): void {
    if (!this.#spend(text.length)) {
      this.#dropped += 1;
      return;
    }
    this.reportDropped();
    this.#take(callId, text);
  }

  /** Says how many lines were dropped since the last time; called at the end too, so that none is silent. */
  reportDropped(): void {
    if (this.#dropped === 0) return;
    const dropped = this.#dropped;
    this.#dropped = 0;
    this.#take(0, `${dropped} log lines dropped: more than ${LOG_BYTES_PER_SECOND_MAX} bytes a second`);
  }

  /** Reads a pipe line by line; over the rate the pipe waits, and with it the process. Resolves at its end. */
  readPipe(pipe: Readable, callIdNow: () => number): Promise<void> {
    const decoder = new StringDecoder("utf8");
    let partial = "";
    pipe.on("data", (chunk: Buffer) => {
      const lines = (partial + decoder.write(chunk)).split("\n");
      partial = lines.pop() ?? "";
      for (const text of lines) this.#takeRaw(callIdNow(), text);
      if (partial.length > RAW_LINE_LENGTH_MAX) {
        this.#takeRaw(callIdNow(), partial);
        partial = "";
      }
      if (!this.#spend(chunk.length)) this.#pause(pipe);
    });
    return new Promise((resolve) => {
      pipe.once("close", () => {
        if (partial !== "") this.#takeRaw(callIdNow(), partial);
        resolve();
      });
    });
  }

  #takeRaw(callId: number, text: string): void {
    for (let from = 0; from < text.length; from += RAW_LINE_LENGTH_MAX) this.#take(callId, text.slice(from, from + RAW_LINE_LENGTH_MAX));
  }

  #pause(pipe: Readable): void {
    pipe.pause();
    this.#clock.schedule(250, () => pipe.resume());
  }

  /** Credit fills at the rate, up to one second's worth. */
  #spend(bytes: number): boolean {
    const nowMs = this.#clock.monotonicMs();
    const earned = ((nowMs - this.#creditAtMs) / 1_000) * LOG_BYTES_PER_SECOND_MAX;
    this.#credit = Math.min(LOG_BYTES_PER_SECOND_MAX, this.#credit + earned);
    this.#creditAtMs = nowMs;
    if (this.#credit < bytes) return false;
    this.#credit -= bytes;
    return true;
  }
}
