import type { Clock, Instant, Timer } from "../base/index.ts";

/**
 * The deadlines of an instance's calls on one timer: most calls end long before theirs, so setting and clearing a
 * timer for each would be most of what they cost here.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #due: (callId: number) => void;
  readonly #deadlines = new Map<number, Instant>();
  #timer: Timer | undefined;
  #timerAt: Instant = Infinity;

  constructor(clock: Clock, due: (callId: number) => void) {
    this.#clock = clock;
    this.#due = due;
  }

  set(callId: number, deadline: Instant): void {
    this.#deadlines.set(callId, deadline);
    if (deadline < this.#timerAt) this.#arm(deadline);
  }

  /** The timer stays: it finds nothing due and sets itself to the next deadline. */
  clear(callId: number): void {
    this.#deadlines.delete(callId);
  }

  close(): void {
    this.#deadlines.clear();
    this.#timer?.cancel();
  }

  #arm(at: Instant): void {
    this.#timer?.cancel();
    this.#timerAt = at;
    this.#timer = this.#clock.schedule(at - this.#clock.now(), () => this.#check());
  }

  #check(): void {
    const now = this.#clock.now();
    this.#timer = undefined;
    this.#timerAt = Infinity;
    for (const [callId, deadline] of this.#deadlines) {
      if (deadline > now) continue;
      this.#deadlines.delete(callId);
      this.#due(callId);
    }
    const next = Math.min(...this.#deadlines.values());
    if (next < this.#timerAt) this.#arm(next);
  }
}
