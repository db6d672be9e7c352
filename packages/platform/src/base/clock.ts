/**
 * The only reader of the system's time (P10). Everything else receives a `Clock`.
 *
 * Two scales: `now()` is wall time and may jump; `monotonicMs()` never goes back and is what
 * durations and timeouts are measured with.
 */

/** Wall time in milliseconds since 1970-01-01T00:00:00Z. */
export type Instant = number;

/** Milliseconds on a clock's monotonic scale: what durations, idle times and back-offs are reckoned in, and never stored. */
export type MonotonicMs = number;

/** A task that was scheduled; `cancel` is idempotent and does nothing once it ran. */
export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Wall time in milliseconds, whole. */
  now(): Instant;
  /** Milliseconds since an arbitrary start, with fractions; never goes back. */
  monotonicMs(): MonotonicMs;
  /** Runs `task` once, `delayMs` (≥ 0) from now on the monotonic scale. Does not keep the process alive. */
  schedule(delayMs: number, task: () => void): Timer;
}

/** Longest delay a host timer keeps; longer ones are chained. */
const HOST_TIMER_MS_MAX = 2_147_483_647;

/** The system's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  schedule(delayMs, task) {
    let handle: NodeJS.Timeout;
    const arm = (leftMs: number): void => {
      const stepMs = Math.min(Math.max(0, leftMs), HOST_TIMER_MS_MAX);
      handle = setTimeout(() => (leftMs > stepMs ? arm(leftMs - stepMs) : task()), stepMs);
      handle.unref();
    };
    arm(delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
};

/** Resolves after `delayMs`; for waits that are configured (back-off, windows), never for polling (P6). */
export function delay(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => clock.schedule(delayMs, resolve));
}
