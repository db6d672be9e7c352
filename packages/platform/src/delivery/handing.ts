/** What every kind of target is: whose ARNs it takes, how a parcel gets there, and which form the outcome of an invocation has for it. */
import { isLambentError } from "../base/index.ts";
import type { InvocationOutcome } from "../invoker/index.ts";
import type { DueDelivery, HandOver, Parcel, ParcelOptions, ParcelSender, Refusal } from "../outbox/index.ts";

/** A parcel on its way, with what the target needs to take it once. */
export interface Handing {
  /** Names the event for this target: a target that keeps a record takes it over. */
  readonly id: string;
  readonly parcel: Parcel;
  readonly from: Pick<DueDelivery, "source" | "origin" | "subject" | "dueAt" | "cause" | "correlation">;
  /** It may have been handed over before. */
  readonly again: boolean;
  /** Where handings of one source keep their order: the target takes each number once. */
  readonly once?: { readonly source: string; readonly number: number } | undefined;
}

/** How the target answered; the table adds how long it took. */
export type Answer =
  | { readonly kind: "taken"; readonly recorded: boolean }
  | { readonly kind: "later" | "never"; readonly refusal: Refusal }
  | Extract<HandOver, { readonly kind: "wait" }>;

export type Together = readonly [Handing, ...Handing[]];

export interface TargetKind {
  takes(target: string): boolean;
  /** Handings of one sender to one target that go in one step; without it, one. */
  readonly togetherMax?: number;
  /** Hands over, in order. What it throws is a refusal, or ends all delivering. */
  handOver(handings: Together): Promise<readonly Answer[]>;
  /** Throws what keeps a parcel of the sender's from being taken, before there is one: who binds a target is told at once. */
  admit?(sender: ParcelSender, target: string): Promise<void>;
  /** What of an invocation's outcome the target gets; undefined: it is no destination of invocations. */
  outcome?(outcome: InvocationOutcome, target: string): { readonly payload: Buffer; readonly options: ParcelOptions };
}

/** What the sender has to be allowed. */
export interface DeliveryPermission {
  readonly sender: ParcelSender;
  readonly action: string;
  readonly resource: string;
  readonly resourcePolicy: string | undefined;
}

/** Throws `AccessDenied` when neither the sender's role nor the target's policy allows it. */
export type Authorize = (permission: DeliveryPermission) => void;

export const TAKEN: Answer = { kind: "taken", recorded: false };

const SAYS_NOTHING_OF_THE_TARGET: ReadonlySet<string> = new Set(["ShuttingDown", "StorageStopped", "StorageCorrupt", "InternalError"]);

/** What an error says of the target; throws what says nothing of it: the storage stopped, or the server does. */
export function refusalOf(error: unknown): Answer {
  if (isLambentError(error, "NotFound")) return never("RESOURCE_NOT_FOUND", error.message);
  if (isLambentError(error, "AccessDenied")) return never("NO_PERMISSIONS", error.message);
  if (isLambentError(error, "EgressRefused")) return never("EGRESS_REFUSED", error.message);
  if (isLambentError(error, "StorageBusy", "Throttled")) return { kind: "later", refusal: { code: "THROTTLING", message: error.message } };
  if (!isLambentError(error) || SAYS_NOTHING_OF_THE_TARGET.has(error.code)) throw error;
  // Whatever else an operation of a service says of what it was called with.
  return error.entry.retryable
    ? { kind: "later", refusal: { code: "NOT_READY", message: error.message } }
    : never("SDK_CLIENT_ERROR", error.message);
}

export function never(code: string, message: string): Answer {
  return { kind: "never", refusal: { code, message } };
}
