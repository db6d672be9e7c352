/** What lies in the cell of a group that nobody has open, and the end of one that is no more. */
import type { Instant } from "../base/index.ts";
import { type CellKey, openItems, readOwnRows, removeList, type Store } from "../storage/index.ts";
import { DUE_PREFIX, fireAtOf } from "./rows.ts";

/** When something of the group is due first: one read, however many schedules it has. */
export async function firstDue(store: Store, cell: CellKey): Promise<Instant | undefined> {
  const [row] = await readOwnRows(store, cell, { prefix: DUE_PREFIX, limit: 1 });
  return row && fireAtOf(row.key);
}

/** True when deliveries of the group have not ended. */
export async function hasDeliveries(store: Store, cell: CellKey): Promise<boolean> {
  return (await openItems(store, cell)) > 0;
}

/** Removes the cell of a group that is no more and that nobody has open. */
export function removeCell(store: Store, cell: CellKey): Promise<void> {
  return removeList(store, cell);
}
