/**
 * The durable waiting work of one cell: items wait in the cell's log, are leased, and end in exactly one way. Serves
 * queues, asynchronous invocations, and whatever leaves a cell for another one (its outgoing items).
 *
 * Keeps P1 (an outcome is told after its commit), P4 (groups), P6 (waiters are woken, nothing polls), P7 (memory does
 * not grow with the number of waiting items), P10 (deadlines survive a clock that goes back). What an item means, how often it is
 * tried and what its body says is its owner's business. docs/decisions/0014 says how it lies in the store.
 */
import type { Instant, MonotonicMs } from "../../base/index.ts";
import type { StateRange } from "../store.ts";

/** Bytes of one item's body. */
export const ITEM_BYTES_MAX = 2 * 1024 * 1024;
/** Items one call enqueues. Without one left over at a crash: a call's items are all there or none. */
export const ITEMS_PER_CALL_MAX = 100;
/** Bytes of what is remembered with an item from one lease to the next. */
export const NOTE_BYTES_MAX = 1_024;
/** Callers that wait for the first item of one list; one more is refused with `Throttled` (P7). */
export const LIST_WAITERS_MAX = 10_000;
/** Commands that wait for their turn at one list; one more is refused with `StorageBusy` (P7). */
export const LIST_COMMANDS_MAX = 20_000;
/** Deduplication ids one list remembers; one more is refused with `Throttled` (P7). */
export const DEDUPLICATIONS_MAX = 500_000;
/** Items of one list on their way to another cell; beyond it none is sent on (P7). */
export const OUTGOING_MAX = 10_000;

export interface NewItem {
  /** The owner's name for it, at most 128 characters. */
  readonly id: string;
  readonly body: Uint8Array;
  /** Items of a group keep their order (`fifo`), or share fairly with other groups (`fair`). */
  readonly group?: string | undefined;
  /** A second item with this id within `deduplicationMs` is a duplicate. */
  readonly deduplication?: string | undefined;
  /** Hidden for this long, from now. */
  readonly delayMs?: number | undefined;
  /** Since when it exists, where that is not now: an item that comes from another list keeps its age. */
  readonly enqueuedAt?: Instant | undefined;
  /**
   * Where it comes from: the other cell and that cell's number for it. A number that is not above the last one of that
   * source is a duplicate, so a source sends in the order of its numbers and may send again after a crash.
   */
  readonly delivery?: { readonly source: string; readonly number: number } | undefined;
  /** It is not for leasing but for another cell: see `outgoing`. */
  readonly target?: string | undefined;
}

export type EnqueueOutcome =
  | { readonly kind: "enqueued"; readonly id: string; readonly sequence: number }
  /** It was there before; `id` and `sequence` are those of the first one where they are known. */
  | { readonly kind: "duplicate"; readonly id: string; readonly sequence: number };

/** A row of the owner's own in the same commit as a command: `undefined` removes it. Kept beside the list's own rows. */
export interface OwnRow {
  readonly key: string;
  readonly value: Uint8Array | undefined;
}

export interface LeasedItem {
  readonly id: string;
  readonly body: Uint8Array;
  /** Names this lease; a later lease of the same item has another one. At most 48 characters of A–Z, a–z, 0–9, `.`, `-`, `_`. */
  readonly receipt: string;
  /** Rises with the order of enqueueing. */
  readonly sequence: number;
  readonly group: string | undefined;
  readonly enqueuedAt: Instant;
  /** Leases so far, this one included. */
  readonly receiveCount: number;
  readonly firstReceivedAt: Instant;
  /** When this lease began. Its holder reckons from here: the answer may have been on its way for long. */
  readonly leasedAt: MonotonicMs;
  /** What the last `release` or `extend` left with it. */
  readonly note: Uint8Array | undefined;
}

export interface LeaseRequest {
  /** 1–10,000. */
  readonly max: number;
  readonly leaseMs: number;
  /** Waits this long for the first item; 0 does not wait. */
  readonly waitMs: number;
  /** Ends the waiting: the outcome is then `leased` with no items. */
  readonly signal?: AbortSignal | undefined;
}

export type LeaseOutcome =
  /** Maybe empty. */
  | { readonly kind: "leased"; readonly items: readonly LeasedItem[] }
  /** `leasesMax` leases are live. */
  | { readonly kind: "overLimit" }
  /** The list was closed or removed while the caller waited. */
  | { readonly kind: "closed" };

export type SettleOutcome =
  | { readonly kind: "settled" }
  /** The lease has ended by time, and nobody leased it since. Nothing changed, unless `evenExpired`. */
  | { readonly kind: "expired" }
  /** A later lease has taken its place. */
  | { readonly kind: "stale" }
  /** It has ended before. */
  | { readonly kind: "gone" }
  /** No receipt of this list. */
  | { readonly kind: "unknown" };

