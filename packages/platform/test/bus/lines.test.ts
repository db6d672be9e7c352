/** Which buses are open, and what those that are gone leave. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LambentError } from "../../src/base/index.ts";
import { LEDGER_KEEP_MS_MIN } from "../../src/ledger/index.ts";
import { eachCell, eachRow } from "../../src/storage/index.ts";
import { BusWorld, REALM } from "./bus-world.ts";

const BUS_CELLS = "000000000000.us-east-1/bus/";

async function rowsOf({ inner: { store } }: BusWorld, bus: string): Promise<number> {
  let count = 0;
  for await (const cell of eachCell(store, `${BUS_CELLS}${bus}/`)) for await (const _ of eachRow(store, cell)) count += 1;
  return count;
}

/** The courier lets go of an outbox when it is closed. */
const served = (world: BusWorld): readonly string[] => world.opened.filter((cell) => !world.closed.includes(cell));

describe("P7: a bus that is gone", () => {
  test("is not kept open once all of it is delivered, however many are made and removed", async () => {
    const world = await BusWorld.open();
    for (let round = 0; round < 5; round++) {
      await world.bus(`bus${round}`);
      await world.put({}, `bus${round}`);
      await world.buses.delete(REALM, `bus${round}`);
      await world.settle();
      assert.ok(served(world).length <= 1, `${served(world).length} are open`);
    }
    await world.stop();
  });

  test("stays open while it has deliveries, and they end", async () => {
    const world = await BusWorld.open();
    await world.bus("orders");
    const arn = await world.queue("a");
    await world.rule("r", [{ id: "t", arn }], { bus: "orders" });
    world.authorize = () => {
      throw new LambentError("StorageBusy", "not yet");
    };
    await world.put({ n: 1 }, "orders");
    await world.buses.rules.removeTargets(REALM, "orders", "r", ["t"]);
    await world.buses.rules.remove(REALM, "orders", "r");
    await world.buses.delete(REALM, "orders");
    await world.bus("another");
    world.authorize = () => undefined;
    await world.pass(60_000);
    assert.deepEqual(await world.details("a"), [{ n: 1 }]);
    await world.bus("a-third");
    await world.settle();
    assert.deepEqual(served(world), []);
    await world.stop();
  });

  test("leaves its records for a day, and then nothing", async () => {
    const world = await BusWorld.open();
    await world.bus("orders");
    const id = await world.put({}, "orders");
    await world.buses.delete(REALM, "orders");
    await world.crash();
    assert.equal((await world.record(id)).state.kind, "ended");
    await world.clock.advance(LEDGER_KEEP_MS_MIN + 1);
    await world.crash();
    assert.equal(await rowsOf(world, "orders"), 0);
    // One of its name is another one, and keeps what it has.
    await world.bus("orders");
    await world.put({}, "orders");
    await world.clock.advance(LEDGER_KEEP_MS_MIN + 1);
    await world.crash();
    assert.ok((await rowsOf(world, "orders")) > 0);
    await world.stop();
  });
});

describe("behind a start", () => {
  test("deliveries are taken up though timers cannot be compared", async () => {
    const world = await BusWorld.open();
    await world.rule("r", [{ id: "t", arn: await world.queue("a") }]);
    world.authorize = () => {
      throw new LambentError("StorageBusy", "not yet");
    };
    await world.put({ n: 1 });
    world.authorize = () => undefined;
    world.timers = { ...world.timers, sync: () => Promise.reject(new LambentError("StorageCorrupt", "timers are damaged")) };
    await assert.rejects(world.crash(), /timers are damaged/);
    world.inner.troubles.length = 0;
    await world.pass(60_000);
    assert.deepEqual(await world.details("a"), [{ n: 1 }]);
    await world.stop();
  });

  test("what a busy storage refuses is asked for again", async () => {
    const world = await BusWorld.open();
    let asked = 0;
    world.timers = {
      ...world.timers,
      sync: async () => {
        asked += 1;
        if (asked === 1) throw new LambentError("StorageBusy", "not now");
      },
    };
    await world.bus("orders");
    const resuming = world.buses.resume();
    await world.settle();
    assert.equal(asked, 1);
    await world.pass(1_000);
    await resuming;
    assert.ok(asked > 1);
    await world.stop();
  });
});
