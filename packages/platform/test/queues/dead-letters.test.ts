import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MOVE_TASKS_LISTED_MAX, type Queue } from "../../src/queues/index.ts";
import { arnOf, bodiesOf, firstOf, message, openQueuesWorld, type QueuesWorld, REALM, receive, refusedAs, send } from "./world.ts";

/** A queue whose messages are dead after two receives. */
async function pair(world: QueuesWorld, suffix = ""): Promise<{ readonly orders: Queue; readonly dead: Queue }> {
  const dead = await world.make(`dead${suffix}`);
  const orders = await world.make(`orders${suffix}`, { visibilityMs: 1_000, redrive: { target: arnOf(`dead${suffix}`), receivesMax: 2 } });
  return { orders, dead };
}

/** Receives and lets go until the messages are dead. */
async function wear(world: QueuesWorld, queue: Queue): Promise<void> {
  for (let turn = 0; turn < 3; turn++) {
    await receive(queue);
    await world.clock.advance(1_000);
    await world.settle();
  }
}

describe("a dead-letter queue", () => {
  it("gets what was received too often, with its age and where it came from (P2)", async () => {
    const world = await openQueuesWorld();
    const { orders, dead } = await pair(world);
    const sentAt = world.clock.now();
    await send(orders, message("bad", { attributes: { a: { type: "String", value: "v" } } }));
    await wear(world, orders);
    const got = firstOf(await receive(dead));
    assert.deepEqual([got.body, got.source, got.sentAt, got.receiveCount], ["bad", arnOf("orders"), sentAt, 1]);
    assert.deepEqual({ ...got.attributes }, { a: { type: "String", value: "v" } });
    assert.equal(orders.list.counts().totals.sentOn, 1);
    assert.equal(orders.list.counts().outgoing, 0);
  });

  it("is refused where it is missing, of the other kind, unwilling, the queue itself, no ARN, or in a circle", async () => {
    const { make, set } = await openQueuesWorld();
    await make("a");
    await make("b.fifo");
    await make("unwilling", { redriveAllow: { kind: "none" } });
    await make("picky", { redriveAllow: { kind: "byQueue", sources: [arnOf("somebody")] } });
    const redrive = (target: string) => set("a", { redrive: { target, receivesMax: 1 } });
    const reasons: readonly (readonly [string, RegExp])[] = [
      [arnOf("missing"), /does not exist/u],
      [arnOf("b.fifo"), /fifo queue and the source a standard one/u],
      [arnOf("unwilling"), /RedriveAllowPolicy/u],
      [arnOf("picky"), /RedriveAllowPolicy/u],
      [arnOf("a"), /its own dead-letter queue/u],
      ["orders", /no ARN/u],
      ["arn:aws:sqs:eu-west-1:000000000000:a", /account and region/u],
    ];
    for (const [target, why] of reasons) await assert.rejects(redrive(target), refusedAs("InvalidParameter", why), target);
    await make("c", { redrive: { target: arnOf("a"), receivesMax: 1 } });
    await make("d", { redrive: { target: arnOf("c"), receivesMax: 1 } });
    await assert.rejects(redrive(arnOf("d")), refusedAs("InvalidParameter", /lead back/u));
    await set("picky", { redriveAllow: { kind: "byQueue", sources: [arnOf("a")] } });
    await redrive(arnOf("picky"));
    await assert.rejects(
      set("a", { redrive: { target: arnOf("picky"), receivesMax: 1_001 } }),
      refusedAs("InvalidParameter", /maxReceiveCount/u),
    );
  });

  it("that is deleted or no longer willing takes nothing more: messages stay where they are", async () => {
    for (const end of ["delete", "refuse"] as const) {
      const world = await openQueuesWorld();
      const { orders } = await pair(world);
      await send(orders, "bad");
      if (end === "delete") await world.queues.delete(REALM, "dead");
      else await world.set("dead", { redriveAllow: { kind: "none" } });
      await wear(world, orders);
      assert.deepEqual(bodiesOf(await receive(orders)), ["bad"]);
    }
  });

  it("gets it once wherever between the two queues the server was killed", async () => {
    // Commits of a message's way: leased for the third time and made outgoing; taken by the target; forgotten by the source.
    for (const survivors of [0, 1, 2, 3]) {
      let left = Number.POSITIVE_INFINITY;
      const world = await openQueuesWorld(({ kind }) => (kind === "commit" && left-- <= 0 ? { kind: "stopBefore" } : undefined));
      const { orders } = await pair(world);
      await send(orders, "bad");
      for (let turn = 0; turn < 2; turn++) {
        await receive(orders);
        await world.clock.advance(1_000);
      }
      left = survivors;
      await receive(orders).catch(() => undefined);
      await world.clock.advance(0);
      left = Number.POSITIVE_INFINITY;
      await world.restart();
      await world.settle();
      await world.clock.advance(5_000);
      await receive(await world.queue("orders"));
      await world.settle();
      const found = [...(await receive(await world.queue("dead"))), ...(await receive(await world.queue("orders")))];
      assert.deepEqual(bodiesOf(found), ["bad"], `${survivors} commits were written`);
      assert.equal((await world.queue("orders")).list.counts().totals.sentOn, 1);
    }
  });

  it("gets it, and moves go on, once a store that was busy is not so any more", async () => {
    let busy = "";
    const world = await openQueuesWorld(({ kind, cell }) =>
      busy !== "" && kind === "commit" && cell.includes(busy) ? { kind: "busy" } : undefined,
    );
    const { orders, dead } = await pair(world);
    await send(orders, "bad");
    busy = "/queue/dead/";
    await wear(world, orders);
    assert.equal(orders.list.counts().outgoing, 1);
    busy = "";
    await world.clock.advance(1_000);
    await world.settle();
    assert.deepEqual([dead.list.counts().visible, orders.list.counts().outgoing], [1, 0]);
    await world.queues.tasks.start(REALM, { source: arnOf("dead"), destination: undefined, messagesPerSecond: undefined });
    busy = "/queue/dead/";
    await world.clock.advance(10);
    busy = "";
    await world.clock.advance(5_000);
    await world.settle();
    assert.equal(firstOf(world.queues.tasks.list(REALM, arnOf("dead"), 1)).status.kind, "completed");
    assert.deepEqual(bodiesOf(await receive(orders)), ["bad"]);
  });

  it("that is deleted while messages are on their way to it leaves them where they were", async () => {
    let busy = "";
    const world = await openQueuesWorld(({ kind, cell }) =>
      busy !== "" && kind === "commit" && cell.includes(busy) ? { kind: "busy" } : undefined,
    );
    const { orders } = await pair(world);
    await send(orders, "bad");
    busy = "/queue/dead/";
    await wear(world, orders);
    assert.equal(orders.list.counts().outgoing, 1);
    await world.queues.delete(REALM, "dead");
    await world.clock.advance(2_000);
    await world.settle();
    assert.deepEqual(bodiesOf(await receive(orders)), ["bad"]);
  });

  it("is served after a restart though another queue's cell is damaged, which is told", async () => {
    let damaged = false;
    const world = await openQueuesWorld(({ kind, cell }) => {
      if (kind === "read") return damaged && cell.includes("/queue/broken/") ? { kind: "damaged" } : undefined;
      return damaged ? undefined : cell.includes("/queue/dead/") ? { kind: "busy" } : undefined;
    });
    const { orders } = await pair(world);
    await world.make("broken", { redrive: { target: arnOf("dead"), receivesMax: 1 } });
    await send(await world.queue("broken"), "lost");
    await send(orders, "bad");
    await wear(world, orders);
    damaged = true;
    await world.restart();
    await world.clock.advance(1_000);
    assert.deepEqual(bodiesOf(await receive(await world.queue("dead"))), ["bad"]);
    await assert.rejects(async () => world.queue("broken"), refusedAs("StorageCorrupt"));
    assert.deepEqual(
      world.problems.map((problem) => (problem as { readonly code?: string }).code),
      ["StorageCorrupt"],
    );
  });

  it("is the only reason to open queues at a start: those whose messages are on their way to it, also after the policy is gone (P6)", async () => {
    let busy = false;
    const reads = new Map<string, number>();
    const world = await openQueuesWorld(({ kind, cell }) => {
      const name = cell.split("/queue/")[1]?.split("/")[0] ?? "";
      if (kind === "read") reads.set(name, (reads.get(name) ?? 0) + 1);
      return busy && kind === "commit" && name === "dead" ? { kind: "busy" } : undefined;
    });
    const { orders } = await pair(world);
    const idle = await world.make("idle", { redrive: { target: arnOf("dead"), receivesMax: 1 } });
    await send(idle, "waits");
    await send(orders, "bad");
    busy = true;
    await wear(world, orders);
    await world.set("orders", { redrive: undefined });
    await world.queues.close();
    busy = false;
    reads.clear();
    await world.restart();
    await world.clock.advance(10);
    assert.equal(reads.get("idle"), 1, "only its head was looked at");
    assert.deepEqual(bodiesOf(await receive(await world.queue("dead"))), ["bad"]);
  });

  it("of a FIFO queue keeps groups in their order", async () => {
    const world = await openQueuesWorld();
    const dead = await world.make("dead.fifo");
    const orders = await world.make("orders.fifo", { visibilityMs: 1_000, redrive: { target: arnOf("dead.fifo"), receivesMax: 1 } });
    await send(orders, ...["1", "2", "3"].map((body) => message(body, { group: "g", deduplication: body })));
    await wear(world, orders);
    assert.deepEqual(bodiesOf(await receive(dead)), ["1", "2", "3"]);
  });
});

