import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type FaultPlan, OPS_PER_COMMIT_MAX, openMemoryStore, RealmTables } from "../../src/storage/index.ts";

const HERE = { account: "000000000000", region: "us-east-1" };

describe("the tables of a kind in all realms", () => {
  it("keep nothing of a realm that was only asked about (P7), and find what was put into another", async () => {
    const store = openMemoryStore();
    const tables = await RealmTables.load<{ readonly text: string }>({ store, kind: "things", prefix: "thing/", changesWaitingMax: 1 });
    for (let account = 0; account < 100; account += 1)
      assert.equal(tables.items({ account: String(account).padStart(12, "1"), region: "made-up-1" }).size, 0);
    assert.deepEqual([...tables], []);
    await tables.of(HERE).put("a", { text: "x" });
    assert.deepEqual(tables.items(HERE).get("a"), { text: "x" });
    assert.deepEqual(
      [...tables].map(({ realm }) => realm),
      [HERE],
    );
    const again = await RealmTables.load<{ readonly text: string }>({ store, kind: "things", prefix: "thing/", changesWaitingMax: 1 });
    assert.deepEqual(again.items(HERE).get("a"), { text: "x" });
    await store.close();
  });

  it("have in memory what is written, also when a change of several commits fails in the middle", async () => {
    let faults: FaultPlan = () => undefined;
    const store = openMemoryStore({ faults: (step) => faults(step) });
    const options = { store, kind: "things", prefix: "thing/", changesWaitingMax: 1 };
    const table = (await RealmTables.load<number>(options)).of(HERE);
    let commits = 0;
    faults = ({ kind }) => (kind === "commit" && ++commits === 2 ? { kind: "busy" } : undefined);
    const all = new Map(Array.from({ length: OPS_PER_COMMIT_MAX + 1 }, (_, index) => [`n${index}`, index]));
    await assert.rejects(table.write(all), { code: "StorageBusy" });
    const written = (await RealmTables.load<number>(options)).items(HERE);
    assert.equal(written.size, OPS_PER_COMMIT_MAX);
    assert.deepEqual(new Map(table.items), new Map([...all].filter(([name]) => written.has(name))));
    await store.close();
  });

  it("say of what they are when too many changes wait", async () => {
    const store = openMemoryStore();
    const table = (await RealmTables.load<number>({ store, kind: "buses", prefix: "bus/", changesWaitingMax: 0 })).of(HERE);
    await assert.rejects(
      table.changes.take(() => undefined),
      { code: "StorageBusy", message: /changes of bus definitions wait/ },
    );
    await store.close();
  });
});
