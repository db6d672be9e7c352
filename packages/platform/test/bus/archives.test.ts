import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LambentError } from "../../src/base/index.ts";
import type { PublishedEvent } from "../../src/bus/index.ts";
import { eachCell, eachRow } from "../../src/storage/index.ts";
import { BusWorld, REALM } from "./bus-world.ts";

const ARCHIVE_CELLS = "000000000000.us-east-1/archive/";
const draft = (name: string, more: object = {}) => ({
  ...{ name, bus: "default", description: undefined, pattern: undefined, retentionDays: 0 },
  ...more,
});

/** Rows of all archives that are or were. */
async function rowsLeft({ inner: { store } }: BusWorld): Promise<number> {
  let count = 0;
  for await (const cell of eachCell(store, ARCHIVE_CELLS)) for await (const _ of eachRow(store, cell)) count += 1;
  return count;
}

const eventsOf = async ({ buses: { archives } }: BusWorld, name: string): Promise<number> =>
  (await archives.counts(REALM, archives.get(REALM, name))).events;
const managed = ({ buses: { rules } }: BusWorld): string[] => rules.managed(REALM).map(({ name }) => name);

describe("an archive", () => {
  test("keeps what its pattern matches, each event once, and forgets it with itself", async () => {
    const world = await BusWorld.open();
    await world.buses.archives.create(REALM, draft("all"));
    await world.buses.archives.create(REALM, draft("large", { pattern: '{"detail":{"n":[{"numeric":[">",1]}]}}' }));
    for (const n of [1, 2, 3]) await world.put({ n });
    assert.deepEqual([await eventsOf(world, "all"), await eventsOf(world, "large")], [3, 2]);
    await world.buses.archives.delete(REALM, "all");
    await world.buses.archives.delete(REALM, "large");
    assert.deepEqual([managed(world), await rowsLeft(world)], [[], 0]);
    await world.stop();
  });

  test("that is deleted while events come to it takes none of them along, and none is left", async () => {
    const world = await BusWorld.open();
    await world.buses.archives.create(REALM, draft("all"));
    for (let each = 0; each < 20; each++) await world.put({ each });
    const coming = Array.from({ length: 40 }, () => world.event());
    const putting = world.buses.publish(REALM, "default", coming);
    const deleting = world.buses.archives.delete(REALM, "all");
    await world.settle();
    await Promise.all([putting, deleting]);
    await world.settle();
    assert.equal(await rowsLeft(world), 0);
    for (const { event } of coming) {
      const story = await world.story(event.id);
      assert.ok(!story.some((line) => line.endsWith("waiting")), story.join());
    }
    await world.stop();
  });

  test("is as it says wherever the power goes while it is made, changed or deleted", async () => {
    const pattern = '{"source":["shop"],"detail":{"n":[7]}}';
    const steps: Record<string, (world: BusWorld) => Promise<unknown>> = {
      made: ({ buses }) => buses.archives.create(REALM, draft("a")),
      changed: ({ buses }) => buses.archives.update(REALM, "a", { pattern }),
      deleted: ({ buses }) => buses.archives.delete(REALM, "a"),
    };
    for (const [step, run] of Object.entries(steps)) {
      for (let survivors = 0; survivors < 5; survivors++) {
        const world = await BusWorld.open();
        if (step !== "made") await world.buses.archives.create(REALM, draft("a"));
        if (step !== "made") for (let each = 0; each < 3; each++) await world.put({ each });
        let left = survivors;
        world.inner.faults = (fault) => (fault.kind === "commit" && left-- <= 0 ? { kind: "stopBefore" } : undefined);
        await run(world).catch(() => undefined);
        world.inner.faults = () => undefined;
        world.inner.troubles.length = 0;
        await world.crash();
        const there = world.buses.archives.list(REALM, "");
        const said = `${step}, ${survivors} commits survived`;
        assert.deepEqual(managed(world), there.length === 0 ? [] : ["Events-Archive-a"], said);
        if (there.length === 0) assert.equal(await rowsLeft(world), 0, said);
        else {
          const before = await eventsOf(world, "a");
          const n = there[0]?.pattern === undefined ? 8 : 7;
          await world.put({ n });
          if (n === 7) await world.put({ n: 8 });
          assert.equal(await eventsOf(world, "a"), before + 1, said);
        }
        await world.stop();
      }
    }
  });

  test("whose rule cannot be written is not there, and its bus is not kept from being deleted", async () => {
    const world = await BusWorld.open();
    await world.bus("orders");
    let commits = 0;
    world.inner.faults = (step) => (step.kind === "commit" && ++commits === 2 ? { kind: "busy" } : undefined);
    await assert.rejects(world.buses.archives.create(REALM, draft("a", { bus: "orders" })), { code: "StorageBusy" });
    world.inner.faults = () => undefined;
    assert.deepEqual([world.buses.archives.list(REALM, ""), managed(world)], [[], []]);
    await world.buses.delete(REALM, "orders");
    await assert.rejects(world.buses.archives.create(REALM, draft("a", { bus: "orders" })), { code: "NotFound" });
    assert.deepEqual(world.buses.archives.list(REALM, ""), []);
    await world.stop();
  });

  test("takes no rule of somebody else's for its own", async () => {
    const world = await BusWorld.open();
    const queue = await world.queue("a");
    await world.rule("Events-Archive-a", [{ id: "t", arn: queue }]);
    await assert.rejects(world.buses.archives.create(REALM, draft("a")), { code: "AlreadyExists" });
    await world.put({ n: 1 });
    assert.deepEqual(await world.details("a"), [{ n: 1 }]);
    assert.deepEqual(world.buses.archives.list(REALM, ""), []);
    await world.stop();
  });
});

