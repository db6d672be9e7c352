import { eachRow } from "../scan.ts";
import { OPS_PER_COMMIT_MAX, type CellKey, type Op, type StateRange, type StateRow, type Store } from "../store.ts";
import { HEAD_KEY, OWN_PREFIX } from "./changes.ts";
import { readHead } from "./read-state.ts";

/** Items of a cell's work list that have not ended, without opening it. */
export async function openItems(store: Store, cell: CellKey): Promise<number> {
  return (await readHead(store, cell))?.open ?? 0;
}

/** Those of them that are on their way to another cell; undefined where the list was written last before it counted them. */
export async function outgoingItems(store: Store, cell: CellKey): Promise<number | undefined> {
  const head = await readHead(store, cell);
  return head ? head.outgoing : 0;
}

/** Rows that the owner of a work list keeps beside it, ordered by key: for readers that are not the owner, and while it is not open. */
export async function readOwnRows(store: Store, cell: CellKey, range: StateRange): Promise<StateRow[]> {
  const after = range.after === undefined ? {} : { after: OWN_PREFIX + range.after };
  const rows = await store.list(cell, { ...range, prefix: OWN_PREFIX + range.prefix, ...after });
  return rows.map(({ key, value }) => ({ key: key.slice(OWN_PREFIX.length), value }));
}

/** All of them. */
export async function* eachOwnRow(store: Pick<Store, "list">, cell: CellKey, rowsPerPage?: number): AsyncGenerator<StateRow> {
  for await (const { key, value } of eachRow(store, cell, OWN_PREFIX, rowsPerPage)) yield { key: key.slice(OWN_PREFIX.length), value };
}

/** One of them. */
export function readOwnRow(store: Pick<Store, "get">, cell: CellKey, key: string): Promise<Uint8Array | undefined> {
  return store.get(cell, OWN_PREFIX + key);
}

/** True for a cell that holds a work list: from its first commit until `removeList` has ended. */
export async function isList(store: Store, cell: CellKey): Promise<boolean> {
  return (await readHead(store, cell)) !== undefined;
}

/**
 * Removes what is left of a work list that is empty and that nobody opens any more; own rows whose keys begin with `keepOwn`
 * stay. The head goes last: until then, whoever finds the cell after a crash knows that there is more to remove.
 */
export async function removeList(store: Store, cell: CellKey, keepOwn?: string): Promise<void> {
  let keys: string[] = [];
  const remove = async (): Promise<void> => {
    const ops = keys.map((key): Op => ({ kind: "delete", cell, key }));
    keys = [];
    if (ops.length > 0) await store.commit(cell, "any", ops);
  };
  for await (const { key } of eachRow(store, cell)) {
    if (key === HEAD_KEY || (keepOwn !== undefined && key.startsWith(OWN_PREFIX + keepOwn))) continue;
    if (keys.push(key) === OPS_PER_COMMIT_MAX) await remove();
  }
  await remove();
  keys = [HEAD_KEY];
  await remove();
}
