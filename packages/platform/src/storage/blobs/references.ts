import type { CellKey, Store } from "../store.ts";
import { eachCell, eachRow } from "../scan.ts";

/** Which bodies the rows of some cells refer to. Each part that keeps references in its rows has one; bodies nobody names are swept. */
export interface BlobReferences {
  /** Whether rows of this cell may refer to bodies. */
  isIn(cell: CellKey): boolean;
  /** Digests that a row's value, of the state or of the log, refers to. */
  of(value: Uint8Array): readonly string[];
}

/** Rows fetched at once: they are decoded on the thread that serves everybody. */
const ROWS_PER_PAGE = 100;

/** Every body that a row refers to, with one cell whose row does. Throws `StorageCorrupt` for a cell that cannot be read. */
export async function referencedBlobs(store: Store, references: readonly BlobReferences[]): Promise<Map<string, CellKey>> {
  const found = new Map<string, CellKey>();
  for await (const cell of eachCell(store)) {
    for (const reference of references.filter((each) => each.isIn(cell))) {
      for await (const value of allValues(store, cell)) for (const digest of reference.of(value)) found.set(digest, cell);
    }
  }
  return found;
}

async function* allValues(store: Store, cell: CellKey): AsyncGenerator<Uint8Array> {
  for await (const { value } of eachRow(store, cell, "", ROWS_PER_PAGE)) yield value;
  for (let from = 1; ;) {
    const rows = await store.read(cell, from, ROWS_PER_PAGE);
    for (const { value } of rows) yield value;
    const last = rows.at(-1);
    if (!last) return;
    from = last.position + 1;
  }
}
