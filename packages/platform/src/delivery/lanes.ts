/**
 * How many deliveries of one lane are tried at once, and when a lane is left alone. Pure, but for the map it keeps: the same
 * outcomes at the same times lead to the same lanes.
 *
 * A target that does not answer holds up its own lane only: after a failure fewer are tried at once, after several in a row none
 * for a while, and then one, until it takes one.
 */
import type { MonotonicMs } from "../base/index.ts";
import type { HandOver, Refusal } from "../outbox/index.ts";

/** Deliveries of one lane that are tried at once. @limit */
export const LANE_TRIED_MAX = 64;
const TRIED_AT_START = 8;
/** Failures in a row after which a lane is left alone. */
const FAILURES_IN_ROW = 5;
/** How long, doubled with each failure more. */
const PAUSE_MS_MIN = 1_000;
const PAUSE_MS_MAX = 60_000;
/** Lanes that are remembered for their failures; of more, those with nothing under way are as new (P7). */
export const LANES_KNOWN_MAX = 10_000;

interface Lane {
  tried: number;
  /** Deliveries that may be tried at once. */
  limit: number;
  failures: number;
  /** Of the last failure, while there was none that was taken since. */
  refusal: Refusal | undefined;
  pausedUntil: MonotonicMs;
}

export class Lanes {
  readonly #lanes = new Map<string, Lane>();
  readonly #limitMax: number;

  constructor(limitMax: number = LANE_TRIED_MAX) {
    this.#limitMax = limitMax;
  }

  /** Whether one more delivery of the lane may be tried now. */
  isOpen(key: string, now: MonotonicMs): boolean {
    const lane = this.#lanes.get(key);
    return lane === undefined || (lane.tried < lane.limit && lane.pausedUntil <= now);
  }

  /** A delivery of the lane is being tried. */
  begin(key: string): void {
    const lane = this.#lanes.get(key) ?? this.#made(key);
    lane.tried += 1;
  }

  /** Why the lane's target takes nothing of late; undefined when it does, or was not asked. */
  refusalOf(key: string): Refusal | undefined {
    return this.#lanes.get(key)?.refusal;
  }

  /** Until when the lane is left alone: the past, where it is not. */
  pausedUntil(key: string): MonotonicMs {
    return this.#lanes.get(key)?.pausedUntil ?? 0;
  }

  /** How it went. Returns until when the lane is left alone, where it is. */
  end(key: string, outcome: HandOver, now: MonotonicMs): MonotonicMs | undefined {
    const lane = this.#lanes.get(key);
    if (!lane) return undefined;
    lane.tried -= 1;
    switch (outcome.kind) {
      case "taken":
      case "never":
        lane.failures = 0;
        lane.refusal = undefined;
        lane.limit = Math.min(this.#limitMax, lane.limit + 1);
        break;
      case "wait":
        lane.pausedUntil = Math.max(lane.pausedUntil, now + outcome.ms);
        break;
      case "later":
        lane.failures += 1;
        lane.refusal = outcome.refusal;
        lane.limit = Math.max(1, Math.floor(lane.limit / 2));
        if (lane.failures >= FAILURES_IN_ROW)
          lane.pausedUntil = now + Math.min(PAUSE_MS_MAX, PAUSE_MS_MIN * 2 ** Math.min(16, lane.failures - FAILURES_IN_ROW));
    }
    if (lane.pausedUntil > now) return lane.pausedUntil;
    // A lane whose last delivery was taken, and that has nothing under way, is as one that is not known.
    if (lane.tried === 0 && lane.failures === 0) this.#lanes.delete(key);
    return undefined;
  }

  #made(key: string): Lane {
    if (this.#lanes.size >= LANES_KNOWN_MAX) this.#forgetOne();
    const lane = { tried: 0, limit: Math.min(TRIED_AT_START, this.#limitMax), failures: 0, refusal: undefined, pausedUntil: 0 };
    this.#lanes.set(key, lane);
    return lane;
  }

  #forgetOne(): void {
    for (const [key, { tried }] of this.#lanes) if (tried === 0) return void this.#lanes.delete(key);
  }
}
