import { deferred, LambentError } from "../../base/index.ts";

/** Who may wait for records of one partition at once (P7). @limit */
const WAITERS_MAX = 10_000;

interface Waiter {
  readonly offset: number;
  resolve(): void;
}

/** Those who wait until a partition goes beyond an offset (P6). */
export class Waiters {
  readonly #waiters = new Set<Waiter>();

  /** Resolves once it is woken, or the signal aborts. */
  wait(offset: number, signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    if (this.#waiters.size >= WAITERS_MAX)
      throw new LambentError("Throttled", `${WAITERS_MAX} readers wait for records of this partition already, which is the bound.`);
    const { promise, resolve } = deferred<void>();
    const waiter: Waiter = {
      offset,
      resolve: () => {
        this.#waiters.delete(waiter);
        signal?.removeEventListener("abort", waiter.resolve);
        resolve();
      },
    };
    this.#waiters.add(waiter);
    signal?.addEventListener("abort", waiter.resolve, { once: true });
    return promise;
  }

  /** The partition has the records before `end`. */
  wake(end: number): void {
    for (const waiter of [...this.#waiters]) if (waiter.offset < end) waiter.resolve();
  }
}
