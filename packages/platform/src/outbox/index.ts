/** What leaves a cell for targets: deliveries, when they are tried again, and how they end. */
export { Outbox, OUTBOX_DELIVERIES_MAX } from "./outbox.ts";
export type { OutboxParts, TakenDelivery } from "./outbox.ts";
export { afterHandOver, BACK_OFF_WAITS_MS } from "./retry.ts";
export type { Exhausted, RetryPolicy, RetryStep } from "./retry.ts";
export type { DeadDelivery, DueDelivery, NewDelivery } from "./delivery.ts";
export type { HandOver, Parcel, ParcelAttribute, ParcelOptions, ParcelSender, Refusal, Tried } from "./parcel.ts";
export { untilTaken } from "./until-taken.ts";
