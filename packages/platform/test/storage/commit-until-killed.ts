/** A child of the kill test: commits on several cells at once and prints each acknowledgement, until it is killed. */
import { writeSync } from "node:fs";
import { openSqliteStore, type Store } from "../../src/storage/index.ts";

async function commitForever(store: Store, cell: string): Promise<void> {
  for (let count = 1; ; count++) {
    const value = Buffer.from(`${cell} ${count}`);
    await store.commit(cell, "any", [
      { kind: "append", cell, value },
      { kind: "put", cell, key: "count", value },
    ]);
    writeSync(1, `${cell} ${count}\n`);
  }
}

const store = await openSqliteStore({ file: process.argv[2] ?? "" });
await Promise.all(Array.from({ length: 8 }, (_, index) => commitForever(store, `cell-${index}`)));
