/** What is left of a queue that was deleted goes: messages first, then every row of its cell. */
import type { Clock, SecureRandom } from "../base/index.ts";
import { type CellKey, openWorkList, OPS_PER_COMMIT_MAX, type Store, type WorkList } from "../storage/index.ts";

interface RemovalParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
}

/** Empties the cell of a queue nobody knows any more, through its open list where there is one. */
export async function emptyCell(parts: RemovalParts, cell: CellKey, open?: WorkList): Promise<void> {
  const list = open ?? (await openLeft(parts, cell));
  try {
    await list.purge();
  } finally {
    await list.close();
  }
  for (;;) {
    const rows = await parts.store.list(cell, { prefix: "", limit: OPS_PER_COMMIT_MAX });
    if (rows.length === 0) return;
    await parts.store.commit(
      cell,
      "any",
      rows.map(({ key }) => ({ kind: "delete", cell, key })),
    );
  }
}

/** True when something lies in the cell. */
export async function isLeft(store: Store, cell: CellKey): Promise<boolean> {
  return (await store.list(cell, { prefix: "", limit: 1 })).length > 0 || (await store.read(cell, 1, 1)).length > 0;
}

/** Nothing is handed out of it any more: any rules do. */
function openLeft(parts: RemovalParts, cell: CellKey): Promise<WorkList> {
  const rules = { ordering: "fair", leasesMax: 1, retentionMs: 60_000, deduplicationMs: 60_000 } as const;
  return openWorkList({ ...parts, cell, rules, holders: "here" });
}
