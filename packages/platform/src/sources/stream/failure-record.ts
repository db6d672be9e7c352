/**
 * What an on-failure destination is told of records that were given up: about them, and to a bucket also the event with them.
 * @see Lambda guide, "Retain discarded batch records for a Kinesis Data Streams event source" and "Capturing discarded batches for Apache Kafka"
 */
import type { Instant } from "../../base/index.ts";
import { sequenceNumberOf, shardIdOf, type ShardRecord } from "../../streams/index.ts";
import type { StreamSource } from "../mappings/mapping.ts";
import type { AsideReason, Held } from "./held.ts";

/** Bytes of what one delivery carries; an event that makes it larger is left out, and can be read from the stream. @limit */
export const FAILURE_RECORD_BYTES_MAX = 1024 * 1024;

/** AWS documents the first and the second one; it has no names for what it does not do. */
const CONDITIONS = {
  retriesExhausted: "RetryAttemptsExhausted",
  inputTooLarge: "MaximumPayloadSizeExceeded",
  expired: "RecordAgeExceeded",
  notJson: "ValueNotJson",
} as const satisfies Record<AsideReason, string>;

export interface GivenUp {
  readonly at: Instant;
  readonly functionArn: string;
  readonly requestId: string;
  readonly reason: AsideReason;
  /** Calls with them. */
  readonly calls: number;
  /** The version that ran last; undefined where none did. */
  readonly version: string | undefined;
  readonly records: readonly [Held, ...Held[]];
}

export interface GivenUpOrigin {
  readonly form: StreamSource["form"];
  readonly stream: string;
  readonly streamArn: string;
  readonly shard: ShardRecord;
  readonly clusterArn: string | undefined;
  readonly bootstrapServers: string;
}

/** The record as JSON; `event` where the destination gets the whole event as well. */
export function failureRecord(origin: GivenUpOrigin, given: GivenUp, event: Buffer | undefined): Buffer {
  const { at, functionArn, requestId, reason, calls, version } = given;
  const about = {
    requestContext: { requestId, functionArn, condition: CONDITIONS[reason], approximateInvokeCount: calls },
    responseContext: version === undefined ? null : { statusCode: 200, executedVersion: version, functionError: "Unhandled" },
    version: "1.0",
    timestamp: iso(at),
    ...batchInfo(origin, given.records),
  };
  const text = Buffer.from(JSON.stringify(about));
  if (!event) return text;
  const whole = Buffer.from(JSON.stringify({ ...about, payload: event.toString("utf8") }));
  return whole.length <= FAILURE_RECORD_BYTES_MAX ? whole : text;
}

/** Where the record lies in a bucket. AWS ends the key by chance; here it is the delivery's id, so that what is sent again is the same object. */
export function failureKey({ form, stream, shard }: GivenUpOrigin, mapping: string, at: Instant, id: string): string {
  const place = form === "kafka" ? `${stream}-${shard.number}` : shardIdOf(shard.number);
  const [date = "", time = ""] = iso(at).split("T");
  return `aws/lambda/${mapping}/${place}/${date.replaceAll("-", "/")}/${date}T${time.slice(0, 8).replaceAll(":", ".")}-${id}`;
}

function batchInfo(
  { form, stream, streamArn, shard, clusterArn, bootstrapServers }: GivenUpOrigin,
  records: readonly [Held, ...Held[]],
): object {
  const [first] = records;
  const last = records.at(-1) ?? first;
  if (form !== "kafka") {
    return {
      KinesisBatchInfo: {
        shardId: shardIdOf(shard.number),
        startSequenceNumber: sequenceNumberOf(shard, first.offset),
        endSequenceNumber: sequenceNumberOf(shard, last.offset),
        approximateArrivalOfFirstRecord: iso(first.arrivedAt),
        approximateArrivalOfLastRecord: iso(last.arrivedAt),
        batchSize: records.length,
        streamArn,
      },
    };
  }
  return {
    KafkaBatchInfo: {
      batchSize: records.length,
      ...(clusterArn === undefined ? {} : { eventSourceArn: clusterArn }),
      bootstrapServers,
      payloadSize: records.reduce((sum, { bytes }) => sum + bytes, 0),
      recordsInfo: {
        [`${stream}-${shard.number}`]: {
          firstRecordOffset: String(first.offset),
          lastRecordOffset: String(last.offset),
          firstRecordTimestamp: iso(first.arrivedAt),
          lastRecordTimestamp: iso(last.arrivedAt),
        },
      },
    },
  };
}

function iso(at: Instant): string {
  return new Date(at).toISOString();
}
