import type { UsageRecord } from "../model/index.ts";

/** What a function used in a stretch of time. */
export interface UsageTotals {
  readonly invocations: number;
  /** Invocations that did not end as handled. */
  readonly failures: number;
  readonly durationMs: number;
  readonly billedMs: number;
  /** Billed seconds times memory in GiB, the unit of a bill. */
  readonly gbSeconds: number;
}

export interface UsageReport {
  readonly totals: UsageTotals;
  /** Records the buffer's bound dropped in this stretch. */
  readonly lost: number;
  /** When a start found that the server before it had not stopped in order: up to `METERING_FLUSH_MS_MAX` before each crash may be missing. */
  readonly crashesNoticedAt: readonly number[];
}

export const NO_USAGE: UsageTotals = { invocations: 0, failures: 0, durationMs: 0, billedMs: 0, gbSeconds: 0 };

export function addUsage(totals: UsageTotals, record: UsageRecord): UsageTotals {
  return {
    invocations: totals.invocations + 1,
    failures: totals.failures + (record.ending === "handled" ? 0 : 1),
    durationMs: totals.durationMs + record.durationMs,
    billedMs: totals.billedMs + record.billedMs,
    gbSeconds: totals.gbSeconds + (record.billedMs / 1_000) * (record.memoryMb / 1_024),
  };
}
