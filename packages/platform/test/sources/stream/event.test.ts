import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  kafkaEvent,
  type KafkaOrigin,
  kafkaRecord,
  type KafkaRecordShape,
  kinesisEvent,
  kinesisRecord,
  type KinesisRecordShape,
  valuesEvent,
} from "../../../src/sources/stream/event.ts";
import { readStreamAnswer } from "../../../src/sources/stream/response.ts";

const golden = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../fixtures/lambda-events/${name}.json`, import.meta.url), "utf8")) as unknown;

/** Our record from what AWS's says, and its text. */
function again(shape: KinesisRecordShape): string {
  const { kinesis, eventID, eventSourceARN, awsRegion, invokeIdentityArn } = shape;
  const [shardId = ""] = eventID.split(":");
  const origin = { shardId, sourceArn: eventSourceARN, region: awsRegion, roleArn: invokeIdentityArn };
  const { partitionKey, sequenceNumber, data, approximateArrivalTimestamp } = kinesis;
  const arrivedAt = Math.round(approximateArrivalTimestamp * 1_000);
  return JSON.stringify(kinesisRecord(origin, { partitionKey, sequenceNumber, data: Buffer.from(data, "base64"), arrivedAt }));
}

test("records of Kinesis are AWS's, member by member and in their order", () => {
  const event = golden("kinesis-event") as { readonly Records: readonly KinesisRecordShape[] };
  const origin = { shardId: "shardId-000000000000", sourceArn: "", region: "", roleArn: "" };
  const made = kinesisEvent(origin, event.Records.map(again), undefined);
  assert.deepEqual(JSON.parse(made.toString("utf8")), event);
  assert.deepEqual(Object.keys(JSON.parse(again(event.Records[0] as KinesisRecordShape)) as object), Object.keys(event.Records[0] ?? {}));
});

test("an event in a tumbling window is AWS's", () => {
  const event = golden("kinesis-time-window-event") as { readonly Records: readonly KinesisRecordShape[]; readonly state: object };
  const origin = {
    shardId: "shardId-000000000006",
    sourceArn: "arn:aws:kinesis:us-east-1:123456789012:stream/lambda-stream",
    region: "",
    roleArn: "",
  };
  const window = {
    start: Date.parse("2020-12-09T07:04:00Z"),
    end: Date.parse("2020-12-09T07:06:00Z"),
    state: JSON.stringify(event.state),
    closing: "no",
  } as const;
  assert.deepEqual(JSON.parse(kinesisEvent(origin, event.Records.map(again), window).toString("utf8")), event);
  const last = JSON.parse(kinesisEvent(origin, [], { ...window, closing: "early" }).toString("utf8")) as Record<string, unknown>;
  assert.deepEqual([last["isFinalInvokeForWindow"], last["isWindowTerminatedEarly"], last["Records"]], [true, true, []]);
});

test("an event of Kafka is AWS's: by topic and partition, bytes of headers with a sign; what a record has not is left out", () => {
  const event = golden("kafka-event") as {
    readonly eventSourceArn: string;
    readonly bootstrapServers: string;
    readonly records: Record<string, readonly KafkaRecordShape[]>;
  };
  const [shape] = event.records["AWSKafkaTopic-0"] ?? [];
  assert.ok(shape);
  const { topic, partition, timestampType, offset, timestamp, key = "", value = "" } = shape;
  const origin: KafkaOrigin = {
    topic,
    partition,
    timestampType,
    clusterArn: event.eventSourceArn,
    bootstrapServers: event.bootstrapServers,
  };
  const headers = [["headerKey", Buffer.from([118, 220, 0, 127, 128])]] as const;
  const record = { offset, timestamp, key: Buffer.from(key, "base64"), value: Buffer.from(value, "base64"), headers };
  assert.deepEqual(JSON.parse(kafkaEvent(origin, [JSON.stringify(kafkaRecord(origin, record))]).toString("utf8")), event);
  const bare = kafkaRecord(origin, { offset, timestamp, key: undefined, value: undefined, headers: [] });
  assert.deepEqual(Object.keys(bare), ["topic", "partition", "offset", "timestamp", "timestampType", "headers"]);
  const own = JSON.parse(kafkaEvent({ ...origin, clusterArn: undefined }, []).toString("utf8")) as object;
  assert.deepEqual(own, { eventSource: "SelfManagedKafka", bootstrapServers: event.bootstrapServers, records: { "AWSKafkaTopic-0": [] } });
});

test("bare values stay as they were written", () => {
  assert.equal(valuesEvent(['{"b":1,"a":2}', "3.10", "null"]).toString("utf8"), '[{"b":1,"a":2},3.10,null]');
});

test("an answer names the first record that failed, or is none", () => {
  const offsetOf = (identifier: unknown): number | undefined =>
    typeof identifier === "string" && /^\d$/u.test(identifier) ? Number(identifier) : undefined;
  const read = (answer: unknown, wantsState = false, reports = true): unknown => {
    const outcome = readStreamAnswer(Buffer.from(typeof answer === "string" ? answer : JSON.stringify(answer)), {
      reports,
      wantsState,
      offsetOf,
    });
    return outcome.kind === "unreadable" ? outcome.why.slice(0, 60) : [outcome.failedFrom, outcome.state];
  };
  const failures = (...ids: readonly unknown[]): object => ({ batchItemFailures: ids.map((itemIdentifier) => ({ itemIdentifier })) });
  for (const none of ["", "null", '""', {}, { batchItemFailures: null }, failures()]) assert.deepEqual(read(none), [undefined, undefined]);
  assert.deepEqual(read(failures("7", "3", "5")), [3, undefined]);
  for (const bad of [
    "{",
    "[]",
    "7",
    { batchItemFailures: {} },
    failures(""),
    failures(null),
    failures("x"),
    { batchItemFailures: [{ other: "3" }] },
  ])
    assert.match(String(read(bad)), /^The function's answer: /u);
  assert.deepEqual(read("{", false, false), [undefined, undefined]);
  assert.deepEqual(read({ ...failures("4"), state: { sum: 1 } }, true), [4, '{"sum":1}']);
  assert.match(String(read({}, true)), /has no state/u);
});
