/**
 * Forgets records that are past their retention. Nothing polls: for each partition it is known when something of it goes next, and one timer
 * stands at the earliest of these times (P6). Bounds of size are kept by the partition itself, as it grows.
 */
import { type Clock, type Instant, isLambentError, type Timer } from "../base/index.ts";
import type { CellKey } from "../storage/index.ts";
import type { Partition } from "./partition/index.ts";

export interface TrimmerParts {
  readonly clock: Clock;
  readonly onProblem: (error: unknown) => void;
}

interface Due {
  readonly at: Instant;
  /** Gives the partition, open; undefined when it is gone. */
  readonly open: () => Promise<Partition | undefined>;
}

/** Between two runs at least: what falls due meanwhile goes together. */
const PAUSE_MS_MIN = 1_000;

export class Trimmer {
  readonly #parts: TrimmerParts;
  readonly #due = new Map<CellKey, Due>();
  #timer: Timer | undefined;
  #timerAt: Instant = Infinity;
  #running: Promise<void> | undefined;
  #closed = false;

  constructor(parts: TrimmerParts) {
    this.#parts = parts;
  }

  /** Something of this partition goes at `at`; nothing where that is undefined. */
  note(cell: CellKey, at: Instant | undefined, open: Due["open"]): void {
    if (at === undefined) this.#due.delete(cell);
    else this.#due.set(cell, { at, open });
    if (at !== undefined && at < this.#timerAt) this.#plan(at);
  }

  forget(cell: CellKey): void {
    this.#due.delete(cell);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#running;
  }

  #plan(at: Instant): void {
    if (this.#closed || this.#running) return;
    this.#timer?.cancel();
    this.#timerAt = at;
    this.#timer = this.#parts.clock.schedule(Math.max(PAUSE_MS_MIN, at - this.#parts.clock.now()), () => {
      this.#running = this.#run();
    });
  }

  async #run(): Promise<void> {
    const now = this.#parts.clock.now();
    for (const [cell, { at, open }] of [...this.#due]) {
      if (this.#closed) return;
      if (at <= now) await this.#trim(cell, open);
    }
    this.#running = undefined;
    this.#timerAt = Infinity;
    let next = Infinity;
    for (const { at } of this.#due.values()) next = Math.min(next, at);
    if (next < Infinity) this.#plan(next);
  }

  async #trim(cell: CellKey, open: Due["open"]): Promise<void> {
    this.#due.delete(cell);
    try {
      const partition = await open();
      await partition?.trim();
      if (partition) this.note(cell, partition.trimmableAt, open);
    } catch (error) {
      if (isLambentError(error, "StorageBusy")) this.#due.set(cell, { at: this.#parts.clock.now() + PAUSE_MS_MIN, open });
      else if (!isLambentError(error, "ShuttingDown", "NotFound", "StorageStopped")) this.#parts.onProblem(error);
    }
  }
}