describe("the events of an archive", () => {
  const add = async ({ buses: { archives } }: BusWorld, ...events: readonly PublishedEvent[]) =>
    Promise.allSettled(events.map(({ event }) => archives.add(REALM, "all", event)));

  test("that come together share commits, and one that comes twice is kept once", async () => {
    const world = await BusWorld.open();
    await world.buses.archives.create(REALM, draft("all"));
    const events = Array.from({ length: 250 }, () => world.event());
    let commits = 0;
    world.inner.faults = (step) => {
      if (step.kind === "commit") commits += 1;
      return undefined;
    };
    const outcomes = await add(world, ...events, ...events.slice(0, 50));
    assert.ok(outcomes.every(({ status }) => status === "fulfilled"));
    assert.ok(commits <= 4, `${commits} commits`);
    await add(world, ...events);
    assert.equal(await eventsOf(world, "all"), 250);
    await world.crash();
    assert.equal(await eventsOf(world, "all"), 250);
    await world.stop();
  });

  test("of a commit that fails are each told so, and those of the next one are kept", async () => {
    const world = await BusWorld.open();
    await world.buses.archives.create(REALM, draft("all"));
    const events = Array.from({ length: 150 }, () => world.event());
    let commits = 0;
    world.inner.faults = (step) => (step.kind === "commit" && ++commits === 1 ? { kind: "busy" } : undefined);
    const outcomes = await add(world, ...events);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      events.map((_, index) => (index < 100 ? "rejected" : "fulfilled")),
    );
    assert.equal(await eventsOf(world, "all"), 50);
    await add(world, ...events);
    assert.equal(await eventsOf(world, "all"), 150);
    await world.stop();
  });
});

describe("a replay", () => {
  const replay = (archive: string) => ({
    ...{ name: "again", archive, description: undefined, from: 0, to: Number.MAX_SAFE_INTEGER, onlyRules: undefined },
  });

  test("brings every event once more to the rules, none of them to an archive", async () => {
    const world = await BusWorld.open();
    await world.buses.archives.create(REALM, draft("all"));
    for (let n = 0; n < 5; n++) await world.put({ n });
    await world.rule("late", [{ id: "t", arn: await world.queue("a") }]);
    await world.buses.replays.start(REALM, replay("all"));
    await world.settle();
    assert.deepEqual(
      (await world.details("a")).map((detail) => (detail as { n: number }).n).toSorted((left, right) => left - right),
      [0, 1, 2, 3, 4],
    );
    assert.equal(world.buses.replays.get(REALM, "again").state.kind, "completed");
    assert.equal(await eventsOf(world, "all"), 5);
    await world.stop();
  });

  test("whose archive is deleted meanwhile fails and says so", async () => {
    const world = await BusWorld.open();
    await world.buses.archives.create(REALM, draft("all"));
    for (let n = 0; n < 60; n++) await world.put({ n });
    await world.buses.replays.start(REALM, replay("all"));
    const deleting = world.buses.archives.delete(REALM, "all");
    await world.settle();
    await deleting;
    await world.settle();
    const { state } = world.buses.replays.get(REALM, "again");
    assert.equal(state.kind, "failed");
    assert.match("reason" in state ? state.reason : "", /Archive all does not exist/);
    await world.stop();
  });

  test("of an archive that cannot be read fails, and keeps no place among those that run", async () => {
    const world = await BusWorld.open();
    await world.buses.archives.create(REALM, draft("all"));
    await world.put({ n: 1 });
    const { archives } = world.buses;
    archives.store(REALM, archives.get(REALM, "all")).page = () => Promise.reject(new LambentError("StorageCorrupt", "it is damaged"));
    await world.buses.replays.start(REALM, replay("all"));
    await world.settle();
    assert.deepEqual(world.buses.replays.get(REALM, "again").state, { kind: "failed", at: world.clock.now(), reason: "it is damaged" });
    await world.stop();
  });
});
