import type { Clock, Instant, Timer } from "./clock.ts";

interface Pending {
  readonly dueMs: number;
  readonly order: number;
  readonly task: () => void;
}

/**
 * A clock that moves only when told: for tests and the simulation.
 *
 * `advance` runs due tasks in the order of their deadlines and lets promises settle between them,
 * so that a task scheduled by another task inside the same stretch runs too.
 */
export class ManualClock implements Clock {
  #wallMs: Instant;
  #monotonicMs = 0;
  #order = 0;
  readonly #pending = new Set<Pending>();

  constructor(startMs: Instant = 1_700_000_000_000) {
    this.#wallMs = startMs;
  }

  now(): Instant {
    return Math.floor(this.#wallMs);
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  schedule(delayMs: number, task: () => void): Timer {
    const entry = { dueMs: this.#monotonicMs + Math.max(0, delayMs), order: this.#order++, task };
    this.#pending.add(entry);
    return { cancel: () => void this.#pending.delete(entry) };
  }

  /** Tasks that wait; a test that ends with some has leaked them. */
  get pendingCount(): number {
    return this.#pending.size;
  }

  /** Moves both scales forward by `byMs`, running what falls due on the way. */
  async advance(byMs: number): Promise<void> {
    const targetMs = this.#monotonicMs + byMs;
    await settle();
    for (let next = this.#nextDue(targetMs); next; next = this.#nextDue(targetMs)) {
      this.#moveTo(next.dueMs);
      this.#pending.delete(next);
      next.task();
      await settle();
    }
    this.#moveTo(targetMs);
  }

  /** Moves the wall scale alone, as an administrator or NTP would; deadlines do not move. */
  jumpWall(byMs: number): void {
    this.#wallMs += byMs;
  }

  #moveTo(monotonicMs: number): void {
    this.#wallMs += monotonicMs - this.#monotonicMs;
    this.#monotonicMs = monotonicMs;
  }

  #nextDue(untilMs: number): Pending | undefined {
    let best: Pending | undefined;
    for (const entry of this.#pending) {
      if (entry.dueMs > untilMs) continue;
      if (!best || entry.dueMs < best.dueMs || (entry.dueMs === best.dueMs && entry.order < best.order)) best = entry;
    }
    return best;
  }
}

/** Lets every promise that is ready settle: one turn of the event loop, no time. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
