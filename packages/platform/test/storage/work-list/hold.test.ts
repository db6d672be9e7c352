import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { LOOK_AHEAD_ITEMS_MAX, WINDOW_ITEMS_MAX } from "../../../src/storage/work-list/list-state.ts";
import { idsOf, item, leaseNow, type ListWorld, openListWorld } from "./world.ts";

/** Many items of one group, in as few commits as a call allows. */
async function fill({ list }: ListWorld, group: string, count: number, prefix = group): Promise<void> {
  const ids = Array.from({ length: count }, (_, index) => `${prefix}${index}`);
  for (let start = 0; start < count; start += 100) await list.enqueue(ids.slice(start, start + 100).map((id) => item(id, { group })));
}

/** Waits for the first item, and reads as far as it takes. */
async function leaseWaiting({ list, clock }: ListWorld, max = 10): Promise<readonly string[]> {
  const none = new AbortController();
  const leasing = list.lease({ max, leaseMs: 30_000, waitMs: 60_000, signal: none.signal });
  let outcome: readonly string[] | undefined;
  void leasing.then((found) => (outcome = found.kind === "leased" ? idsOf(found.items) : []));
  for (let turn = 0; turn < 2_000 && !outcome; turn++) await clock.advance(0);
  none.abort();
  await leasing;
  return outcome ?? [];
}

