/** What lies in the cell of a group that nobody has opened, and the end of what groups left that are no more. */
import type { Clock, Instant } from "../base/index.ts";
import { LEDGER_KEEP_MS_MIN } from "../ledger/index.ts";
import type { Outbox } from "../outbox/index.ts";
import { type CellKey, openItems, readOwnRows, removeList, type Store } from "../storage/index.ts";
import { DUE_PREFIX, fireAtOf } from "./rows.ts";

/** Records looked at together. */
const RECORDS_AT_ONCE = 100;

/** When something of the group is due first: one read, however many schedules it has. */
export async function firstDue(store: Store, cell: CellKey): Promise<Instant | undefined> {
  const [row] = await readOwnRows(store, cell, { prefix: DUE_PREFIX, limit: 1 });
  return row && fireAtOf(row.key);
}

/** True when deliveries of the group have not ended. */
export async function hasDeliveries(store: Store, cell: CellKey): Promise<boolean> {
  return (await openItems(store, cell)) > 0;
}

/** Forgets what the ledger of a group that is no more need not keep any longer; true when there is nothing left to keep. */
export async function forgetPast(outbox: Pick<Outbox, "ledger" | "writeRows">, clock: Clock): Promise<boolean> {
  const { ledger } = outbox;
  const keptFrom = clock.now() - LEDGER_KEEP_MS_MIN;
  let kept = 0;
  for (let after: string | undefined; ;) {
    const records = await ledger.page(after, RECORDS_AT_ONCE);
    after = records.at(-1)?.id;
    if (after === undefined) return kept === 0;
    const past = records.filter(({ state }) => state.kind === "ended" && state.at < keptFrom);
    kept += records.length - past.length;
    if (past.length > 0) await outbox.writeRows(ledger.forget(past));
  }
}

/** Removes the cell of a group that is no more and that nobody has open. */
export function removeCell(store: Store, cell: CellKey): Promise<void> {
  return removeList(store, cell);
}
