/** What became of every accepted event: records that go into the commits of their cells, and reading them over all cells. */
export { Ledger, LEDGER_LISTED_MAX } from "./ledger.ts";
export type { FoundRecord, LedgerParts, LedgerQuery } from "./ledger.ts";
export { forgetPast } from "./forget-past.ts";
export { LEDGER_KEEP_MS_MIN, LedgerRows } from "./ledger-rows.ts";
export type { LedgerCounts } from "./rows.ts";
export { accepted, begun, ended, triedAgain, undelivered } from "./transitions.ts";
export { LEDGER_ATTEMPTS_KEPT_MAX } from "./record.ts";
export type { Attempt, DiscardReason, LedgerRecord, Outcome, RecordState } from "./record.ts";
