/** Rules with schedule expressions and their timers, which lie in another cell: what may come between the two. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { deferred, LambentError } from "../../src/base/index.ts";
import { BusWorld, REALM } from "./bus-world.ts";

const SCHEDULE = { schedule: "rate(5 minutes)" } as const;

/** Timers as they are kept: they outlive a crash. */
function keep(world: BusWorld): Map<string, boolean> {
  const kept = new Map<string, boolean>();
  world.timers = {
    check: () => undefined,
    put: async (_realm, name, { enabled }) => void kept.set(name, enabled),
    remove: async (_realm, name) => void kept.delete(name),
    async sync(_realm, wanted) {
      for (const name of kept.keys()) if (!wanted.has(name)) kept.delete(name);
      for (const [name, { enabled }] of wanted) kept.set(name, enabled);
    },
  };
  return kept;
}

describe("a rule with a schedule", () => {
  test("is as it was written for events that come, though its timer could not be written", async () => {
    const world = await BusWorld.open();
    const arn = await world.queue("a");
    await world.rule("both", [{ id: "t", arn }], SCHEDULE);
    assert.deepEqual(await world.story(await world.put({ n: 0 })), ["a handled", "event-bus/default handled"]);
    world.timers = { ...world.timers, put: () => Promise.reject(new LambentError("StorageBusy", "not now")) };
    await assert.rejects(world.buses.rules.setEnabled(REALM, "default", "both", false), { code: "StorageBusy" });
    assert.equal(world.buses.rules.get(REALM, "default", "both").enabled, false);
    assert.deepEqual(await world.story(await world.put({ n: 1 })), ["event-bus/default discarded: noListener"]);
    await world.stop();
  });

  test("keeps its timer when it is made while the timers of its realm are compared at a start", async () => {
    const world = await BusWorld.open();
    const kept = keep(world);
    await world.rule("old", [], SCHEDULE);
    const [compared, goOn] = [deferred<undefined>(), deferred<undefined>()];
    const { sync } = world.timers;
    world.timers = {
      ...world.timers,
      async sync(...asked) {
        compared.resolve(undefined);
        await goOn.promise;
        await sync(...asked);
      },
    };
    const resuming = world.buses.resume();
    await compared.promise;
    const making = world.rule("new", [], SCHEDULE);
    await world.settle();
    goOn.resolve(undefined);
    await Promise.all([resuming, making]);
    assert.deepEqual([...kept.keys()].sort(), ["new", "old"]);
    await world.stop();
  });

  test("that was the only one leaves no timer behind, though the power goes before that is removed", async () => {
    const world = await BusWorld.open();
    const kept = keep(world);
    await world.rule("only", [], SCHEDULE);
    world.timers = { ...world.timers, remove: () => Promise.reject(new LambentError("StorageStopped", "the power is gone")) };
    await assert.rejects(world.buses.rules.remove(REALM, "default", "only"), { code: "StorageStopped" });
    assert.deepEqual([...kept.keys()], ["only"]);
    await world.crash();
    assert.deepEqual([...kept.keys()], []);
    await world.stop();
  });

  test("sends nothing once it is disabled, whatever its timer knows of it", async () => {
    const world = await BusWorld.open();
    await world.rule("often", [{ id: "t", arn: await world.queue("a") }], SCHEDULE);
    const due = () => world.buses.scheduledDeliveries(REALM, "often", world.clock.now());
    assert.equal(due()?.length, 1);
    await world.buses.rules.setEnabled(REALM, "default", "often", false);
    assert.equal(due(), undefined);
    await world.stop();
  });
});
