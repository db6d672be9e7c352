import type { Clock, Instant, MonotonicMs } from "../../base/index.ts";

/**
 * Wall time that never goes back: not when the system's clock is set back while the server runs, nor across a restart,
 * for which the highest time is stored (P10). It is never slower than the monotonic scale, so a lease ends also while
 * the wall clock stands before the stored time.
 */
export class ListTime {
  readonly #clock: Clock;
  #wall: Instant;
  #monotonic: MonotonicMs;

  constructor(clock: Clock, highWater: Instant) {
    this.#clock = clock;
    this.#wall = highWater;
    this.#monotonic = clock.monotonicMs();
  }

  now(): Instant {
    const monotonic = this.#clock.monotonicMs();
    this.#wall = Math.max(this.#wall + (monotonic - this.#monotonic), this.#clock.now());
    this.#monotonic = monotonic;
    return Math.floor(this.#wall);
  }
}
