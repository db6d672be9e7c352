import type { Clock, Instant, Timer } from "../base/index.ts";

/**
 * The deadlines of an instance's calls on one timer: most calls end long before theirs, so setting and clearing a
 * timer for each would be most of what they cost here. Kept on the monotonic scale: a wall clock that is set does not
 * move them (P10).
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #due: (callId: number) => void;
  /** By call, when it is due on the monotonic scale. */
  readonly #dueAtMs = new Map<number, number>();
  #timer: Timer | undefined;
  #timerAtMs = Infinity;

  constructor(clock: Clock, due: (callId: number) => void) {
    this.#clock = clock;
    this.#due = due;
  }

  set(callId: number, deadline: Instant): void {
    const dueAtMs = this.#clock.monotonicMs() + deadline - this.#clock.now();
    this.#dueAtMs.set(callId, dueAtMs);
    if (dueAtMs < this.#timerAtMs) this.#arm(dueAtMs);
  }

  /** The timer stays: it finds nothing due and sets itself to the next deadline. */
  clear(callId: number): void {
    this.#dueAtMs.delete(callId);
  }

  close(): void {
    this.#dueAtMs.clear();
    this.#timer?.cancel();
  }

  #arm(atMs: number): void {
    this.#timer?.cancel();
    this.#timerAtMs = atMs;
    this.#timer = this.#clock.schedule(atMs - this.#clock.monotonicMs(), () => this.#check());
  }

  #check(): void {
    const nowMs = this.#clock.monotonicMs();
    this.#timer = undefined;
    this.#timerAtMs = Infinity;
    for (const [callId, dueAtMs] of this.#dueAtMs) {
      if (dueAtMs > nowMs) continue;
      this.#dueAtMs.delete(callId);
      this.#due(callId);
    }
    const nextMs = Math.min(...this.#dueAtMs.values());
    if (nextMs < this.#timerAtMs) this.#arm(nextMs);
  }
}
