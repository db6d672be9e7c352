import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ManualClock, systemSecureRandom } from "../../../src/base/index.ts";
import { type BucketRecord, NO_NOTIFICATIONS, type ObjectEvent } from "../../../src/objects/index.ts";
import { createNotifier } from "../../../src/sources/index.ts";

const realm = { account: "000000000000", region: "eu-west-1" };
const clock = new ManualClock(Date.UTC(2026, 0, 2, 3, 4, 5, 678));
const notifier = createNotifier({ clock, secureRandom: systemSecureRandom });
const caller = { principalId: "000000000000", sourceAddress: "127.0.0.1", requestId: "request-1", traceHeader: undefined };
const FUNCTION = "arn:aws:lambda:eu-west-1:000000000000:function:resize";
const QUEUE = "arn:aws:sqs:eu-west-1:000000000000:uploads";
const TOPIC = "arn:aws:sns:eu-west-1:000000000000:uploads";

function bucket(notifications: Partial<BucketRecord["notifications"]>): BucketRecord {
  return {
    ...{ name: "photos", id: "b1", realm, createdAt: 0, versioning: "off", tags: {}, lifecycle: [], documents: {} },
    notifications: { ...NO_NOTIFICATIONS, ...notifications },
  };
}

function rule(target: string, more: { readonly events?: readonly string[]; readonly prefix?: string; readonly suffix?: string } = {}) {
  return { id: "rule-1", target, events: ["s3:ObjectCreated:*"], prefix: "", suffix: "", ...more };
}

function event(more: Partial<ObjectEvent> = {}): ObjectEvent {
  return { name: "ObjectCreated:Put", at: clock.now(), key: "cat.jpg", bytes: 1_024, etag: "abc", sequencer: "01", caller, ...more };
}

const keysOf = (record: Pick<BucketRecord, "notifications">, key: string): unknown =>
  notifier.deliveries({ ...bucket({}), ...record }, event({ key })).map(({ parcel }) => JSON.parse(parcel.payload.toString()) as unknown);

interface Told {
  readonly Records: readonly { readonly s3: { readonly object: { readonly key: string } } }[];
}

test("a record has the members of AWS's own sample", () => {
  const [delivery] = notifier.deliveries(bucket({ rules: [rule(FUNCTION)] }), event({ versionId: "v1" }));
  const told = JSON.parse(delivery?.parcel.payload.toString() ?? "") as Told;
  const sample = JSON.parse(readFileSync(new URL("../../fixtures/lambda-events/s3-event.json", import.meta.url), "utf8")) as Told;
  assert.deepEqual(shapeOf(told.Records[0]), shapeOf(sample.Records[0]));
  assert.deepEqual(told.Records[0], {
    eventVersion: "2.1",
    eventSource: "aws:s3",
    awsRegion: "eu-west-1",
    eventTime: "2026-01-02T03:04:05.678Z",
    eventName: "ObjectCreated:Put",
    userIdentity: { principalId: "000000000000" },
    requestParameters: { sourceIPAddress: "127.0.0.1" },
    responseElements: { "x-amz-request-id": "request-1", "x-amz-id-2": "request-1" },
    s3: {
      s3SchemaVersion: "1.0",
      configurationId: "rule-1",
      bucket: { name: "photos", ownerIdentity: { principalId: "000000000000" }, arn: "arn:aws:s3:::photos" },
      object: { key: "cat.jpg", size: 1_024, eTag: "abc", versionId: "v1", sequencer: "01" },
    },
  });
});

/** Names of members, whatever they hold. */
function shapeOf(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return typeof value;
  return Object.entries(value)
    .map(([name, inner]): [string, unknown] => [name, shapeOf(inner)])
    .toSorted(([left], [right]) => (left < right ? -1 : 1));
}

test("a record's key is written as forms are: a blank is a plus, slashes stay, the rest is UTF-8 in percent signs", () => {
  const key = (raw: string): string => (keysOf(bucket({ rules: [rule(FUNCTION)] }), raw) as Told[])[0]?.Records[0]?.s3.object.key ?? "";
  assert.equal(key("my folder/red flower (1).jpg"), "my+folder/red+flower+%281%29.jpg");
  assert.equal(key("照片/猫 一.jpg"), "%E7%85%A7%E7%89%87/%E7%8C%AB+%E4%B8%80.jpg");
  assert.equal(key("a+b~c'd!*"), "a%2Bb%7Ec%27d%21*");
});

