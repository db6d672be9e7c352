import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { NewMessage } from "../../src/queues/index.ts";
import { bodiesOf, firstOf, message, openQueuesWorld, receive, refusedAs, send } from "./world.ts";

describe("messages of a standard queue", () => {
  it("come with all they were sent with", async () => {
    const { make, clock } = await openQueuesWorld();
    const queue = await make("orders");
    const attributes = {
      size: { type: "Number.int", value: "7" },
      bytes: { type: "Binary", value: Buffer.from([0, 255, 1]) },
      __proto__text: { type: "String", value: "€" },
    };
    const sentAt = clock.now();
    await send(queue, message("héllo\n", { attributes, traceHeader: { type: "String", value: "Root=1" }, sender: "AROA:me" }));
    await clock.advance(1_000);
    const got = firstOf(await receive(queue));
    assert.deepEqual({ ...got.attributes }, attributes);
    assert.deepEqual(
      [got.body, got.sender, got.traceHeader, got.sentAt, got.receiveCount, got.firstReceivedAt, got.source],
      ["héllo\n", "AROA:me", "Root=1", sentAt, 1, sentAt + 1_000, undefined],
    );
  });

  it("are hidden while one has them, and come again after the visibility timeout, counted", async () => {
    const { make, clock } = await openQueuesWorld();
    const queue = await make("orders", { visibilityMs: 10_000 });
    await send(queue, "a");
    await receive(queue);
    await clock.advance(9_999);
    assert.deepEqual(await receive(queue), []);
    await clock.advance(1);
    const again = firstOf(await receive(queue, { visibilityMs: 1_000 }));
    assert.equal(again.receiveCount, 2);
    await queue.changeVisibility(again.handle, 60_000);
    await clock.advance(59_999);
    assert.deepEqual(await receive(queue), []);
    await queue.changeVisibility(again.handle, 0);
    assert.deepEqual(bodiesOf(await receive(queue)), ["a"]);
  });

  it("are delayed by the queue's delay or their own", async () => {
    const { make, clock } = await openQueuesWorld();
    const queue = await make("orders", { delayMs: 5_000 });
    await send(queue, "queue's", message("own", { delayMs: 1_000 }), message("none", { delayMs: 0 }));
    const seen = async (ms: number): Promise<string[]> => {
      await clock.advance(ms);
      return bodiesOf(await receive(queue));
    };
    assert.deepEqual(await seen(0), ["none"]);
    assert.deepEqual(queue.list.counts().delayed, 2);
    assert.deepEqual(await seen(1_000), ["own"]);
    assert.deepEqual(await seen(4_000), ["queue's"]);
  });

  it("end after the retention period, whether or not somebody looked", async () => {
    const { make, clock } = await openQueuesWorld();
    const queue = await make("orders", { retentionMs: 60_000 });
    await send(queue, "old");
    await clock.advance(59_999);
    await send(queue, "young");
    await clock.advance(1);
    assert.deepEqual(bodiesOf(await receive(queue)), ["young"]);
    assert.equal(queue.list.counts().totals.expired, 1);
  });

  it("wake a receiver that waits as soon as they are there (P6), and time is all it waits for otherwise", async () => {
    const { make, clock } = await openQueuesWorld();
    const queue = await make("orders", { waitMs: 20_000 });
    const waiting = queue.receive({ max: 10 });
    await clock.advance(19_999);
    await send(queue, "now");
    assert.deepEqual(bodiesOf(await waiting), ["now"]);
    const empty = queue.receive({ max: 10 });
    await clock.advance(20_000);
    assert.deepEqual(await empty, []);
    assert.equal(clock.pendingCount <= 1, true, "only the end of the lease is waited for");
  });

  it("are not given to a receiver that has left", async () => {
    const { make } = await openQueuesWorld();
    const queue = await make("orders");
    const leaving = new AbortController();
    const left = receive(queue, { waitMs: 20_000, signal: leaving.signal });
    leaving.abort();
    assert.deepEqual(await left, []);
    await send(queue, "for the next one");
    assert.deepEqual(bodiesOf(await receive(queue)), ["for the next one"]);
  });

  it("of a quiet group do not wait behind those of a loud one", async () => {
    const { make } = await openQueuesWorld();
    const queue = await make("orders");
    for (let index = 0; index < 50; index++) await send(queue, message(`loud ${index}`, { group: "loud" }));
    await send(queue, message("quiet", { group: "quiet" }));
    assert.deepEqual(bodiesOf(await receive(queue, { max: 2 })), ["loud 0", "quiet"]);
  });

  it("end by their handle, also a late one; twice is fine; a handle of a later lease stays good", async () => {
    const { make, clock } = await openQueuesWorld();
    const queue = await make("orders", { visibilityMs: 1_000 });
    await send(queue, "a", "b");
    const [a, b] = await receive(queue);
    await clock.advance(1_000);
    await queue.delete(a?.handle ?? "");
    await queue.delete(a?.handle ?? "");
    const later = firstOf(await receive(queue));
    assert.equal(later.body, "b");
    await queue.delete(b?.handle ?? "");
    assert.equal(queue.list.counts().leased, 1, "the older handle does not end the later lease");
    await queue.delete(later.handle);
    assert.deepEqual(queue.list.counts().totals, { settled: 2, expired: 0, sentOn: 0, purged: 0 });
  });

  it("tell what is wrong with a handle: made up, of another queue, not in flight, deleted", async () => {
    const { make, clock } = await openQueuesWorld();
    const queue = await make("orders", { visibilityMs: 1_000 });
    const other = await make("others");
    await send(queue, "a");
    await send(other, "x");
    const { handle } = firstOf(await receive(queue));
    const foreign = firstOf(await receive(other)).handle;
    for (const wrong of ["", "made up", foreign, `${handle}x`, handle.slice(0, -1), "ä".repeat(2_000)]) {
      await assert.rejects(queue.delete(wrong), refusedAs("InvalidReceipt"), wrong);
      await assert.rejects(queue.changeVisibility(wrong, 1_000), refusedAs("InvalidReceipt"), wrong);
    }
    await clock.advance(1_000);
    await assert.rejects(queue.changeVisibility(handle, 1_000), refusedAs("NotInFlight"));
    await queue.delete(handle);
    await assert.rejects(queue.changeVisibility(handle, 1_000), refusedAs("InvalidParameter", /does not exist/u));
    await assert.rejects(queue.changeVisibility(handle, 43_201_000), refusedAs("InvalidParameter", /43200/u));
  });

  it("are refused one by one: the others of the call are sent", async () => {
    const { make } = await openQueuesWorld();
    const queue = await make("orders", { messageBytesMax: 1_024 });
    const outcomes = await queue.send([message("good"), message("x".repeat(1_025)), message(""), message("good too")]);
    assert.deepEqual(
      outcomes.map((outcome) => (outcome.kind === "refused" ? outcome.error.code : outcome.kind)),
      ["sent", "InvalidParameter", "InvalidParameter", "sent"],
    );
    assert.deepEqual(bodiesOf(await receive(queue)), ["good", "good too"]);
  });

  const REFUSED: Readonly<Record<string, readonly [Partial<NewMessage>, code: string]>> = {
    "a character XML does not have": [{ body: "a\u0000b" }, "InvalidMessage"],
    "half of a character": [{ body: "\ud800" }, "InvalidMessage"],
    "a forbidden character in an attribute": [{ attributes: { a: { type: "String", value: "\u0001" } } }, "InvalidMessage"],
    "attributes that make it too long": [
      { body: "x".repeat(1_048_570), attributes: { name: { type: "String", value: "v" } } },
      "InvalidParameter",
    ],
    "eleven attributes": [
      { attributes: Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`a${index}`, { type: "String", value: "v" }])) },
      "InvalidParameter",
    ],
    "a reserved name": [{ attributes: { "AWS.x": { type: "String", value: "v" } } }, "InvalidParameter"],
    "two dots in a name": [{ attributes: { "a..b": { type: "String", value: "v" } } }, "InvalidParameter"],
    "an unknown type": [{ attributes: { a: { type: "Text", value: "v" } } }, "InvalidParameter"],
    "no value": [{ attributes: { a: { type: "String", value: "" } } }, "InvalidParameter"],
    "a number that is none": [{ attributes: { a: { type: "Number", value: "seven" } } }, "InvalidParameter"],
    "text as binary": [{ attributes: { a: { type: "Binary", value: "text" } } }, "InvalidParameter"],
    "a delay over the limit": [{ delayMs: 901_000 }, "InvalidParameter"],
    "a delay below zero": [{ delayMs: -1_000 }, "InvalidParameter"],
    "a deduplication id": [{ deduplication: "x" }, "InvalidParameter"],
    "a group of 129 characters": [{ group: "g".repeat(129) }, "InvalidParameter"],
    "a trace header that is endless": [{ traceHeader: { type: "String", value: "x".repeat(2_049) } }, "InvalidParameter"],
    "a trace header that is no text": [{ traceHeader: { type: "Binary", value: Buffer.from("x") } }, "InvalidParameter"],
  };
  for (const [what, [more, code]] of Object.entries(REFUSED))
    it(`are refused with ${what}`, async () => {
      const { make } = await openQueuesWorld();
      const queue = await make("orders");
      await assert.rejects(send(queue, message("body", more)), refusedAs(code));
      assert.equal(queue.list.counts().visible, 0);
    });

  it("of 1 MiB are taken, attributes included", async () => {
    const { make } = await openQueuesWorld();
    const queue = await make("orders");
    await send(queue, message("x".repeat(1_048_576 - 11), { attributes: { name: { type: "String", value: "v" } } }));
    assert.equal(firstOf(await receive(queue)).body.length, 1_048_576 - 11);
  });

  it("of 1 MiB are taken whatever they consist of, and come back as they were", async () => {
    const { make } = await openQueuesWorld();
    const queue = await make("orders");
    const texts = ['"'.repeat(1_048_576), "\n".repeat(1_048_576), "\\".repeat(1_048_576), "€".repeat(349_525)];
    for (const text of texts) {
      await send(queue, text);
      assert.ok(firstOf(await receive(queue)).body === text);
      const attributes = {
        a: { type: "String", value: text.slice(0, 300_000) },
        b: { type: "Binary", value: Buffer.alloc(100_000, 0xff) },
      };
      await send(queue, message("x", { attributes }));
      assert.deepEqual({ ...firstOf(await receive(queue)).attributes }, attributes);
    }
  });

  it("stay where a purge was refused, which can be repeated at once", async () => {
    let busy = false;
    const { make } = await openQueuesWorld(({ kind, cell }) =>
      busy && kind === "commit" && cell.includes("/queue/") ? { kind: "busy" } : undefined,
    );
    const queue = await make("orders");
    await send(queue, "a");
    busy = true;
    await assert.rejects(queue.purge(), refusedAs("StorageBusy"));
    busy = false;
    await queue.purge();
    assert.deepEqual(await receive(queue), []);
  });

  it("all go with a purge, leased or not, and a purge is not repeated within a minute", async () => {
    const { make, clock } = await openQueuesWorld();
    const queue = await make("orders");
    await send(queue, "a", "b", message("c", { delayMs: 1_000 }));
    const [held] = await receive(queue, { max: 1 });
    await queue.purge();
    await clock.advance(60_000 - 1);
    assert.deepEqual(await receive(queue), []);
    await assert.rejects(queue.purge(), refusedAs("PurgeInProgress"));
    await queue.delete(held?.handle ?? "");
    await clock.advance(1);
    await queue.purge();
  });
});
