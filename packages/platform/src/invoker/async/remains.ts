/** Whether a cell of asynchronous events has anything left to do, and the end of the events of a function that is no more. */
import type { Clock } from "../../base/index.ts";
import { ended, LEDGER_KEEP_MS_MIN, type LedgerRecord } from "../../ledger/index.ts";
import { openItems, readOwnRows, type CellKey, type Store } from "../../storage/index.ts";
import type { FunctionEvents } from "./function-events.ts";

/** Records ended in one commit. */
const RECORDS_PER_COMMIT = 30;

/** True when items wait in the cell, or usage that was not handed over. */
export async function hasWork(store: Store, cell: CellKey): Promise<boolean> {
  if ((await openItems(store, cell)) > 0) return true;
  return (await readOwnRows(store, cell, { prefix: "usage/", limit: 1 })).length > 0;
}

/** True when the cell of a function that is no more has work, or records that will be forgotten one day. */
export async function holdsAnything(store: Store, cell: CellKey): Promise<boolean> {
  return (await hasWork(store, cell)) || (await readOwnRows(store, cell, { prefix: "ledger/", limit: 1 })).length > 0;
}

/** Ends the records of all events that wait, and forgets those whose time has passed: nothing more comes into this cell. */
export async function endRecords(events: FunctionEvents, clock: Clock): Promise<void> {
  const { list, ledger } = events;
  for (let after: string | undefined; ;) {
    const records = await ledger.page(after, RECORDS_PER_COMMIT);
    after = records.at(-1)?.id;
    if (after === undefined) return;
    const now = clock.now();
    const waiting = records.filter((record) => record.state.kind !== "ended" && !events.isBusy(record.id));
    const past = records.filter((record) => isPast(record, now));
    const rows = waiting.flatMap((record) => ledger.write(ended(record, now, { kind: "discarded", reason: "functionDeleted" })));
    if (rows.length + past.length > 0) await list.writeRows([...rows, ...ledger.forget(past)]);
  }
}

function isPast({ state }: LedgerRecord, now: number): boolean {
  return state.kind === "ended" && state.at + LEDGER_KEEP_MS_MIN < now;
}
