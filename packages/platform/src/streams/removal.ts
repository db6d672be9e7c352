/** What is left of a removed stream goes, in the background: who asked for the removal does not wait for it, and a restart takes it up. */
import { isLambentError } from "../base/index.ts";
import { type CellKey, eachCell, eachRealm, eachRow, type Op, OPS_PER_COMMIT_MAX, type Store } from "../storage/index.ts";
import { streamCells } from "./stream-cells.ts";

export interface RemovalParts {
  readonly store: Store;
  readonly onProblem: (error: unknown) => void;
}

export class Removals {
  readonly #parts: RemovalParts;
  readonly #emptying = new Map<CellKey, Promise<void>>();
  #closed = false;

  constructor(parts: RemovalParts) {
    this.#parts = parts;
  }

  /** Empties cells that nobody writes to any more, one after the other. What could not be removed is by the next server. */
  async empty(cells: readonly CellKey[]): Promise<void> {
    for (const cell of cells) {
      if (this.#closed) return;
      const emptying = this.#tellTrouble(() => this.#empty(cell));
      this.#emptying.set(cell, emptying);
      await emptying;
      this.#emptying.delete(cell);
    }
  }

  /** Cells of streams that `isKnown` does not know, and that hold something. */
  async takeUp(isKnown: (streamId: string) => boolean): Promise<void> {
    const { store } = this.#parts;
    for await (const realm of eachRealm(store)) {
      const prefix = streamCells(realm);
      for await (const cell of eachCell(store, prefix)) {
        if (this.#closed) return;
        const [id = ""] = cell.slice(prefix.length).split("/");
        if (isKnown(id) || this.#emptying.has(cell)) continue;
        await this.#tellTrouble(async () => {
          if (await holdsSomething(store, cell)) await this.empty([cell]);
        });
      }
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#emptying.values());
  }

  async #empty(cell: CellKey): Promise<void> {
    const { store } = this.#parts;
    await store.commit(cell, "any", [{ kind: "trim", cell, before: Number.MAX_SAFE_INTEGER }], "maintenance");
    let ops: Op[] = [];
    const remove = async (): Promise<void> => {
      if (ops.length > 0) await store.commit(cell, "any", ops, "maintenance");
      ops = [];
    };
    for await (const { key } of eachRow(store, cell)) {
      if (this.#closed) return;
      if (ops.push({ kind: "delete", cell, key }) === OPS_PER_COMMIT_MAX) await remove();
    }
    await remove();
  }

  async #tellTrouble(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!isLambentError(error, "ShuttingDown", "StorageBusy", "StorageStopped")) this.#parts.onProblem(error);
    }
  }
}

async function holdsSomething(store: Store, cell: CellKey): Promise<boolean> {
  const [rows, log] = await Promise.all([store.list(cell, { prefix: "", limit: 1 }), store.read(cell, 1, 1)]);
  return rows.length + log.length > 0;
}
