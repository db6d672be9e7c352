import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DEFAULT_QUEUE_SETTINGS, QUEUE_TAGS_MAX } from "../../src/queues/index.ts";
import { bodiesOf, openQueuesWorld, REALM, receive, refusedAs, send } from "./world.ts";

describe("queues", () => {
  it("are created once: the same again is the same queue, another setting under the name is refused", async () => {
    const { make, queues } = await openQueuesWorld();
    const { record } = await make("orders", { visibilityMs: 5_000 });
    assert.equal((await make("orders", { visibilityMs: 5_000 })).record.id, record.id);
    assert.equal((await make("orders")).record.id, record.id, "what is not named is not compared");
    await assert.rejects(make("orders", { visibilityMs: 6_000 }), refusedAs("AlreadyExists"));
    assert.deepEqual(
      queues.list(REALM, { prefix: "", limit: 10 }).map(({ name }) => name),
      ["orders"],
    );
  });

  it("are there after a restart, with settings, tags and messages", async () => {
    const world = await openQueuesWorld();
    await send(await world.make("orders", { delayMs: 0, policy: "{}" }), "first");
    await world.queues.update(REALM, "orders", ({ settings }) => ({ settings, tags: { team: "a" } }));
    await world.restart();
    const queue = await world.queue("orders");
    assert.deepEqual(queue.record.settings, { ...DEFAULT_QUEUE_SETTINGS, policy: "{}" });
    assert.deepEqual(queue.record.tags, { team: "a" });
    assert.deepEqual(bodiesOf(await receive(queue)), ["first"]);
  });

  it("are listed by name, by prefix and in pages", async () => {
    const { make, queues } = await openQueuesWorld();
    for (const name of ["b", "a-2", "a-1", "a-3"]) await make(name);
    const names = (range: Parameters<typeof queues.list>[1]): string[] => queues.list(REALM, range).map(({ name }) => name);
    assert.deepEqual(names({ prefix: "a-", limit: 2 }), ["a-1", "a-2"]);
    assert.deepEqual(names({ prefix: "a-", limit: 2, after: "a-2" }), ["a-3"]);
    assert.deepEqual(queues.list({ ...REALM, region: "eu-west-1" }, { prefix: "", limit: 10 }), []);
  });

  it("refuse names and settings that break a rule, naming both", async () => {
    const { make, set } = await openQueuesWorld();
    for (const name of ["", "a b", "a.b", "x".repeat(81), "ä", "a/b", ".fifo", `${"x".repeat(76)}.fifo`])
      await assert.rejects(make(name), refusedAs("InvalidParameter"), name);
    await make("orders");
    await assert.rejects(
      set("orders", { visibilityMs: 43_201_000 }),
      refusedAs("InvalidAttributeValue", /VisibilityTimeout.*43201.*0 to 43200/u),
    );
    await assert.rejects(set("orders", { retentionMs: 59_000 }), refusedAs("InvalidAttributeValue", /MessageRetentionPeriod/u));
    await assert.rejects(set("orders", { messageBytesMax: 1_048_577 }), refusedAs("InvalidAttributeValue", /MaximumMessageSize/u));
    await assert.rejects(set("orders", { waitMs: 20_500 }), refusedAs("InvalidAttributeValue", /ReceiveMessageWaitTimeSeconds/u));
    await assert.rejects(set("orders", { contentBasedDeduplication: true }), refusedAs("InvalidAttributeName"));
    await assert.rejects(make("a.fifo", { throughputLimit: "perMessageGroupId" }), refusedAs("InvalidAttributeValue"));
  });

  it("refuse tags over their bounds, and apply none of them", async () => {
    const { make, queues } = await openQueuesWorld();
    await make("orders");
    const tag = (tags: Record<string, string>) => queues.update(REALM, "orders", ({ settings }) => ({ settings, tags }));
    const many = Object.fromEntries(Array.from({ length: QUEUE_TAGS_MAX + 1 }, (_, index) => [`k${index}`, "v"]));
    for (const tags of [many, { "": "v" }, { ["k".repeat(129)]: "v" }, { k: "v".repeat(257) }]) {
      await assert.rejects(tag(tags), refusedAs("InvalidParameter"));
      assert.deepEqual(queues.record(REALM, "orders").tags, {});
    }
  });

  it("are gone once deleted: messages, waiting receivers, handles; their name is free after a minute", async () => {
    const world = await openQueuesWorld();
    const queue = await world.make("orders");
    await send(queue, "lost");
    const [held] = await receive(queue);
    const waiting = assert.rejects(receive(queue, { waitMs: 20_000 }), refusedAs("NotFound"));
    await world.queues.delete(REALM, "orders");
    await waiting;
    await assert.rejects(async () => world.queue("orders"), refusedAs("NotFound"));
    await assert.rejects(queue.delete(held?.handle ?? ""), refusedAs("NotFound"));
    await assert.rejects(send(queue, "late"), refusedAs("NotFound"));
    await assert.rejects(world.make("orders"), refusedAs("QueueDeletedRecently"));
    await world.restart();
    await assert.rejects(world.make("orders"), refusedAs("QueueDeletedRecently"));
    await world.clock.advance(60_000);
    const again = await world.make("orders");
    assert.deepEqual(await receive(again), []);
    await assert.rejects(again.delete(held?.handle ?? ""), refusedAs("InvalidReceipt"));
  });

  it("leave nothing in the store once deleted, but that they were", async () => {
    const world = await openQueuesWorld();
    const queue = await world.make("orders.fifo");
    for (let index = 0; index < 3; index++)
      await send(queue, { body: "x", attributes: {}, sender: "", group: `g${index}`, deduplication: `${index}` });
    await receive(queue, { max: 2 });
    const cell = (await world.store.cells({ prefix: "", limit: 10 })).find((each) => each.includes("/queue/orders.fifo/")) ?? "";
    assert.ok((await world.store.list(cell, { prefix: "", limit: 10 })).length > 0);
    await world.queues.delete(REALM, "orders.fifo");
    assert.deepEqual(await world.store.list(cell, { prefix: "", limit: 10 }), []);
    assert.deepEqual(await world.store.read(cell, 1, 10), []);
  });

  it("that were deleted but not emptied when the server was killed are emptied by the next one", async () => {
    let stop = false;
    const world = await openQueuesWorld(({ kind }) => (stop && kind === "commit" ? { kind: "stopAfter" } : undefined));
    await send(await world.make("orders"), "left");
    const cell = (await world.store.cells({ prefix: "", limit: 10 })).find((each) => each.includes("/queue/orders/")) ?? "";
    stop = true;
    await assert.rejects(world.queues.delete(REALM, "orders"));
    stop = false;
    await world.restart();
    await world.settle();
    assert.deepEqual(await world.store.read(cell, 1, 10), []);
    assert.deepEqual(await world.store.list(cell, { prefix: "", limit: 10 }), []);
    await assert.rejects(async () => world.queue("orders"), refusedAs("NotFound"));
  });

  it("are deleted though their cell is damaged", async () => {
    let damaged = false;
    const world = await openQueuesWorld(({ kind, cell }) =>
      damaged && kind === "read" && cell.includes("/queue/orders/") ? { kind: "damaged" } : undefined,
    );
    await send(await world.make("orders"), "lost");
    damaged = true;
    await world.restart();
    await world.queues.delete(REALM, "orders");
    assert.throws(() => world.queues.record(REALM, "orders"), refusedAs("NotFound"));
  });

  it("created while the left-overs of others are emptied keep their messages", async () => {
    const world = await openQueuesWorld();
    for (let index = 0; index < 5; index++) await send(await world.make(`old-${index}`), "kept");
    const resuming = world.queues.resume();
    const made = await Promise.all(Array.from({ length: 5 }, (_, index) => world.make(`new-${index}`)));
    await Promise.all(made.map((queue) => send(queue, "kept too")));
    await resuming;
    await world.settle();
    for (const queue of made) assert.deepEqual(bodiesOf(await receive(queue)), ["kept too"]);
  });

  it("say in which region one of that name is, when it is not in this one", async () => {
    const { make, queues } = await openQueuesWorld();
    await make("orders");
    assert.throws(
      () => queues.record({ ...REALM, region: "eu-west-1" }, "orders"),
      refusedAs("NotFound", /One of that name is in us-east-1/u),
    );
    assert.throws(
      () => queues.record({ ...REALM, account: "111111111111" }, "orders"),
      (error: Error) => !/us-east-1/u.test(error.message),
    );
  });
});
