import type { Clock } from "../../src/base/index.ts";

/** Lines a failing seed shows: what happened last. */
const LINES_SHOWN = 120;

/** What happened in one simulation, in order, with the simulated time. */
export class Trace {
  readonly #clock: Clock;
  readonly #lines: string[] = [];
  readonly #startedAt: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startedAt = clock.monotonicMs();
  }

  add(what: string): void {
    this.#lines.push(`${((this.#clock.monotonicMs() - this.#startedAt) / 1_000).toFixed(3).padStart(10)} s  ${what}`);
  }

  toString(): string {
    return this.#lines.slice(-LINES_SHOWN).join("\n");
  }
}
