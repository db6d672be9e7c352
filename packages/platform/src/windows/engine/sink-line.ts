/** One sink and what it is handed: row after row, the same one again until it is taken. Never given up: results wait, and so does the window at its bound. */
import { type Clock, isLambentError } from "../../base/index.ts";
import { BACK_OFF_WAITS_MS } from "../../outbox/index.ts";
import type { Sink } from "../sinks/sink.ts";
import type { UnsunkRows } from "./unsunk-rows.ts";
import { pause, Wake } from "./wake.ts";

export interface SinkLineParts {
  readonly sink: Sink;
  readonly rows: UnsunkRows;
  readonly clock: Clock;
  readonly retryTimeFactor: number;
  readonly onProgress: () => void;
  /** Told once for each time that it begins to fail with something that is no refusal. */
  readonly onProblem: (error: unknown) => void;
}

export class SinkLine {
  readonly #parts: SinkLineParts;
  readonly #more = new Wake();
  #problem: string | undefined;
  #failures = 0;

  constructor(parts: SinkLineParts) {
    this.#parts = parts;
  }

  get id(): string {
    return this.#parts.sink.id;
  }

  /** Why it takes nothing at the moment. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** There may be more rows. */
  wake(): void {
    this.#more.wake();
  }

  async run(signal: AbortSignal): Promise<void> {
    const { sink, rows, clock, retryTimeFactor } = this.#parts;
    signal.addEventListener("abort", () => this.wake(), { once: true });
    while (!signal.aborted) {
      const row = rows.next(sink.id);
      if (!row) {
        await this.#more.wait();
        continue;
      }
      try {
        await sink.send(row, rows.sunk.get(sink.id) ?? 0, (sunk, givenUp) => this.#advance(sunk, givenUp), signal);
      } catch (error) {
        if (signal.aborted || isLambentError(error, "ShuttingDown", "StorageStopped")) return;
        this.#failed(error);
        const waitMs = BACK_OFF_WAITS_MS[Math.min(this.#failures, BACK_OFF_WAITS_MS.length) - 1] ?? 0;
        await pause(clock, waitMs * retryTimeFactor, signal);
      }
    }
  }

  #advance(sunk: number, givenUp = 0): void {
    this.#failures = 0;
    this.#problem = undefined;
    this.#parts.rows.advance(this.id, sunk, givenUp);
    this.#parts.onProgress();
  }

  #failed(error: unknown): void {
    this.#failures += 1;
    this.#problem = error instanceof Error ? error.message : String(error);
    if (this.#failures === 1 && !isLambentError(error)) this.#parts.onProblem(error);
  }
}
