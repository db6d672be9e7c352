/**
 * What became of one accepted event for one target (P2): a row of the commit that changes it, in the cell of the event.
 *
 * A record is written when the event is accepted (asynchronous invocations) or when its first delivery ends (queue messages,
 * which belong to their queue until then), again with every attempt, and for the last time with its outcome.
 */
import type { Instant } from "../base/index.ts";

/** Attempts a record keeps in full; of more, the first and the latest stay, and `attemptCount` tells. @limit */
export const LEDGER_ATTEMPTS_KEPT_MAX = 10;

/** Why an event ended without being handled and without a dead-letter target. A closed list. */
export type DiscardReason =
  /** Every attempt failed, and nobody is named to get what failed. */
  | "retriesExhausted"
  /** About 16 hops through functions that trigger each other. */
  | "recursion"
  /** The function's reserved concurrency is 0: it is not to be called. */
  | "zeroConcurrency"
  /** Somebody cancelled it. */
  | "cancelled"
  | "functionDeleted"
  /** Its queue was purged, or deleted, while it waited there. */
  | "purged"
  | "queueDeleted"
  /** Accepted, and no listener's pattern or filter matched it. */
  | "noListener"
  /** Another event of the same key took its place (debounce, idempotency key). */
  | "superseded"
  /** The target, the destination or the dead-letter queue is gone or refused it for good. */
  | "targetGone"
  /** What a target would get of it (by a rule's template, as a record of a stream's event) is more than it takes. */
  | "inputTooLarge"
  /** A value of a stream whose function takes JSON. */
  | "notJson"
  /** A schedule's time that passed while nobody was there to keep it. */
  | "missed";

export type Outcome =
  | { readonly kind: "handled" }
  | {
      readonly kind: "deadLettered";
      readonly target: string;
      readonly reason: "retriesExhausted" | "expired" | "recursion" | "zeroConcurrency" | "targetGone" | "inputTooLarge" | "notJson";
    }
  | { readonly kind: "expired" }
  | { readonly kind: "discarded"; readonly reason: DiscardReason };

export type RecordState =
  /** Waits to be tried; `nextAt` is absent where nothing but capacity is waited for. */
  | { readonly kind: "waiting"; readonly nextAt: Instant | undefined }
  | { readonly kind: "running"; readonly since: Instant }
  | { readonly kind: "ended"; readonly at: Instant; readonly outcome: Outcome };

export interface Attempt {
  readonly at: Instant;
  readonly durationMs: number;
  /** The invocation's request id: finds its log lines and its usage record. */
  readonly requestId: string;
  readonly version: string | undefined;
  readonly result: "ok" | "functionError" | "timeout" | "throttled" | "unavailable";
  /** The function's error type and message, cut to 256 characters. */
  readonly error: string | undefined;
}

export interface LedgerRecord {
  /** The id that whoever published the event was told: a request id, a message id. Time-ordered (`timeOrderedId`). */
  readonly id: string;
  /** How the event came. */
  readonly source: "invoke" | "queue" | "bus" | "schedule" | "topic" | "objects" | "stream";
  /** Where it came from in detail: ARN of a queue, rule, schedule, subscription; undefined for a direct call. */
  readonly origin: string | undefined;
  /** What it is about, for people: a detail-type, the name of a schedule. */
  readonly subject?: string | undefined;
  /** Which records of a stream it is about: some of those from `first` to `last`, and no other batch's. */
  readonly offsets?: { readonly shard: number; readonly first: number; readonly last: number; readonly count: number } | undefined;
  /** ARN of what it is for: a function, a queue, an endpoint; of an event on a bus or a topic as such, the bus or the topic. */
  readonly target: string;
  /** When it was due, where that is not when it was accepted. */
  readonly dueAt?: Instant | undefined;
  readonly acceptedAt: Instant;
  /** The event whose handling published this one. */
  readonly cause: string | undefined;
  /** The first event of the chain; its own id when it has no cause. */
  readonly correlation: string;
  readonly attemptCount: number;
  readonly attempts: readonly Attempt[];
  /** The destination or dead-letter queue that did not take the outcome for good. */
  readonly undelivered?: string | undefined;
  readonly state: RecordState;
}