export type ExtendOutcome = { readonly kind: "extended" } | Exclude<SettleOutcome, { readonly kind: "settled" }>;

/** How items of a list ended, counted since it exists (P2). */
export interface ListTotals {
  readonly settled: number;
  readonly expired: number;
  readonly sentOn: number;
  readonly purged: number;
}

export interface ListCounts {
  /** Waiting and visible, and those whose delay is not known yet because they were not read since the start. */
  readonly visible: number;
  readonly delayed: number;
  readonly leased: number;
  readonly outgoing: number;
  readonly totals: ListTotals;
  /** When the oldest item that is known was enqueued. */
  readonly oldestAt: Instant | undefined;
}

export interface OutgoingItem {
  /** Rises; what the target is told as `delivery.number`. */
  readonly number: number;
  readonly target: string;
  readonly id: string;
  readonly body: Uint8Array;
  readonly group: string | undefined;
  readonly enqueuedAt: Instant;
  readonly sequence: number;
}

/** Rules of a list that may change while it is open; what is not named stays. */
export interface ListRules {
  /**
   * `fifo`: an item of a group is handed out only when no lease on that group is live, in order (P4).
   * `fair`: groups take turns; items without a group are one group of their own.
   */
  readonly ordering: "fifo" | "fair";
  /** Live leases at once. */
  readonly leasesMax: number;
  /** An item older than this is not handed out any more but ends as expired. */
  readonly retentionMs: number;
  readonly deduplicationMs: number;
  /** An item leased this often is sent to `target` instead of being leased once more. */
  readonly sendOn?: { readonly afterReceives: number; readonly target: string } | undefined;
}

export interface WorkList {
  /** Adds `items`, all in one commit; each gets its outcome. `rows` are written in that commit; as a function, they are what follows from the outcomes. */
  enqueue(
    items: readonly NewItem[],
    rows?: readonly OwnRow[] | ((outcomes: readonly EnqueueOutcome[]) => readonly OwnRow[]),
  ): Promise<EnqueueOutcome[]>;
  /** Leases the next items. Callers are served in the order of their calls. */
  lease(request: LeaseRequest): Promise<LeaseOutcome>;
  /** Ends an item for good. What is in `enqueue` joins the list, and `rows` are written in the same commit, and only if it was settled. */
  settle(
    receipt: string,
    options?: { readonly evenExpired?: boolean; readonly enqueue?: readonly NewItem[]; readonly rows?: readonly OwnRow[] },
  ): Promise<SettleOutcome>;
  /** Makes a live lease end `leaseMs` from now; 0 gives the item back. */
  extend(receipt: string, leaseMs: number): Promise<ExtendOutcome>;
  /** Gives an item back, hidden for `delayMs`, with a note for whoever leases it next. `rows` are written in the same commit, and only if it was given back. */
  release(
    receipt: string,
    options: { readonly delayMs: number; readonly note?: Uint8Array; readonly rows?: readonly OwnRow[] },
  ): Promise<ExtendOutcome>;
  /** Gives up to `max` (1–1,000) waiting items to another cell instead of leasing them; resolves with how many. */
  sendOn(max: number, target: string): Promise<number>;
  /** Items for other cells in the order of their numbers, behind number `after`, at most `max` (1–100). */
  outgoing(max: number, after?: number): Promise<OutgoingItem[]>;
  /** The target has them durably: they end as sent on. `rows` are written in the same commit. */
  settleOutgoing(numbers: readonly number[], rows?: readonly OwnRow[]): Promise<void>;
  /** They cannot be sent: they wait here again. */
  returnOutgoing(numbers: readonly number[]): Promise<void>;
  /** Nothing of the group is leased until it is freed; other groups have their turns. Not durable. */
  holdGroup(group: string): void;
  freeGroup(group: string): void;
  /** Ends everything there is, leased or not. */
  purge(): Promise<void>;
  /** Changes rules from the next decision on. */
  configure(rules: Partial<ListRules>): void;
  /** What is known at this moment; not behind a commit. */
  counts(): ListCounts;
  /** Writes rows of the owner's own. */
  writeRows(rows: readonly OwnRow[]): Promise<void>;
  /** Those of `keys`, at most `READ_KEYS_MAX`, in their order and all of one moment. */
  getRows(keys: readonly string[]): Promise<(Uint8Array | undefined)[]>;
  /** Reads rows of the owner's own, ordered by key. */
  readRows(range: StateRange): Promise<{ key: string; value: Uint8Array }[]>;
  /** Ends all waiting; later calls reject with `ShuttingDown`. What was taken before is still decided. */
  close(): Promise<void>;
}
