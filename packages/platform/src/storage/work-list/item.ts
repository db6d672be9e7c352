import type { Instant } from "../../base/index.ts";
import type { HeapSlots } from "./indexed-heap.ts";

/** Items of one log row. */
export const ITEMS_PER_ROW_MAX = 32;
/** Bytes of bodies after which a log row takes no further item: what one reload of a body reads at most, but for one large item. */
export const ROW_BYTES_TARGET = 128 * 1024;

/** What is known of an item without its body. */
export interface Item {
  readonly row: Row;
  readonly index: number;
  readonly group: string | undefined;
  readonly enqueuedAt: Instant;
  state: ItemState;
  receiveCount: number;
  firstReceivedAt: Instant;
  /** Of the last lease; empty before the first one. */
  nonce: string;
  note: Uint8Array | undefined;
  /** Places in the heap of its group and in that of deadlines. */
  readySlot: number;
  timedSlot: number;
}

export type ItemState =
  | { readonly kind: "waiting"; readonly visibleAt: Instant }
  | { readonly kind: "leased"; readonly until: Instant }
  | { readonly kind: "outgoing"; readonly number: number; readonly target: string }
  | { readonly kind: "ended" };

/** One row of the log: its items end one by one, it is forgotten when all have. */
export interface Row {
  readonly position: number;
  readonly items: Item[];
  open: number;
  /** Something of it differs from what the log says, so it has a state row. */
  stored: boolean;
}

/** Rises with the order of enqueueing. */
export function sequenceOf(position: number, index: number): number {
  return position * ITEMS_PER_ROW_MAX + index;
}

/** The item comes before the other one in the log. */
export function isOlder(left: Item, right: Item): boolean {
  return left.row.position === right.row.position ? left.index < right.index : left.row.position < right.row.position;
}

/** When a deadline of this item is due; never for one that has none. */
export function dueAt(item: Item): Instant {
  switch (item.state.kind) {
    case "waiting":
      return item.state.visibleAt;
    case "leased":
      return item.state.until;
    case "outgoing":
    case "ended":
      return Number.POSITIVE_INFINITY;
  }
}

export const READY_SLOTS: HeapSlots<Item> = { get: (item) => item.readySlot, set: (item, slot) => void (item.readySlot = slot) };
export const TIMED_SLOTS: HeapSlots<Item> = { get: (item) => item.timedSlot, set: (item, slot) => void (item.timedSlot = slot) };

/** An item as it is enqueued. */
export function freshItem(
  row: Row,
  index: number,
  head: { readonly group?: string | undefined; readonly enqueuedAt: Instant; readonly visibleAt: Instant },
): Item {
  return {
    row,
    index,
    group: head.group,
    enqueuedAt: head.enqueuedAt,
    state: { kind: "waiting", visibleAt: head.visibleAt },
    receiveCount: 0,
    firstReceivedAt: 0,
    nonce: "",
    note: undefined,
    readySlot: -1,
    timedSlot: -1,
  };
}
