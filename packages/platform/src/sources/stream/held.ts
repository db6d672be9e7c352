/** What decisions ask of a record that a mapping holds. */
import type { Instant } from "../../base/index.ts";

export interface Held {
  readonly offset: number;
  /** Of its entry in the event. */
  readonly bytes: number;
  readonly arrivedAt: Instant;
  /** Why no function can be called with it. */
  readonly fault: Extract<AsideReason, "notJson" | "inputTooLarge"> | undefined;
}

/** Why records are set aside: told to the on-failure destination, or discarded. */
export type AsideReason = "notJson" | "inputTooLarge" | "expired" | "retriesExhausted";

/** A tumbling window that has begun. */
export interface OpenWindow {
  readonly start: Instant;
  /** What the function said last, as JSON. */
  readonly state: string;
}

/** The window a call is about. */
export interface PieceWindow extends OpenWindow {
  readonly end: Instant;
  /** The call that closes it: it gets no records. */
  readonly closing: "no" | "ended" | "early";
}

/** Records that the function is called with together, in their order. */
export interface Piece<R extends Held> {
  readonly records: readonly R[];
  /** Calls that failed. */
  readonly failures: number;
  /** Calls that were refused since the last one that ran. */
  readonly refusals: number;
  readonly window: PieceWindow | undefined;
}
