/** Record batches: checked, read, made. Pure. */
export { checkBatch } from "./check.ts";
export { checkRecord, encodeBatch, setTimes } from "./encode.ts";
export { checkForeignBatch, emptiedBatch } from "./foreign.ts";
export type { ForeignBatch } from "./foreign.ts";
export { NO_PRODUCER_ID } from "./format.ts";
export { readRecords } from "./records.ts";
export { splitBatches } from "./split.ts";
export { place, readFront } from "./stored.ts";
export type { BatchFront } from "./stored.ts";
export type {
  BatchFault,
  BatchLimits,
  CheckedBatch,
  Compression,
  NewRecord,
  RecordHeader,
  StoredBatch,
  StreamRecordView,
} from "./batch.ts";
