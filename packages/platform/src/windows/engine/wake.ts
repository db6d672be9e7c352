import type { Clock } from "../../base/index.ts";
import { deferred, type Deferred } from "../../base/index.ts";

/** Somebody waits for something to change, and is woken when it may have. */
export class Wake {
  #waiting: Deferred<void> | undefined;

  /** Resolves at the next `wake`. */
  wait(): Promise<void> {
    this.#waiting ??= deferred<void>();
    return this.#waiting.promise;
  }

  wake(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve();
  }
}

/** Waits `ms`, or until the signal aborts. */
export function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = (): void => {
      timer.cancel();
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = clock.schedule(ms, end);
    signal.addEventListener("abort", end, { once: true });
  });
}
