import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { ReceivedMessage } from "../../src/queues/index.ts";
import { eventOf, recordOf, type QueueRecordShape } from "../../src/sources/queue/event.ts";
import { compileFilters } from "../../src/sources/queue/filter.ts";
import { readBatchAnswer } from "../../src/sources/queue/response.ts";

const ARN = "arn:aws:sqs:us-west-2:123456789012:SQSQueue";

const MESSAGE: ReceivedMessage = {
  id: "059f36b4-87a3-44ab-83d2-661975830a7d",
  handle: "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
  body: "Message Body",
  attributes: {
    Attribute1: { type: "String", value: "AttributeValue1" },
    Attribute2: { type: "Number", value: "123" },
    Attribute3: { type: "Binary", value: Buffer.from("1100") },
  },
  sender: "AIDAIENQZJOLO23YVJ4VO",
  deduplication: undefined,
  traceHeader: undefined,
  source: undefined,
  group: undefined,
  sequence: 7,
  sentAt: 1_545_082_649_183,
  receiveCount: 2,
  firstReceivedAt: 1_545_082_649_185,
};

const readFixture = (): { readonly Records: readonly [QueueRecordShape] } =>
  JSON.parse(readFileSync(new URL("../fixtures/lambda-events/sqs-event.json", import.meta.url), "utf8")) as {
    readonly Records: readonly [QueueRecordShape];
  };

test("a record has the members and types of AWS's own sample", () => {
  const [sample] = readFixture().Records;
  const record = recordOf(MESSAGE, ARN);
  assert.deepEqual(Object.keys(record).toSorted(), Object.keys(sample).toSorted());
  assert.deepEqual(Object.keys(record.attributes).toSorted(), Object.keys(sample.attributes).toSorted());
  for (const [name, attribute] of Object.entries(record.messageAttributes))
    assert.deepEqual(Object.keys(attribute).toSorted(), Object.keys(sample.messageAttributes[name] ?? {}).toSorted(), name);
  assert.equal(record.messageAttributes["Attribute3"]?.binaryValue, "MTEwMA==");
  assert.deepEqual([record.eventSourceARN, record.awsRegion, record.eventSource], [ARN, "us-west-2", "aws:sqs"]);
  assert.equal(record.attributes["ApproximateReceiveCount"], "2");
});

test("digests are those of SQS", () => {
  // Both as SQS itself has answered.
  const record = recordOf(
    { ...MESSAGE, body: "Test message.", attributes: { timestamp: { type: "Number", value: "1493147359900" } } },
    ARN,
  );
  assert.equal(record.md5OfBody, "e4e68fb7bd0e697a0ae8f1bb342846b3");
  assert.equal(record.md5OfMessageAttributes, "235c5c510d26fb653d073faed50ae77c");
});

test("a message of a FIFO queue has its group, its deduplication id and its place", () => {
  const { attributes } = recordOf(
    { ...MESSAGE, attributes: {}, group: "customer-1", deduplication: "once", traceHeader: "Root=1-5e", source: ARN },
    ARN,
  );
  assert.deepEqual(attributes, {
    ApproximateReceiveCount: "2",
    AWSTraceHeader: "Root=1-5e",
    SentTimestamp: "1545082649183",
    SequenceNumber: "00000000000000000007",
    MessageGroupId: "customer-1",
    SenderId: "AIDAIENQZJOLO23YVJ4VO",
    MessageDeduplicationId: "once",
    ApproximateFirstReceiveTimestamp: "1545082649185",
    DeadLetterQueueSourceArn: ARN,
  });
});

test("an event is its records, byte for byte", () => {
  const record = recordOf({ ...MESSAGE, body: 'ünïcode "quoted"\n\u2028' }, ARN);
  assert.deepEqual(JSON.parse(eventOf([JSON.stringify(record)]).toString("utf8")), { Records: [JSON.parse(JSON.stringify(record))] });
});

test("filters ask JSON bodies by JSON, texts by text, and never one by the other", () => {
  const takes = (pattern: object, body: string): boolean => compileFilters([JSON.stringify(pattern)])(recordOf({ ...MESSAGE, body }, ARN));
  assert.equal(takes({ body: { city: ["Berlin"], total: [{ numeric: [">", 10] }] } }, '{"city":"Berlin","total":11}'), true);
  assert.equal(takes({ body: { city: ["Berlin"] } }, '{"city":"Bonn"}'), false);
  assert.equal(takes({ body: { city: ["Berlin"] } }, "Berlin"), false);
  assert.equal(takes({ body: ["Berlin"] }, "Berlin"), true);
  assert.equal(takes({ body: [{ prefix: "{" }] }, '{"city":"Berlin"}'), false);
  assert.equal(takes({ body: [{ prefix: "{" }] }, "{broken"), true);
  assert.equal(takes({ body: { a: [{ exists: false }] } }, "{}"), true);
  assert.equal(takes({ messageAttributes: { Attribute1: { stringValue: ["AttributeValue1"] } } }, "any"), true);
  assert.equal(takes({ attributes: { SenderId: [{ prefix: "AIDA" }] } }, "any"), true);
});

test("a message is taken when one of several filters takes it", () => {
  const filter = compileFilters(['{"body":["a"]}', '{"body":["b"]}']);
  assert.deepEqual(
    ["a", "b", "c"].map((body) => filter(recordOf({ ...MESSAGE, body }, ARN))),
    [true, true, false],
  );
});

test("answers to a batch are read as AWS documents it", () => {
  const ids = new Set(["1", "2"]);
  const read = (answer: string): unknown => {
    const { kind, ...rest } = readBatchAnswer(Buffer.from(answer), ids);
    return kind === "handled" && "failed" in rest ? [...rest.failed] : kind;
  };
  for (const whole of ["", "null", "{}", '""', '{"batchItemFailures":null}', '{"batchItemFailures":[]}'])
    assert.deepEqual(read(whole), [], whole);
  assert.deepEqual(read('{"batchItemFailures":[{"itemIdentifier":"2"}]}'), ["2"]);
  const unreadable = [
    "{",
    '"done"',
    "[]",
    '{"batchItemFailures":{}}',
    '{"batchItemFailures":[{"itemIdentifier":""}]}',
    '{"batchItemFailures":[{"itemIdentifier":null}]}',
    '{"batchItemFailures":[{"messageId":"1"}]}',
    '{"batchItemFailures":[{"itemIdentifier":"3"}]}',
    '{"batchItemFailures":["1"]}',
    '{"batchItemFailures":[{"itemIdentifier":"1"},{"itemIdentifier":"none"}]}',
  ];
  for (const answer of unreadable) assert.equal(read(answer), "unreadable", answer);
});
