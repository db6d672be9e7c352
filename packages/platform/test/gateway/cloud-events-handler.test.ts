import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { LambentError, systemSecureRandom } from "../../src/base/index.ts";
import { BodyBudget } from "../../src/gateway/body.ts";
import {
  CLOUD_EVENTS_BODY_BYTES_MAX,
  CloudEventsHandler,
  type PublishResult,
} from "../../src/gateway/cloud-events/cloud-events-handler.ts";
import type { CloudEvent } from "../../src/model/index.ts";

const REALM = { account: "000000000000", region: "us-east-1" };

describe("CloudEvents sent over HTTP", () => {
  const bodies = new BodyBudget();
  const published: (readonly [bus: string, events: readonly CloudEvent[]])[] = [];
  let results: (events: readonly CloudEvent[]) => readonly PublishResult[] = (events) => events.map(({ id }) => ({ kind: "taken", id }));
  const handler = new CloudEventsHandler({
    bodies,
    secureRandom: systemSecureRandom,
    guard: (_bus, request) => {
      if (request.headers.authorization !== "yes") throw new LambentError("AccessDenied", "no policy allows it");
      return REALM;
    },
    publish: async (realm, bus, events) => {
      assert.equal(realm, REALM);
      published.push([bus, events]);
      return results(events);
    },
  });
  const server = createServer((request, response) => void handler.handle("orders", request, response));
  let url = "";
  before(async () => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });
  after(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  });

  const post = async (contentType: string, body: string, more: Record<string, string> = {}, method = "POST") => {
    const headers = { "content-type": contentType, authorization: "yes", ...more };
    const answer = await fetch(url, { method, headers, ...(method === "GET" ? {} : { body }) });
    assert.equal(bodies.held, 0, "the body's bytes are given back");
    return { status: answer.status, said: (await answer.json()) as unknown };
  };
  const event = (id: string): object => ({ specversion: "1.0", id, type: "order.placed", source: "/shop", data: { n: 1 } });
  const CE = { "ce-specversion": "1.0", "ce-id": "a", "ce-type": "order.placed", "ce-source": "/shop" };

  test("are published in binary mode", async () => {
    assert.deepEqual(await post("application/json", '{"n":1.0}', CE), { status: 200, said: { entries: [{ id: "a" }] } });
    const [bus, [first]] = published.at(-1) ?? assert.fail();
    assert.equal(bus, "orders");
    assert.deepEqual(first?.data, { kind: "json", bytes: Buffer.from('{"n":1.0}') });
    assert.equal(first?.type, "order.placed");
  });

  test("are published in structured and batched mode, in their order", async () => {
    assert.equal((await post("application/cloudevents+json", JSON.stringify(event("b")))).status, 200);
    const batch = JSON.stringify([event("c"), event("d")]);
    assert.deepEqual(await post("application/cloudevents-batch+json", batch), {
      status: 200,
      said: { entries: [{ id: "c" }, { id: "d" }] },
    });
    assert.deepEqual(
      published.at(-1)?.[1].map(({ id }) => id),
      ["c", "d"],
    );
  });

  test("are told one by one what became of them", async () => {
    const refused: PublishResult = { kind: "refused", code: "Throttled", message: "the bus is full" };
    const told = { code: "Throttled", message: "the bus is full" };
    results = (events) => events.map(({ id }) => (id === "d" ? refused : { kind: "taken", id }));
    const batch = JSON.stringify([event("c"), event("d")]);
    assert.deepEqual(await post("application/cloudevents-batch+json", batch), { status: 207, said: { entries: [{ id: "c" }, told] } });
    assert.deepEqual(await post("application/cloudevents+json", JSON.stringify(event("d"))), { status: 429, said: { entries: [told] } });
  });

  test("are refused without reaching the bus when they are malformed, too large, sent otherwise, or not allowed (P8)", async () => {
    const before = published.length;
    const missing = { code: "InvalidParameter", message: "CloudEvent attribute id is missing; every CloudEvent has one." };
    assert.deepEqual(await post("application/cloudevents+json", '{"specversion":"1.0"}'), { status: 400, said: missing });
    assert.equal((await post("application/cloudevents+json", "{")).status, 400);
    assert.equal((await post("text/plain", "x".repeat(CLOUD_EVENTS_BODY_BYTES_MAX + 1), CE)).status, 413);
    assert.equal((await post("text/plain", "", {}, "GET")).status, 404);
    assert.equal((await post("text/plain", "", { ...CE, authorization: "no" })).status, 403);
    assert.equal(published.length, before);
  });
});
