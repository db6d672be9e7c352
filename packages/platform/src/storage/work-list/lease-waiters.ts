import { deferred, LambentError, type Clock, type Deferred, type Timer } from "../../base/index.ts";
import { LIST_WAITERS_MAX, type LeaseOutcome, type LeaseRequest } from "./work-list.ts";

/** One caller of `lease`, until it is served. */
export interface Waiter {
  readonly request: LeaseRequest;
  readonly answer: Deferred<LeaseOutcome>;
  /** Undefined: it does not wait, and is answered as soon as it is known whether there is something. */
  readonly timer: Timer | undefined;
  readonly leave: () => void;
}

const NOTHING: LeaseOutcome = { kind: "leased", items: [] };

/** Callers of `lease` in the order of their calls. */
export class LeaseWaiters {
  readonly #clock: Clock;
  readonly #waiting = new Set<Waiter>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#waiting.size;
  }

  [Symbol.iterator](): Iterator<Waiter> {
    return this.#waiting[Symbol.iterator]();
  }

  add(request: LeaseRequest): Promise<LeaseOutcome> {
    if (this.#waiting.size >= LIST_WAITERS_MAX)
      throw new LambentError("Throttled", `${LIST_WAITERS_MAX} callers wait for this queue's next message, which is the bound.`);
    const { signal, waitMs } = request;
    const answer = deferred<LeaseOutcome>();
    if (signal?.aborted) return Promise.resolve(NOTHING);
    const leave = (): void => {
      this.remove(waiter);
      answer.resolve(NOTHING);
    };
    const waiter: Waiter = { request, answer, leave, timer: waitMs > 0 ? this.#clock.schedule(waitMs, leave) : undefined };
    signal?.addEventListener("abort", leave, { once: true });
    this.#waiting.add(waiter);
    return answer.promise;
  }

  remove(waiter: Waiter): void {
    this.#waiting.delete(waiter);
    waiter.timer?.cancel();
    waiter.request.signal?.removeEventListener("abort", waiter.leave);
  }

  /** Answers those that do not wait. */
  answerImpatient(outcome: LeaseOutcome): void {
    for (const waiter of this.#waiting) {
      if (waiter.timer) continue;
      this.remove(waiter);
      waiter.answer.resolve(outcome);
    }
  }

  answerAll(outcome: LeaseOutcome): void {
    for (const waiter of this.#waiting) {
      this.remove(waiter);
      waiter.answer.resolve(outcome);
    }
  }

  /** The same, where what there is cannot be known. */
  rejectImpatient(error: unknown): void {
    for (const waiter of this.#waiting) {
      if (waiter.timer) continue;
      this.remove(waiter);
      waiter.answer.reject(error);
    }
  }

  rejectAll(error: unknown): void {
    for (const waiter of this.#waiting) {
      this.remove(waiter);
      waiter.answer.reject(error);
    }
  }
}
