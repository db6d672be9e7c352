import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isLambentError } from "../../src/base/index.ts";
import { awsView, type BusEvent, cloudEventView, decodeBusEvent, encodeBusEvent, eventOf } from "../../src/bus/envelope.ts";
import { AT, busEvent, EC2_EVENT } from "./world.ts";

const read = (view: Buffer): unknown => JSON.parse(view.toString());
const ODD_DETAIL = '{ "b":1.50, "a" : 12345678901234567890,\n "e":"\\u00e9\\/" }';
const FULL: BusEvent = busEvent(ODD_DETAIL, {
  subject: "order 7",
  timeText: "2015-11-11T22:29:54.000000001+01:00",
  dataSchema: "https://example.org/order",
  extensions: { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", priority: 3, urgent: true },
  replayName: "again",
});

describe("an event on a bus", () => {
  test("has AWS's form, member by member", () => {
    const expected =
      '{"version":"0","id":"7bf73129-1428-4cd3-a780-95db273d1602","detail-type":"EC2 Instance State-change Notification","source":"aws.ec2",' +
      '"account":"123456789012","time":"2015-11-11T21:29:54Z","region":"us-east-1",' +
      '"resources":["arn:aws:ec2:us-east-1:123456789012:instance/i-abcd1111"],"detail":{"instance-id":"i-0123456789","state":"RUNNING"}}';
    assert.equal(awsView(EC2_EVENT).toString(), expected);
  });

  test("names its replay in AWS's form when it comes by one", () => {
    assert.match(awsView(FULL).toString(), /"replay-name":"again"/);
    assert.doesNotMatch(awsView(EC2_EVENT).toString(), /replay-name/);
  });

  test("keeps its detail byte for byte in both forms and on disk", () => {
    for (const bytes of [awsView(FULL), cloudEventView(FULL), encodeBusEvent(FULL)]) assert.ok(bytes.includes(ODD_DETAIL));
  });

  test("has the form of a CloudEvent 1.0 with all it brought, and where it happened", () => {
    assert.deepEqual(read(cloudEventView(FULL)), {
      specversion: "1.0",
      id: FULL.id,
      source: "aws.ec2",
      type: "EC2 Instance State-change Notification",
      subject: "order 7",
      time: "2015-11-11T22:29:54.000000001+01:00",
      datacontenttype: "application/json",
      dataschema: "https://example.org/order",
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      priority: 3,
      urgent: true,
      lambentaccount: "123456789012",
      lambentregion: "us-east-1",
      lambentresources: "arn:aws:ec2:us-east-1:123456789012:instance/i-abcd1111",
      lambentreplay: "again",
      data: JSON.parse(ODD_DETAIL) as unknown,
    });
  });

  test("gives a listener that reads type and data both", () => {
    const event = read(cloudEventView(EC2_EVENT)) as Record<string, unknown>;
    assert.equal(event["type"], "EC2 Instance State-change Notification");
    assert.deepEqual(event["data"], { "instance-id": "i-0123456789", state: "RUNNING" });
    assert.equal(event["time"], "2015-11-11T21:29:54Z");
  });

  for (const [kind, bytes, detail, member] of [
    ["text", 'a "text"', 'a "text"', { data: 'a "text"' }],
    ["binary", "\u0000\u0001", "AAE=", { data_base64: "AAE=" }],
  ] as const)
    test(`that says something ${kind} says it in both forms`, () => {
      const event = busEvent("", { data: { kind, bytes: Buffer.from(bytes) } });
      assert.equal((read(awsView(event)) as { detail: unknown }).detail, detail);
      const view = read(cloudEventView(event)) as Record<string, unknown>;
      assert.deepEqual({ ...member, ...view }, view);
    });

  test("that says nothing has an empty detail and no data", () => {
    const event = busEvent("", { data: { kind: "none" } });
    assert.deepEqual((read(awsView(event)) as { detail: unknown }).detail, {});
    assert.ok(!("data" in (read(cloudEventView(event)) as object)));
  });

  test("comes out of storage as it went in", () => {
    const binary = busEvent("", { data: { kind: "binary", bytes: Buffer.from([0, 255]) } });
    for (const event of [EC2_EVENT, FULL, binary, busEvent("", { data: { kind: "none" } })])
      assert.deepEqual(decodeBusEvent(encodeBusEvent(event)), event);
  });

  test("of a format that is not known is told as damage", () => {
    const bytes = encodeBusEvent(EC2_EVENT);
    bytes.writeUInt8(9, 0);
    assert.throws(
      () => decodeBusEvent(bytes),
      (error) => isLambentError(error, "StorageCorrupt"),
    );
  });
});

describe("a CloudEvent that a bus takes", () => {
  const arrival = { account: "000000000000", region: "eu-west-1", now: AT };
  const sent = { id: "1", source: "/shop", type: "placed", data: { kind: "none" }, extensions: {} } as const;

  test("happened now when it does not say when", () => {
    assert.deepEqual([eventOf(sent, arrival).time, eventOf({ ...sent, time: 5 }, arrival).time], [AT, 5]);
  });

  test("does not say itself where it was, but may name its resources", () => {
    const extensions = { lambentaccount: "999", lambentreplay: "x", lambentresources: "arn:a arn:b", other: 1 };
    const event = eventOf({ ...sent, extensions }, arrival);
    assert.deepEqual(
      [event.account, event.replayName, event.resources, event.extensions],
      ["000000000000", undefined, ["arn:a", "arn:b"], { other: 1 }],
    );
  });
});
