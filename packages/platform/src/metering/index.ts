/** What invocations used, recorded once each and added up. */
export { METERING_FLUSH_MS_MAX, startMetering, USAGE_KEEP_MS } from "./metering.ts";
export type { Metering, MeteringParts, NumberedUsage } from "./metering.ts";
export { UsageRows } from "./usage-rows.ts";
export type { UsageRowsParts } from "./usage-rows.ts";
export type { FunctionIdentity } from "./usage-log.ts";
export type { UsageReport, UsageTotals } from "./usage-report.ts";
