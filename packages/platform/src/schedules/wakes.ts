/** One timer for everything that is due at some time, however much that is. */
import type { Clock, Instant, Timer } from "../base/index.ts";

/**
 * Timers measure durations, and the wall clock may be put forward, or the machine sleep: while something is due at all, what the
 * clock shows is looked at this often. Nothing is read for it.
 */
const CLOCK_LOOK_MS = 60_000;

export class Wakes {
  readonly #clock: Clock;
  readonly #wake: (key: string) => void;
  readonly #due = new Map<string, Instant>();
  #timer: Timer | undefined;
  #closed = false;

  constructor(clock: Clock, wake: (key: string) => void) {
    this.#clock = clock;
    this.#wake = wake;
  }

  /** `key` is woken at `at`, or not any more; what was said before no longer holds. */
  set(key: string, at: Instant | undefined): void {
    if (at === undefined) this.#due.delete(key);
    else this.#due.set(key, at);
    this.#arm();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #arm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#closed || this.#due.size === 0) return;
    let first = Number.POSITIVE_INFINITY;
    for (const at of this.#due.values()) first = Math.min(first, at);
    // A host's timer may ring a little early: the clock decides, and a millisecond later it is asked again.
    const delayMs = Math.min(CLOCK_LOOK_MS, Math.max(0, first - this.#clock.now()));
    this.#timer = this.#clock.schedule(delayMs, () => this.#ring());
  }

  #ring(): void {
    const now = this.#clock.now();
    const due = [...this.#due].filter(([, at]) => at <= now);
    for (const [key] of due) this.#due.delete(key);
    this.#arm();
    for (const [key] of due) this.#wake(key);
  }
}
