import type { CellKey, StateRow, Store } from "../store.ts";
import { OWN_PREFIX } from "./changes.ts";
import { readHead } from "./read-state.ts";

/** Items of a cell's work list that have not ended, without opening it. */
export async function openItems(store: Store, cell: CellKey): Promise<number> {
  return (await readHead(store, cell))?.open ?? 0;
}

/** Rows that the owner of a work list keeps beside it, ordered by key: for readers that are not the owner, and while it is not open. */
export async function readOwnRows(
  store: Store,
  cell: CellKey,
  range: { readonly prefix: string; readonly after?: string; readonly limit: number },
): Promise<StateRow[]> {
  const after = range.after === undefined ? {} : { after: OWN_PREFIX + range.after };
  const rows = await store.list(cell, { prefix: OWN_PREFIX + range.prefix, limit: range.limit, ...after });
  return rows.map(({ key, value }) => ({ key: key.slice(OWN_PREFIX.length), value }));
}
