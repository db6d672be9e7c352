/** The end of a ledger whose cell is no more: what it held goes record by record, each once it is old enough. */
import type { Instant } from "../base/index.ts";
import type { OwnRow } from "../storage/index.ts";
import { LEDGER_KEEP_MS_MIN, type LedgerRows } from "./ledger-rows.ts";

/** Records looked at together. */
const RECORDS_AT_ONCE = 100;

/** Whoever owns the cell of a ledger. */
interface LedgerOwner {
  readonly ledger: Pick<LedgerRows, "page" | "forget">;
  writeRows(rows: readonly OwnRow[]): Promise<void>;
}

/** Forgets the records that need not be kept any longer, of a cell that gets no new ones; true when none is left. */
export async function forgetPast(owner: LedgerOwner, now: Instant): Promise<boolean> {
  const { ledger } = owner;
  const keptFrom = now - LEDGER_KEEP_MS_MIN;
  let kept = 0;
  for (let after: string | undefined; ;) {
    const records = await ledger.page(after, RECORDS_AT_ONCE);
    after = records.at(-1)?.id;
    if (after === undefined) return kept === 0;
    const past = records.filter(({ state }) => state.kind === "ended" && state.at < keptFrom);
    kept += records.length - past.length;
    if (past.length > 0) await owner.writeRows(ledger.forget(past));
  }
}
