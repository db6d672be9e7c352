import assert from "node:assert/strict";
import { test } from "node:test";
import { type BusEvent, chainOf, eventType } from "../../../sdk/src/index.ts";
import { withEvent } from "../../src/invoker/index.ts";

const placed = eventType<{ readonly order: number }>("order.placed", { source: "shop", bus: "orders" });

test("a kind of event makes the entry that publishes it", () => {
  assert.deepEqual(placed.entry({ order: 7 }), {
    Source: "shop",
    DetailType: "order.placed",
    Detail: '{"order":7}',
    EventBusName: "orders",
  });
  assert.deepEqual(placed.entry({ order: 7 }, { resources: ["arn:x"] }).Resources, ["arn:x"]);
});

test("a listener knows an event of its kind, and what it says", () => {
  const event: BusEvent = {
    ...{ version: "0", id: "1", "detail-type": "order.placed", source: "shop", account: "000000000000", time: "2026-11-21T19:00:00Z" },
    ...{ region: "us-east-1", resources: [], detail: { order: 7 } },
  };
  assert.ok(placed.is(event));
  assert.equal(event.detail.order, 7);
  assert.equal(placed.is({ ...event, source: "other" }), false);
  assert.equal(placed.is({ ...event, "detail-type": "order.paid" }), false);
});

test("the chain of a call is read from its trace header as the platform writes it", () => {
  const [event, first] = ["01a1ffca-38ba-75f6-a512-6c004cbcf84f", "01a1ffca-3842-7af7-91ee-79672e7a5b07"];
  const header = withEvent("Root=1-6740f4c5-0123456789abcdef01234567;Sampled=0", event, first);
  assert.deepEqual(chainOf(header), { event, correlation: first });
  assert.equal(chainOf("Root=1-6740f4c5-0123456789abcdef01234567"), undefined);
  assert.equal(chainOf(undefined), undefined);
});
