/**
 * Records as AWS hands them to a function: one text each, joined to an event. And as bare values, which AWS does not have.
 * @see Lambda guide, "Using Lambda with Kinesis" and "Using Lambda with Apache Kafka"
 */
import type { Instant } from "../../base/index.ts";
import type { StreamRecordView } from "../../streams/index.ts";
import type { PieceWindow } from "./held.ts";

/** One entry of `Records`, with the members in AWS's order. */
export interface KinesisRecordShape {
  readonly kinesis: {
    readonly kinesisSchemaVersion: "1.0";
    readonly partitionKey: string;
    readonly sequenceNumber: string;
    readonly data: string;
    /** Seconds. */
    readonly approximateArrivalTimestamp: number;
  };
  readonly eventSource: "aws:kinesis";
  readonly eventVersion: "1.0";
  readonly eventID: string;
  readonly eventName: "aws:kinesis:record";
  readonly invokeIdentityArn: string;
  readonly awsRegion: string;
  readonly eventSourceARN: string;
}

/** What all records of one shard have. */
export interface KinesisOrigin {
  readonly shardId: string;
  /** Of the stream, or of the consumer in whose name it is read. */
  readonly sourceArn: string;
  readonly region: string;
  readonly roleArn: string;
}

/** One record of Kinesis. */
export function kinesisRecord(
  origin: KinesisOrigin,
  record: { readonly partitionKey: string; readonly sequenceNumber: string; readonly data: Buffer; readonly arrivedAt: Instant },
): KinesisRecordShape {
  const { partitionKey, sequenceNumber, data, arrivedAt } = record;
  return {
    kinesis: {
      kinesisSchemaVersion: "1.0",
      partitionKey,
      sequenceNumber,
      data: data.toString("base64"),
      approximateArrivalTimestamp: arrivedAt / 1_000,
    },
    eventSource: "aws:kinesis",
    eventVersion: "1.0",
    eventID: `${origin.shardId}:${sequenceNumber}`,
    eventName: "aws:kinesis:record",
    invokeIdentityArn: origin.roleArn,
    awsRegion: origin.region,
    eventSourceARN: origin.sourceArn,
  };
}

/** The event of a batch; with a tumbling window, its place in that. */
export function kinesisEvent({ shardId, sourceArn }: KinesisOrigin, records: readonly string[], window: PieceWindow | undefined): Buffer {
  if (!window) return Buffer.from(`{"Records":[${records.join(",")}]}`);
  const about = { start: secondsOf(window.start), end: secondsOf(window.end) };
  const rest = {
    shardId,
    eventSourceARN: sourceArn,
    isFinalInvokeForWindow: window.closing !== "no",
    isWindowTerminatedEarly: window.closing === "early",
  };
  return Buffer.from(
    `{"Records":[${records.join(",")}],"window":${JSON.stringify(about)},"state":${window.state},${JSON.stringify(rest).slice(1)}`,
  );
}

/** Windows begin and end with whole seconds. */
function secondsOf(at: Instant): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`;
}

/** One record of a topic, with the members in AWS's order. What a record has not, a key or a value, is left out. */
export interface KafkaRecordShape {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly timestampType: "CREATE_TIME" | "LOG_APPEND_TIME";
  readonly key?: string;
  readonly value?: string;
  /** Bytes as Java shows them: with a sign. */
  readonly headers: readonly Readonly<Record<string, readonly number[]>>[];
}

export interface KafkaOrigin {
  readonly topic: string;
  readonly partition: number;
  readonly timestampType: KafkaRecordShape["timestampType"];
  /** Undefined: the cluster is self-managed. */
  readonly clusterArn: string | undefined;
  readonly bootstrapServers: string;
}

/** One record of Kafka. */
export function kafkaRecord({ topic, partition, timestampType }: KafkaOrigin, record: StreamRecordView): KafkaRecordShape {
  const { offset, timestamp, key, value, headers } = record;
  return {
    ...{ topic, partition, offset, timestamp, timestampType },
    ...(key ? { key: key.toString("base64") } : {}),
    ...(value ? { value: value.toString("base64") } : {}),
    headers: headers.map(([name, bytes]) => ({ [name]: [...new Int8Array(bytes ?? [])] })),
  };
}

/** The event of a batch, which is always of one partition. */
export function kafkaEvent(origin: KafkaOrigin, records: readonly string[]): Buffer {
  const { topic, partition, clusterArn, bootstrapServers } = origin;
  const about =
    clusterArn === undefined
      ? { eventSource: "SelfManagedKafka", bootstrapServers }
      : { eventSource: "aws:kafka", eventSourceArn: clusterArn, bootstrapServers };
  const name = JSON.stringify(`${topic}-${partition}`);
  return Buffer.from(`${JSON.stringify(about).slice(0, -1)},"records":{${name}:[${records.join(",")}]}}`);
}

/** The values as they are, in an array: what a handler that knows of no stream takes. */
export function valuesEvent(values: readonly string[]): Buffer {
  return Buffer.from(`[${values.join(",")}]`);
}
