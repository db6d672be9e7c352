import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { idsOf, item, leaseNow, openListWorld } from "./world.ts";

describe("a work list", () => {
  it("hands items out in order, each once while its lease is live, and again after it", async () => {
    const { list, clock } = await openListWorld();
    await list.enqueue([item("a"), item("b"), item("c")]);
    assert.deepEqual(idsOf(await leaseNow(list, 2)), ["a", "b"]);
    assert.deepEqual(idsOf(await leaseNow(list)), ["c"]);
    assert.deepEqual(await leaseNow(list), []);
    await clock.advance(30_000);
    const again = await leaseNow(list);
    assert.deepEqual(idsOf(again), ["a", "b", "c"]);
    assert.deepEqual(
      again.map(({ receiveCount }) => receiveCount),
      [2, 2, 2],
    );
    assert.equal(Buffer.from(again[0]?.body ?? []).toString(), "body of a");
  });

  it("forgets what was settled, in the store too", async () => {
    const world = await openListWorld();
    await world.list.enqueue([item("a"), item("b")]);
    for (const { receipt } of await leaseNow(world.list)) assert.deepEqual(await world.list.settle(receipt), { kind: "settled" });
    await world.restart();
    assert.deepEqual(await leaseNow(world.list), []);
    assert.deepEqual(world.list.counts().totals, { settled: 2, expired: 0, sentOn: 0, purged: 0 });
    assert.deepEqual(await world.store.read("000000000000.us-east-1/queue/test/0", 1, 10), []);
    assert.deepEqual(
      (await world.store.list("000000000000.us-east-1/queue/test/0", { prefix: "", limit: 10 })).map(({ key }) => key),
      ["head"],
    );
  });

  it("tells what became of a receipt", async () => {
    const { list, clock } = await openListWorld();
    await list.enqueue([item("a"), item("b")]);
    const [first] = await leaseNow(list, 1);
    assert.ok(first);
    await clock.advance(30_000);
    assert.deepEqual(await list.settle(first.receipt), { kind: "expired" });
    assert.deepEqual(await list.extend(first.receipt, 1_000), { kind: "expired" });
    const [second] = await leaseNow(list, 1);
    assert.ok(second);
    assert.deepEqual(await list.settle(first.receipt), { kind: "stale" });
    assert.deepEqual(await list.settle(second.receipt), { kind: "settled" });
    assert.deepEqual(await list.settle(second.receipt), { kind: "gone" });
    for (const forged of ["", "x", "1.1.AAAAAAAAAAA", "zzzzzz.0.AAAAAAAAAAA", "0.0.AAAAAAAAAAA", `${"9".repeat(400)}.0.AAAAAAAAAAA`])
      assert.deepEqual(await list.settle(forged), { kind: "unknown" }, forged);
  });

  it("tells those who wait that the store stopped, and asks a store that is busy again", async () => {
    const rules = { sendOn: { afterReceives: 1, target: "elsewhere" } };
    for (const fault of ["stopBefore", "busy"] as const) {
      let failing = false;
      const { list, clock } = await openListWorld(rules, {
        faults: ({ kind }) => (failing && kind === "commit" ? { kind: fault } : undefined),
      });
      await list.enqueue([item("worn")]);
      await leaseNow(list, 1, 1_000);
      const waiting = list.lease({ max: 1, leaseMs: 1_000, waitMs: 20_000 });
      failing = true;
      // The lease ends, the item goes elsewhere instead of to who waits, and that cannot be written.
      const told = waiting.then(
        ({ kind }) => kind,
        (error: { readonly code: string }) => error.code,
      );
      await clock.advance(1_000);
      failing = false;
      await clock.advance(20_000);
      assert.equal(await told, fault === "busy" ? "leased" : "StorageStopped");
      if (fault === "busy") assert.equal((await list.outgoing(10)).length, 1);
      await list.close();
    }
  });

  it("keeps leases over a restart, unless their holders are gone with it", async () => {
    for (const holders of ["here", "elsewhere"] as const) {
      const world = await openListWorld({}, { holders });
      await world.list.enqueue([item("a")]);
      const [lease] = await leaseNow(world.list);
      await world.restart();
      assert.deepEqual(idsOf(await leaseNow(world.list)), holders === "here" ? ["a"] : []);
      assert.deepEqual(await world.list.settle(lease?.receipt ?? ""), { kind: holders === "here" ? "stale" : "settled" });
    }
  });

  it("P6: wakes who waits when an item comes, a delay ends, a lease ends", async () => {
    const { list, clock } = await openListWorld();
    const first = list.lease({ max: 1, leaseMs: 5_000, waitMs: 20_000 });
    await clock.advance(1_000);
    await list.enqueue([item("a", { delayMs: 2_000 })]);
    await clock.advance(2_000);
    const outcome = await first;
    assert.ok(outcome.kind === "leased");
    assert.deepEqual(idsOf(outcome.items), ["a"]);
    const second = list.lease({ max: 1, leaseMs: 5_000, waitMs: 20_000 });
    await clock.advance(5_000);
    const again = await second;
    assert.ok(again.kind === "leased");
    assert.deepEqual(idsOf(again.items), ["a"]);
    const nothing = list.lease({ max: 1, leaseMs: 5_000, waitMs: 3_000 });
    await clock.advance(3_000);
    assert.deepEqual(await nothing, { kind: "leased", items: [] });
    const left = new AbortController();
    const abandoned = list.lease({ max: 1, leaseMs: 5_000, waitMs: 20_000, signal: left.signal });
    left.abort();
    assert.deepEqual(await abandoned, { kind: "leased", items: [] });
    const closing = list.lease({ max: 1, leaseMs: 600_000, waitMs: 20_000 });
    await list.close();
    assert.deepEqual(await closing, { kind: "closed" });
    assert.equal(clock.pendingCount, 0);
  });

  it("P4: a group is locked while an item of it is leased, and an ended lease hands the same item out first", async () => {
    const { list, clock } = await openListWorld({ ordering: "fifo" });
    await list.enqueue([item("a1", { group: "a" }), item("a2", { group: "a" }), item("b1", { group: "b" })]);
    const [a1] = await leaseNow(list, 1);
    assert.equal(a1?.id, "a1");
    assert.deepEqual(idsOf(await leaseNow(list)), ["b1"]);
    assert.deepEqual(await leaseNow(list), []);
    await clock.advance(30_000);
    const again = await leaseNow(list, 1);
    assert.deepEqual(idsOf(again), ["a1"]);
    assert.deepEqual(idsOf(await leaseNow(list)), ["b1"]);
    await list.settle(again[0]?.receipt ?? "");
    assert.deepEqual(idsOf(await leaseNow(list)), ["a2"]);
  });

  it("a quiet group does not wait behind a loud one", async () => {
    const { list } = await openListWorld();
    for (let batch = 0; batch < 200; batch++)
      await list.enqueue(Array.from({ length: 100 }, (_, index) => item(`loud-${batch}-${index}`, { group: "loud" })));
    await list.enqueue([item("quiet", { group: "quiet" })]);
    assert.ok(idsOf(await leaseNow(list, 2)).includes("quiet"));
  });

  it("remembers deduplication ids for their window, over a restart and behind the item's end", async () => {
    const world = await openListWorld();
    const [first] = await world.list.enqueue([item("a", { deduplication: "d" })]);
    const [lease] = await leaseNow(world.list);
    await world.list.settle(lease?.receipt ?? "");
    await world.restart();
    await world.clock.advance(299_000);
    assert.deepEqual(await world.list.enqueue([item("b", { deduplication: "d" })]), [{ ...first, kind: "duplicate" }]);
    await world.clock.advance(1_000);
    const [fresh] = await world.list.enqueue([item("c", { deduplication: "d" })]);
    assert.equal(fresh?.kind, "enqueued");
  });

  it("takes a delivery of a source once, also when it is sent again after a restart", async () => {
    const world = await openListWorld();
    const sent = item("a", { delivery: { source: "other", number: 7 } });
    assert.equal((await world.list.enqueue([sent]))[0]?.kind, "enqueued");
    await world.restart();
    assert.equal((await world.list.enqueue([sent]))[0]?.kind, "duplicate");
    assert.equal((await world.list.enqueue([item("b", { delivery: { source: "other", number: 8 } })]))[0]?.kind, "enqueued");
  });

  it("sends an item on after its receives, until the target has it", async () => {
    const world = await openListWorld({ sendOn: { afterReceives: 2, target: "dead" } });
    await world.list.enqueue([item("a")]);
    await leaseNow(world.list);
    await world.clock.advance(30_000);
    await leaseNow(world.list);
    await world.clock.advance(30_000);
    assert.deepEqual(await leaseNow(world.list), []);
    await world.restart();
    const [outgoing] = await world.list.outgoing(10);
    assert.deepEqual({ id: outgoing?.id, target: outgoing?.target, number: outgoing?.number }, { id: "a", target: "dead", number: 1 });
    await world.list.settleOutgoing([1]);
    await world.restart();
    assert.deepEqual(await world.list.outgoing(10), []);
    assert.equal(world.list.counts().totals.sentOn, 1);
  });

  it("settles, enqueues and writes rows in one step, or does nothing of it", async () => {
    const world = await openListWorld();
    await world.list.enqueue([item("a")]);
    const [lease] = await leaseNow(world.list);
    const step = { enqueue: [item("report", { target: "elsewhere" })], rows: [{ key: "outcome/a", value: Buffer.from("handled") }] };
    assert.deepEqual(await world.list.settle(lease?.receipt ?? "", step), { kind: "settled" });
    assert.deepEqual(await world.list.settle(lease?.receipt ?? "", step), { kind: "gone" });
    await world.restart();
    assert.deepEqual(idsOf(await world.list.outgoing(10)), ["report"]);
    assert.deepEqual(await leaseNow(world.list), []);
    const rows = await world.list.readRows({ prefix: "outcome/", limit: 10 });
    assert.deepEqual(
      rows.map(({ key, value }) => [key, Buffer.from(value).toString()]),
      [["outcome/a", "handled"]],
    );
    const [absent, outcome] = await world.list.getRows(["outcome/b", "outcome/a"]);
    assert.deepEqual([absent, Buffer.from(outcome ?? []).toString()], [undefined, "handled"]);
  });

  it("gives an item back with a delay and a note", async () => {
    const world = await openListWorld();
    await world.list.enqueue([item("a")]);
    const [lease] = await leaseNow(world.list);
    await world.list.release(lease?.receipt ?? "", { delayMs: 60_000, note: Buffer.from("first try failed") });
    await world.restart();
    await world.clock.advance(59_999);
    assert.deepEqual(await leaseNow(world.list), []);
    await world.clock.advance(1);
    const [again] = await leaseNow(world.list);
    assert.equal(Buffer.from(again?.note ?? []).toString(), "first try failed");
  });

  it("ends what is too old, and counts it", async () => {
    const { list, clock } = await openListWorld({ retentionMs: 60_000 });
    await list.enqueue([item("a")]);
    await clock.advance(30_000);
    await list.enqueue([item("b")]);
    await clock.advance(30_000);
    assert.equal(list.counts().totals.expired, 1);
    assert.deepEqual(idsOf(await leaseNow(list)), ["b"]);
  });

  it("purges leased, waiting and unread items, and what comes behind it stays", async () => {
    const world = await openListWorld();
    for (let batch = 0; batch < 130; batch++)
      await world.list.enqueue(Array.from({ length: 100 }, (_, index) => item(`${batch}-${index}`)));
    for (let batch = 0; batch < 130; batch++) await leaseNow(world.list);
    const purged = world.list.purge();
    const later = world.list.enqueue([item("later")]);
    await Promise.all([purged, later]);
    assert.deepEqual(world.list.counts().visible, 1);
    await world.restart();
    assert.deepEqual(idsOf(await leaseNow(world.list)), ["later"]);
    assert.equal(world.list.counts().totals.purged, 13_000);
    const rows = await world.store.list("000000000000.us-east-1/queue/test/0", { prefix: "", limit: 1_000 });
    assert.deepEqual(
      rows.map(({ key }) => key.split("/")[0]),
      ["head", "row"],
    );
  });

  it("P10: leases end though the wall clock is set back, and delays do not start again with a restart", async () => {
    const world = await openListWorld();
    await world.list.enqueue([item("a"), item("b", { delayMs: 60_000 })]);
    await leaseNow(world.list, 1);
    world.clock.jumpWall(-86_400_000);
    await world.restart();
    await world.clock.advance(30_000);
    assert.deepEqual(idsOf(await leaseNow(world.list, 1)), ["a"]);
    await world.clock.advance(30_000);
    assert.deepEqual(idsOf(await leaseNow(world.list)), ["b", "a"].toSorted());
  });

  it("P7: reads a backlog a window at a time, in order", async () => {
    const world = await openListWorld();
    for (let batch = 0; batch < 250; batch++)
      await world.list.enqueue(Array.from({ length: 100 }, (_, index) => item(String(batch * 100 + index))));
    await world.restart();
    let expected = 0;
    for (let leased = await leaseNow(world.list, 100); leased.length > 0; leased = await leaseNow(world.list, 100)) {
      for (const { id, receipt } of leased) {
        assert.equal(id, String(expected++));
        void world.list.settle(receipt);
      }
    }
    assert.equal(expected, 25_000);
  });

  it("refuses more live leases than allowed", async () => {
    const { list } = await openListWorld({ leasesMax: 2 });
    await list.enqueue([item("a"), item("b"), item("c")]);
    assert.deepEqual(idsOf(await leaseNow(list)), ["a", "b"]);
    assert.deepEqual(await list.lease({ max: 1, leaseMs: 1, waitMs: 0 }), { kind: "overLimit" });
  });
});
