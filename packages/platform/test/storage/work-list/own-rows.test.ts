import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { isList, openItems, outgoingItems, readOwnRows, removeList } from "../../../src/storage/index.ts";
import { CELL, item, leaseNow, openListWorld, type ListWorld } from "./world.ts";

describe("a work list that nobody opens", () => {
  it("tells how many items are on their way to another cell, whatever happened to them", async () => {
    const step = fc.constantFrom("waiting", "forOther", "sendOn", "settle", "return", "lease", "purge", "restart");
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const world = await openListWorld();
        for (const [at, each] of steps.entries()) await doStep(world, each, `item-${at}`);
        // As after a crash: what was answered is durable.
        assert.equal(await outgoingItems(world.store, CELL), (await world.list.outgoing(100)).length, steps.join(" "));
        assert.equal((await openItems(world.store, CELL)) > 0, (await leaseNow(world.list)).length + openLeft(world) > 0);
      }),
      { seed: 5, numRuns: 200 },
    );
  });

  it("does not tell it where it was written last before it was counted", async () => {
    const world = await openListWorld();
    assert.equal(await outgoingItems(world.store, CELL), 0);
    await world.list.enqueue([item("a", { target: "elsewhere" })]);
    const head = JSON.parse(Buffer.from((await world.store.get(CELL, "head")) ?? []).toString("utf8")) as Record<string, unknown>;
    assert.equal(head["outgoing"], 1);
    const { outgoing: _counted, ...older } = head;
    await world.store.commit(CELL, "any", [{ kind: "put", cell: CELL, key: "head", value: Buffer.from(JSON.stringify(older)) }]);
    assert.equal(await outgoingItems(world.store, CELL), undefined);
    await world.restart();
    assert.equal((await world.list.outgoing(10)).length, 1);
    await world.list.settleOutgoing([1]);
    assert.equal(await outgoingItems(world.store, CELL), 0);
  });

  it("is removed but for the own rows that are to stay, however many it has and wherever the power went", async () => {
    for (let survivors = 0; survivors < 5; survivors++) {
      let left = Number.POSITIVE_INFINITY;
      const world = await openListWorld(
        {},
        { faults: ({ kind }) => (kind === "commit" && left-- <= 0 ? { kind: "stopBefore" } : undefined) },
      );
      const rows = Array.from({ length: 1_200 }, (_, index) => ({ key: `note/${index}`, value: Buffer.from("x") }));
      for (let start = 0; start < rows.length; start += 100) await world.list.writeRows(rows.slice(start, start + 100));
      await world.list.writeRows([{ key: "kept/a", value: Buffer.from("a") }]);
      await world.list.enqueue([item("a", { deduplication: "a" })]);
      await world.list.purge();
      await world.list.close();
      left = survivors;
      await removeList(world.store, CELL, "kept/").catch(() => undefined);
      left = Number.POSITIVE_INFINITY;
      await world.restart();
      await world.list.close();
      assert.equal(await isList(world.store, CELL), survivors < 4, `${survivors} commits survived`);
      await removeList(world.store, CELL, "kept/");
      assert.equal(await isList(world.store, CELL), false);
      const stays = await world.store.list(CELL, { prefix: "", limit: 10 });
      assert.deepEqual(
        stays.map(({ key }) => key),
        ["own/kept/a"],
      );
      await removeList(world.store, CELL);
      assert.deepEqual(await readOwnRows(world.store, CELL, { prefix: "", limit: 10 }), []);
    }
  });
});

async function doStep(world: ListWorld, step: string, id: string): Promise<void> {
  const { list } = world;
  const first = async (): Promise<number[]> => (await list.outgoing(1)).map(({ number }) => number);
  if (step === "waiting") await list.enqueue([item(id)]);
  else if (step === "forOther") await list.enqueue([item(id, { target: "elsewhere" })]);
  else if (step === "sendOn") await list.sendOn(2, "elsewhere");
  else if (step === "settle") await list.settleOutgoing(await first());
  else if (step === "return") await list.returnOutgoing(await first());
  else if (step === "lease") await leaseNow(list, 1);
  else if (step === "purge") await list.purge();
  else await world.restart();
}

/** Items that no lease gets now: leased ones, and those on their way. */
function openLeft({ list }: ListWorld): number {
  const { leased, outgoing } = list.counts();
  return leased + outgoing;
}
