import type { Instant } from "../base/index.ts";

/** Messages of a dead-letter queue on their way back, or to another queue. */
export interface MoveTask {
  readonly id: string;
  /** ARN of the dead-letter queue. */
  readonly source: string;
  /** Undefined: every message goes to the queue it came from. */
  readonly destination: string | undefined;
  readonly messagesPerSecond: number | undefined;
  readonly startedAt: Instant;
  readonly toMove: number;
  readonly moved: number;
  readonly status: MoveStatus;
}

export type MoveStatus =
  | { readonly kind: "running" }
  | { readonly kind: "completed" }
  | { readonly kind: "cancelled" }
  | { readonly kind: "failed"; readonly why: string };

/** Tasks of one queue that are listed, and kept. @limit */
export const MOVE_TASKS_LISTED_MAX = 10;
/** @limit */
export const MOVES_PER_SECOND_MAX = 500;
