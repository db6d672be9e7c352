/** What a mapping of a stream may be set to, with AWS's messages where it has them. */
import { LambentError } from "../../base/index.ts";
import { compileContentFilters, FILTERED_FIELD, FILTERS_MAX } from "../content-filter.ts";
import type { StreamMappingSettings, StreamSource } from "../mappings/mapping.ts";
import { BATCH_SIZE_MAX, WINDOW_MS_MAX } from "../mappings/mapping-rules.ts";

/** Batches of one shard that run at once. @limit */
export const PARALLELIZATION_MAX = 10;
/** Attempts of a batch behind the first one, where they are bounded. @limit */
export const STREAM_RETRIES_MAX = 10_000;
/** Least age at which records are given up. @limit */
export const RECORD_AGE_MS_MIN = 60_000;
/** Greatest age that can be named; without one, records are tried as long as the stream keeps them. @limit */
export const RECORD_AGE_MS_MAX = 604_800_000;
/** Length of a tumbling window. @limit */
export const TUMBLING_WINDOW_MS_MAX = 900_000;
/** Retries of Kafka's records where nothing bounds them and an on-failure destination waits for them. @limit */
export const KAFKA_RETRIES_WITH_DESTINATION_MAX = 10;

export const DEFAULT_STREAM_MAPPING_SETTINGS: StreamMappingSettings = {
  batchSize: 100,
  windowMs: 0,
  filters: [],
  answers: "whole",
  parallelization: 1,
  bisects: false,
  tumblingMs: 0,
};

const DESTINATION = /^arn:aws[a-z-]{0,20}:(?:(?:sqs|sns):[a-z0-9-]{1,40}:\d{12}:[^\s:]{1,256}|s3:::[^\s/]{3,63})$/;

/** Throws `InvalidParameter`, `InvalidPattern` or `NotImplemented`. */
export function checkStreamSettings(settings: StreamMappingSettings, form: StreamSource["form"]): void {
  const {
    batchSize,
    windowMs,
    parallelization,
    tumblingMs,
    retriesMax = 0,
    recordAgeMsMax = RECORD_AGE_MS_MIN,
    filters,
    onFailure,
  } = settings;
  requireWhole("BatchSize", batchSize, 1, BATCH_SIZE_MAX);
  requireWhole("MaximumBatchingWindowInSeconds", windowMs / 1_000, 0, WINDOW_MS_MAX / 1_000);
  requireWhole("ParallelizationFactor", parallelization, 1, PARALLELIZATION_MAX);
  requireWhole("TumblingWindowInSeconds", tumblingMs / 1_000, 0, TUMBLING_WINDOW_MS_MAX / 1_000);
  requireWhole("MaximumRetryAttempts", retriesMax, 0, STREAM_RETRIES_MAX);
  requireWhole("MaximumRecordAgeInSeconds", recordAgeMsMax / 1_000, RECORD_AGE_MS_MIN / 1_000, RECORD_AGE_MS_MAX / 1_000);
  if (form === "kafka" && parallelization > 1)
    throw refused("ParallelizationFactor is not supported for Kafka: a partition is read by one batch at a time.");
  if (form !== "kinesis" && tumblingMs > 0)
    throw refused("Tumbling windows are for functions that take Kinesis' events: others have no place for their state.");
  if (tumblingMs > 0 && parallelization > 1)
    throw refused(`ParallelizationFactor is ${parallelization}; with a tumbling window it is 1, because a shard has one state.`);
  if (form === "json" && settings.answers === "reported")
    throw refused("Bare values have no names that a function could report: take Kinesis' or Kafka's events for partial batch responses.");
  if (filters.length > FILTERS_MAX) throw refused(`FilterCriteria has ${filters.length} filters; at most ${FILTERS_MAX} are allowed.`);
  compileContentFilters(filters, FILTERED_FIELD[form]);
  if (onFailure === undefined) return;
  if (onFailure.startsWith("kafka://"))
    throw new LambentError(
      "NotImplemented",
      "Kafka topics as on-failure destinations are not built in Lambent; queues, topics of SNS and buckets are.",
    );
  if (!DESTINATION.test(onFailure))
    throw refused(
      `The on-failure destination ${onFailure.slice(0, 200)} is none: it is the ARN of an SQS queue, an SNS topic or an S3 bucket.`,
    );
}

function requireWhole(name: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) throw refused(`${name} is ${value}; it is ${min} to ${max}.`);
}

function refused(message: string): LambentError {
  return new LambentError("InvalidParameter", message);
}
