import type { Clock, Instant, Timer } from "../base/index.ts";

/** Whether the time of init and of calls is limited: not while a debugger may hold them. */
export type TimeLimits = "counted" | "suspended";

type Time =
  | { readonly kind: "counted" }
  /** By call, the time it has once time counts. */
  | { readonly kind: "suspended"; readonly lengthsMs: Map<number, number> };

/**
 * The deadlines of an instance's calls on one timer: most calls end long before theirs, so setting and clearing a
 * timer for each would be most of what they cost here. Kept on the monotonic scale: a wall clock that is set does not
 * move them (P10).
 *
 * Where a debugger may hold a call, none is counted until `count` says so; each call then has its whole time before it.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #due: (callId: number) => void;
  /** By call, when it is due on the monotonic scale. */
  readonly #dueAtMs = new Map<number, number>();
  #time: Time;
  #timer: Timer | undefined;
  #timerAtMs = Infinity;

  constructor(clock: Clock, due: (callId: number) => void, time: TimeLimits = "counted") {
    this.#clock = clock;
    this.#due = due;
    this.#time = time === "suspended" ? { kind: time, lengthsMs: new Map() } : { kind: time };
  }

  set(callId: number, deadline: Instant): void {
    this.setIn(callId, deadline - this.#clock.now());
  }

  setIn(callId: number, lengthMs: number): void {
    if (this.#time.kind === "suspended") return void this.#time.lengthsMs.set(callId, lengthMs);
    const dueAtMs = this.#clock.monotonicMs() + lengthMs;
    this.#dueAtMs.set(callId, dueAtMs);
    if (dueAtMs < this.#timerAtMs) this.#arm(dueAtMs);
  }

  /** Time counts from now on. */
  count(): void {
    if (this.#time.kind === "counted") return;
    const { lengthsMs } = this.#time;
    this.#time = { kind: "counted" };
    for (const [callId, lengthMs] of lengthsMs) this.setIn(callId, lengthMs);
  }

  /** The timer stays: it finds nothing due and sets itself to the next deadline. */
  clear(callId: number): void {
    this.#dueAtMs.delete(callId);
    if (this.#time.kind === "suspended") this.#time.lengthsMs.delete(callId);
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