describe("a message move task", () => {
  async function withDead(count: number): Promise<{ readonly world: QueuesWorld; readonly orders: Queue; readonly dead: Queue }> {
    const world = await openQueuesWorld();
    const { orders, dead } = await pair(world);
    await send(orders, ...Array.from({ length: count }, (_, index) => `m${index}`));
    await wear(world, orders);
    assert.equal(dead.list.counts().visible, count);
    return { world, orders, dead };
  }
  const request = (destination?: string, messagesPerSecond?: number) => ({ source: arnOf("dead"), destination, messagesPerSecond });

  it("takes messages back to where they came from, and says when it is done", async () => {
    const { world, orders } = await withDead(5);
    await world.queues.tasks.start(REALM, request());
    await world.settle();
    const task = firstOf(world.queues.tasks.list(REALM, arnOf("dead"), 10));
    assert.deepEqual([task.status.kind, task.moved, task.toMove], ["completed", 5, 5]);
    const back = await receive(orders);
    assert.deepEqual(bodiesOf(back).toSorted(), ["m0", "m1", "m2", "m3", "m4"]);
    assert.deepEqual(back.map(({ source, receiveCount }) => [source, receiveCount])[0], [undefined, 1]);
  });

  it("takes them to another queue, at the rate it was given, until it is cancelled", async () => {
    const { world, dead } = await withDead(10);
    const other = await world.make("other");
    const { id } = await world.queues.tasks.start(REALM, request(arnOf("other"), 2));
    await world.clock.advance(1_500);
    await world.settle();
    assert.equal(other.list.counts().visible, 4);
    await assert.rejects(world.queues.tasks.start(REALM, request()), refusedAs("InvalidParameter", /already a task running/u));
    assert.equal((await world.queues.tasks.cancel(REALM, id)).moved, 4);
    await world.clock.advance(10_000);
    await world.settle();
    assert.deepEqual([other.list.counts().visible, dead.list.counts().visible], [4, 6]);
    await assert.rejects(world.queues.tasks.cancel(REALM, id), refusedAs("UnsupportedOperation"));
  });

  it("goes on after a restart", async () => {
    const { world } = await withDead(6);
    await world.make("other");
    await world.queues.tasks.start(REALM, request(arnOf("other"), 2));
    await world.settle();
    await world.queues.close();
    await world.restart();
    await world.clock.advance(10_000);
    await world.settle();
    assert.equal((await world.queue("other")).list.counts().visible, 6);
    assert.equal(firstOf(world.queues.tasks.list(REALM, arnOf("dead"), 1)).status.kind, "completed");
  });

  it("is refused for a queue that is nobody's dead-letter queue, that is missing, or for a rate out of range", async () => {
    const { world } = await withDead(1);
    const { tasks } = world.queues;
    await assert.rejects(
      tasks.start(REALM, { ...request(), source: arnOf("orders") }),
      refusedAs("InvalidParameter", /Dead Letter Queue/u),
    );
    await assert.rejects(tasks.start(REALM, { ...request(), source: arnOf("missing") }), refusedAs("NotFound"));
    await assert.rejects(tasks.start(REALM, request(arnOf("missing"))), refusedAs("NotFound"));
    await assert.rejects(tasks.start(REALM, request(arnOf("dead"))), refusedAs("InvalidParameter", /same/u));
    await assert.rejects(tasks.start(REALM, request(undefined, 501)), refusedAs("InvalidParameter", /500/u));
    await assert.rejects(tasks.start(REALM, { ...request(), source: "dead" }), refusedAs("InvalidParameter", /ARN/u));
    await assert.rejects(tasks.cancel(REALM, "made up"), refusedAs("NotFound"));
  });

  it("is remembered, the last ones of each queue", async () => {
    const { world } = await withDead(1);
    for (let turn = 0; turn < MOVE_TASKS_LISTED_MAX + 3; turn++) {
      await world.queues.tasks.start(REALM, request());
      await world.settle();
      await world.clock.advance(1);
    }
    assert.equal(world.queues.tasks.list(REALM, arnOf("dead"), 100).length, MOVE_TASKS_LISTED_MAX);
  });
});
