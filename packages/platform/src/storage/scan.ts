/** Reading all there is of a kind, a page at a time: nothing of it is in memory but the page. */
import { parseRealmKey, type Realm } from "../model/index.ts";
import { type CellKey, READ_ROWS_MAX, type StateRow, type Store } from "./store.ts";

/** Every state row of a cell whose key begins with `prefix`, in order. */
export async function* eachRow(
  store: Pick<Store, "list">,
  cell: CellKey,
  prefix = "",
  rowsPerPage = READ_ROWS_MAX,
): AsyncGenerator<StateRow> {
  for (let after: string | undefined; ;) {
    const rows = await store.list(cell, { prefix, limit: rowsPerPage, ...(after === undefined ? {} : { after }) });
    yield* rows;
    after = rows.at(-1)?.key;
    if (after === undefined) return;
  }
}

/** Every cell that was committed and whose key begins with `prefix`, in order. */
export async function* eachCell(store: Pick<Store, "cells">, prefix = ""): AsyncGenerator<CellKey> {
  for (let after: CellKey | undefined; ;) {
    const cells: CellKey[] = await store.cells({ prefix, limit: READ_ROWS_MAX, ...(after === undefined ? {} : { after }) });
    yield* cells;
    after = cells.at(-1);
    if (after === undefined) return;
  }
}

/** Every realm that has cells. It is the first word of their keys: one look a realm, however many cells it has. */
export async function* eachRealm(store: Pick<Store, "cells">): AsyncGenerator<Realm> {
  for (let after: CellKey | undefined; ;) {
    const [first] = await store.cells({ prefix: "", limit: 1, ...(after === undefined ? {} : { after }) });
    if (first === undefined) return;
    const word = first.slice(0, first.indexOf("/"));
    const realm = parseRealmKey(word);
    if (realm) yield realm;
    // "0" follows "/" in the order of keys.
    after = `${word}0`;
  }
}
