/** One partition: its log, its readers, what waits to be appended. */
export { AppendBudget } from "./append-budget.ts";
export type { Appended, AppendBatchOutcome } from "./append-plan.ts";
export { Partition } from "./partition.ts";
export type { OffsetAndTime, ReadOptions } from "./reading.ts";
export { BATCH_BYTES_MAX } from "./row.ts";
export { oldestArrival } from "./segments.ts";
export type { ProducerStamp } from "./stamps.ts";
export { Tails } from "./tails.ts";
