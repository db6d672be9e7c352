/** Which messages a mapping hands to its function. @see Lambda guide, "Using event filtering with an Amazon SQS event source" */
import { compileContentFilters, FILTERED_FIELD } from "../content-filter.ts";
import type { QueueRecordShape } from "./event.ts";

/** Takes a message's record, or does not. Without filters every message is taken. */
export type MessageFilter = (record: QueueRecordShape) => boolean;

/** Throws `InvalidPattern` for a filter that is none. */
export function compileFilters(patterns: readonly string[]): MessageFilter {
  const filter = compileContentFilters(patterns, FILTERED_FIELD.queue);
  return filter ? (record) => filter(record, record.body) : () => true;
}
