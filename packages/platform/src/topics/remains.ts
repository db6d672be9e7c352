/** The end of what topics left that are no more: their records go when they are old enough, then the cell. */
import type { Clock } from "../base/index.ts";
import { LEDGER_KEEP_MS_MIN } from "../ledger/index.ts";
import type { Outbox } from "../outbox/index.ts";

/** Records looked at together. */
const RECORDS_AT_ONCE = 100;

/** Forgets the records of a topic that is no more as far as they need not be kept any longer; true when none is left. */
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
