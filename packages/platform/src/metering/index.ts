/** What invocations used, recorded once each and added up. */
export { METERING_FLUSH_MS_MAX, startMetering, USAGE_KEEP_MS } from "./metering.ts";
export type { Metering, MeteringParts } from "./metering.ts";
export type { UsageReport, UsageTotals } from "./usage-report.ts";