test("a rule hears of its events, under its prefix and suffix only", () => {
  const about = (asked: Parameters<typeof rule>[1], happened: Partial<ObjectEvent>): boolean =>
    notifier.deliveries(bucket({ rules: [rule(FUNCTION, asked)] }), event(happened)).length === 1;
  assert.equal(about({}, { name: "ObjectCreated:Copy" }), true);
  assert.equal(about({}, { name: "ObjectRemoved:Delete" }), false);
  assert.equal(about({ events: ["s3:ObjectCreated:Put"] }, { name: "ObjectCreated:Post" }), false);
  assert.equal(about({ events: ["s3:ObjectRemoved:*"] }, { name: "ObjectRemoved:DeleteMarkerCreated" }), true);
  assert.equal(about({ prefix: "in/", suffix: ".jpg" }, { key: "in/a.jpg" }), true);
  assert.equal(about({ prefix: "in/", suffix: ".jpg" }, { key: "out/a.jpg" }), false);
  assert.equal(about({ prefix: "in/", suffix: ".jpg" }, { key: "in/a.png" }), false);
});

test("the bus is told in EventBridge's words, with the key as it is", () => {
  const told = (happened: Partial<ObjectEvent>) => {
    const [delivery] = notifier.deliveries(bucket({ toBus: true }), event({ key: "a b/猫", ...happened }));
    return {
      target: delivery?.parcel.target,
      event: delivery?.parcel.options.event,
      detail: JSON.parse(delivery?.parcel.payload.toString() ?? "null") as unknown,
    };
  };
  assert.deepEqual(told({}), {
    target: "arn:aws:events:eu-west-1:000000000000:event-bus/default",
    event: { source: "aws.s3", detailType: "Object Created", resources: ["arn:aws:s3:::photos"], time: clock.now() },
    detail: {
      version: "0",
      bucket: { name: "photos" },
      object: { key: "a b/猫", size: 1_024, etag: "abc", sequencer: "01" },
      "request-id": "request-1",
      requester: "000000000000",
      "source-ip-address": "127.0.0.1",
      reason: "PutObject",
    },
  });
  const { event: removed, detail } = told({ name: "ObjectRemoved:DeleteMarkerCreated" });
  assert.equal(removed?.detailType, "Object Deleted");
  assert.deepEqual((detail as { readonly "deletion-type": string })["deletion-type"], "Delete Marker Created");
});

test("a topic's message has S3's subject, and every delivery says what it is about and whose chain it is in", () => {
  const traceHeader = "Root=1-5759e988-bd862e3fe1be46a994272793";
  const deliveries = notifier.deliveries(bucket({ rules: [rule(TOPIC), rule(QUEUE)] }), event({ caller: { ...caller, traceHeader } }));
  assert.deepEqual(
    deliveries.map(({ parcel }) => [parcel.target, parcel.options]),
    [
      [TOPIC, { subject: "Amazon S3 Notification" }],
      [QUEUE, {}],
    ],
  );
  for (const { id, source, origin, subject, correlation, parcel } of deliveries) {
    assert.deepEqual(
      { source, origin, subject },
      { source: "objects", origin: "arn:aws:s3:::photos", subject: "ObjectCreated:Put cat.jpg" },
    );
    assert.equal(correlation, id);
    assert.equal(parcel.traceHeader, traceHeader);
    assert.deepEqual(parcel.sender, { kind: "service", realm, service: "s3.amazonaws.com", sourceArn: "arn:aws:s3:::photos" });
  }
});

test("queues and topics are told that they were bound, functions are not", () => {
  const told = notifier.testDeliveries(bucket({}), [rule(FUNCTION), rule(QUEUE), rule(TOPIC)], caller);
  assert.deepEqual(
    told.map(({ parcel }) => parcel.target),
    [QUEUE, TOPIC],
  );
  assert.deepEqual(JSON.parse(told[0]?.parcel.payload.toString() ?? ""), {
    Service: "Amazon S3",
    Event: "s3:TestEvent",
    Time: "2026-01-02T03:04:05.678Z",
    Bucket: "photos",
    RequestId: "request-1",
    HostId: "request-1",
  });
});
