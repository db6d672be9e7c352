/** What a mapping may be set to, with AWS's messages where it has them. */
import { LambentError } from "../../base/index.ts";
import type { QueueRecord } from "../../queues/index.ts";
import { compileContentFilters, FILTERED_FIELD, FILTERS_MAX } from "../content-filter.ts";
import type { MappingSettings } from "./mapping.ts";

/** Messages of one batch of a FIFO queue. @limit */
export const FIFO_BATCH_SIZE_MAX = 10;
/** Messages of one batch of a standard queue; more than `BATCH_SIZE_WITHOUT_WINDOW_MAX` need a window. @limit */
export const BATCH_SIZE_MAX = 10_000;
/** Messages of one batch that waits for no others. @limit */
export const BATCH_SIZE_WITHOUT_WINDOW_MAX = 10;
/** A batch waits this long for more messages at most. @limit */
export const WINDOW_MS_MAX = 300_000;
/** Least of what a mapping's concurrency may be bounded to. @limit */
export const MAPPING_CONCURRENCY_MIN = 2;
/** Most of what a mapping's concurrency may be bounded to. @limit */
export const MAPPING_CONCURRENCY_MAX = 1_000;

export const DEFAULT_MAPPING_SETTINGS: MappingSettings = {
  batchSize: 10,
  windowMs: 0,
  filters: [],
  concurrencyMax: undefined,
  answers: "whole",
};

/** Throws `InvalidParameter` or `InvalidPattern`. */
export function checkMappingSettings(settings: MappingSettings, { settings: queue }: QueueRecord, functionTimeoutMs: number): void {
  const { batchSize, windowMs, filters, concurrencyMax } = settings;
  const fifo = queue.kind === "fifo";
  const batchSizeMax = fifo ? FIFO_BATCH_SIZE_MAX : BATCH_SIZE_MAX;
  if (!isWhole(batchSize, 1, batchSizeMax))
    throw refused(`BatchSize is ${batchSize}; a ${fifo ? "FIFO" : "standard"} queue allows 1 to ${batchSizeMax}.`);
  if (!isWhole(windowMs, 0, WINDOW_MS_MAX))
    throw refused(`MaximumBatchingWindowInSeconds is ${windowMs / 1_000}; it is 0 to ${WINDOW_MS_MAX / 1_000}.`);
  if (fifo && windowMs > 0) throw refused("Batching window is not supported for FIFO queues");
  if (batchSize > BATCH_SIZE_WITHOUT_WINDOW_MAX && windowMs === 0)
    throw refused(
      `Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than ${BATCH_SIZE_WITHOUT_WINDOW_MAX}`,
    );
  if (concurrencyMax !== undefined && !isWhole(concurrencyMax, MAPPING_CONCURRENCY_MIN, MAPPING_CONCURRENCY_MAX))
    throw refused(`MaximumConcurrency is ${concurrencyMax}; it is ${MAPPING_CONCURRENCY_MIN} to ${MAPPING_CONCURRENCY_MAX}.`);
  if (filters.length > FILTERS_MAX) throw refused(`FilterCriteria has ${filters.length} filters; at most ${FILTERS_MAX} are allowed.`);
  compileContentFilters(filters, FILTERED_FIELD.queue);
  if (queue.visibilityMs < functionTimeoutMs)
    throw refused(
      `Queue visibility timeout: ${queue.visibilityMs / 1_000} seconds is less than Function timeout: ${functionTimeoutMs / 1_000} seconds`,
    );
}

function isWhole(value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max;
}

function refused(message: string): LambentError {
  return new LambentError("InvalidParameter", message);
}
