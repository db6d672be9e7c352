/** One event on its way to one target, as its cell keeps it. */
import type { Instant } from "../base/index.ts";
import type { LedgerRecord } from "../ledger/index.ts";
import type { Parcel, Refusal } from "./parcel.ts";
import type { Exhausted, RetryPolicy } from "./retry.ts";

/** What a holder (bus, schedules, topic) hands to its outbox. */
export interface NewDelivery {
  /** Time-ordered (`timeOrderedId`): names the record in the ledger, here and later at a function that takes it over. */
  readonly id: string;
  readonly parcel: Parcel;
  /** Deliveries of one lane wait for each other when its target does not answer; other lanes never do. By default the parcel's target. */
  readonly lane?: string | undefined;
  /** How it came, for the ledger. */
  readonly source: LedgerRecord["source"];
  /** ARN of the rule, schedule, subscription it comes from. */
  readonly origin: string;
  /** What it is about, for people: a detail-type, a schedule's name. */
  readonly subject?: string | undefined;
  readonly cause: string | undefined;
  readonly correlation: string;
  readonly acceptedAt: Instant;
  /** When it was due, where that is not when it was accepted: schedules. */
  readonly dueAt?: Instant | undefined;
  readonly retry: RetryPolicy;
  /** ARN of the queue that gets what could not be delivered. */
  readonly deadLetter?: string | undefined;
  /** Hidden for this long. */
  readonly delayMs?: number | undefined;
}

/** A delivery that is being tried: what `delivery/` gets, and gives back with how it went. */
export interface DueDelivery {
  readonly id: string;
  readonly parcel: Parcel;
  readonly lane: string;
  readonly source: LedgerRecord["source"];
  readonly origin: string;
  readonly subject: string | undefined;
  readonly dueAt: Instant | undefined;
  readonly cause: string | undefined;
  readonly correlation: string;
  readonly acceptedAt: Instant;
  /** Attempts before this one. */
  readonly attempts: number;
  /** It may have been handed over before: by an attempt that a crash interrupted. */
  readonly again: boolean;
}

/** What a holder is asked when a delivery ended in vain and has a dead-letter queue: the attributes of its message there. */
export interface DeadDelivery {
  readonly delivery: DueDelivery;
  readonly attempts: number;
  readonly why: Exhausted;
  readonly refusal: Refusal;
}