describe("a group that is held", () => {
  it("has no turn until it is freed, while others have theirs; twice held is once held", async () => {
    for (const ordering of ["fair", "fifo"] as const) {
      const { list } = await openListWorld({ ordering });
      list.holdGroup("a");
      list.holdGroup("a");
      await list.enqueue([item("a1", { group: "a" }), item("none"), item("b1", { group: "b" }), item("a2", { group: "a" })]);
      assert.deepEqual(idsOf(await leaseNow(list)).sort(), ["b1", "none"]);
      assert.equal(list.counts().visible, 2, "what is held waits and is counted");
      list.freeGroup("a");
      assert.deepEqual(idsOf(await leaseNow(list)), ["a1", "a2"]);
      list.freeGroup("a");
      list.freeGroup("never held");
    }
  });

  it("P6: wakes who waits when it is freed, and what joins it meanwhile waits with it", async () => {
    const { list, clock } = await openListWorld();
    await list.enqueue([item("a1", { group: "a" })]);
    list.holdGroup("a");
    const waiting = list.lease({ max: 5, leaseMs: 5_000, waitMs: 60_000 });
    await list.enqueue([item("a2", { group: "a", delayMs: 1_000 })]);
    await clock.advance(2_000);
    list.freeGroup("a");
    const outcome = await waiting;
    assert.deepEqual(outcome.kind === "leased" && idsOf(outcome.items), ["a1", "a2"]);
    await list.close();
    assert.equal(clock.pendingCount, 0);
  });

  it("can be settled, released and extended; what is given back is held again", async () => {
    const { list, clock } = await openListWorld();
    await list.enqueue(["a1", "a2", "a3"].map((id) => item(id, { group: "a" })));
    const [first, second, third] = await leaseNow(list);
    assert.ok(first && second && third);
    list.holdGroup("a");
    assert.equal((await list.settle(first.receipt)).kind, "settled");
    assert.equal((await list.release(second.receipt, { delayMs: 0 })).kind, "extended");
    assert.equal((await list.extend(third.receipt, 1_000)).kind, "extended");
    await clock.advance(1_000);
    assert.deepEqual(await leaseNow(list), []);
    list.freeGroup("a");
    assert.deepEqual(idsOf(await leaseNow(list)), ["a2", "a3"]);
  });

  it("stays held over a commit that failed and the reading that follows, and over a purge; not over a restart", async () => {
    let busy = false;
    const world = await openListWorld({}, { faults: ({ kind }) => (busy && kind === "commit" ? { kind: "busy" } : undefined) });
    const { list, clock } = world;
    await list.enqueue([item("a1", { group: "a" }), item("b1", { group: "b" })]);
    list.holdGroup("a");
    busy = true;
    await assert.rejects(list.enqueue([item("c1")]), { code: "StorageBusy" });
    busy = false;
    await clock.advance(1_000);
    assert.deepEqual(idsOf(await leaseNow(list)), ["b1"]);
    await list.purge();
    await list.enqueue([item("a2", { group: "a" })]);
    assert.deepEqual(await leaseNow(list), []);
    busy = true;
    await assert.rejects(list.enqueue([item("c2")]), { code: "StorageBusy" });
    // Freed while nothing is known of the list.
    list.freeGroup("a");
    busy = false;
    await clock.advance(1_000);
    assert.deepEqual(idsOf(await leaseNow(list)), ["a2"]);
    list.holdGroup("a");
    await world.list.enqueue([item("a3", { group: "a" })]);
    await world.restart();
    assert.deepEqual(idsOf(await leaseNow(world.list)), ["a3"]);
  });

  it("does not hide what lies behind it, beyond what is known, after a restart too", async () => {
    for (const ordering of ["fair", "fifo"] as const) {
      const world = await openListWorld({ ordering });
      await fill(world, "a", WINDOW_ITEMS_MAX + 3_000);
      await world.restart();
      world.list.holdGroup("a");
      await fill(world, "b", 3);
      // The same again: a group that is known has no place of its own ahead.
      await fill(world, "b", 3, "more");
      const found = new Set<string>();
      for (let more = await leaseWaiting(world, 3); more.length > 0; more = await leaseWaiting(world, 3)) {
        for (const id of more) found.add(id);
        if (ordering === "fifo" && found.size === 3) break;
      }
      assert.deepEqual([...found].sort(), ordering === "fifo" ? ["b0", "b1", "b2"] : ["b0", "b1", "b2", "more0", "more1", "more2"]);
      world.list.freeGroup("a");
      assert.deepEqual((await leaseWaiting(world, 2)).slice(0, 1), ["a0"]);
    }
  });

  it("does not hide what lies behind more of it than a list looks through otherwise", async () => {
    const world = await openListWorld();
    world.list.holdGroup("dead");
    await fill(world, "dead", LOOK_AHEAD_ITEMS_MAX + 5_000);
    await fill(world, "b", 2);
    const [first] = await leaseNow(world.list, 1);
    assert.equal(first?.id, "b0");
    // Its group is known while it is leased, so this one has no place of its own ahead.
    await fill(world, "b", 2, "more");
    const found: string[] = [];
    while (found.length < 3) {
      const more = await leaseWaiting(world, 3);
      if (more.length === 0) break;
      found.push(...more);
    }
    assert.deepEqual(found.sort(), ["b1", "more0", "more1"]);
  });

  it("is as if its items were not there: against a list that never had them", async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant("enqueue" as const), group: fc.constantFrom("a", "b", "c") }),
      fc.record({ kind: fc.constantFrom("hold" as const, "free" as const), group: fc.constantFrom("a", "b") }),
      fc.record({ kind: fc.constantFrom("lease" as const, "settle" as const, "giveBack" as const), group: fc.constant("") }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.constantFrom("fair" as const, "fifo" as const), async (steps, ordering) => {
        const { list } = await openListWorld({ ordering });
        const held = new Set<string>();
        const waiting = new Map<string, string>();
        const leased = new Map<string, { readonly group: string; readonly receipt: string }>();
        for (const [at, { kind, group }] of steps.entries()) {
          if (kind === "hold") held.add(group);
          if (kind === "hold") list.holdGroup(group);
          if (kind === "free") held.delete(group);
          if (kind === "free") list.freeGroup(group);
          if (kind === "enqueue") {
            waiting.set(`item${at}`, group);
            await list.enqueue([item(`item${at}`, { group })]);
          }
          if (kind === "lease") {
            for (const each of await leaseNow(list, 2)) {
              assert.ok(each.group && !held.has(each.group), `${each.id} is handed out though ${each.group} is held`);
              waiting.delete(each.id);
              leased.set(each.id, { group: each.group, receipt: each.receipt });
            }
          }
          const [id, lease] = [...leased][0] ?? [];
          if (id !== undefined && lease && (kind === "settle" || kind === "giveBack")) {
            leased.delete(id);
            if (kind === "settle") await list.settle(lease.receipt);
            else await list.release(lease.receipt, { delayMs: 0 });
            if (kind === "giveBack") waiting.set(id, lease.group);
          }
        }
        const locked = new Set(ordering === "fifo" ? [...leased.values()].map((lease) => lease.group) : []);
        const free = [...waiting].filter(([, group]) => !held.has(group) && !locked.has(group)).map(([id]) => id);
        assert.deepEqual(idsOf(await leaseNow(list, 100)).sort(), free.sort());
      }),
      { seed: 5, numRuns: 300 },
    );
  });
});

describe("a loud group", () => {
  it("leaves a place ahead for quiet ones however often one was used", async () => {
    const world = await openListWorld();
    await fill(world, "loud", WINDOW_ITEMS_MAX + 100);
    for (let each = 0; each < 1_100; each++) {
      await world.list.enqueue([item(`quiet${each}`, { group: "quiet" })]);
      const found = (await leaseNow(world.list, 2)).find(({ group }) => group === "quiet");
      assert.equal(found?.id, `quiet${each}`);
      assert.equal((await world.list.settle(found.receipt)).kind, "settled");
    }
  });
});
