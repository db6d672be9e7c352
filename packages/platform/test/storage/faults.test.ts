import assert from "node:assert/strict";
import { test } from "node:test";
import { deferred, isLambentError } from "../../src/base/index.ts";
import { MemoryDisk, openMemoryStore, type Fault } from "../../src/storage/index.ts";

const put = { kind: "put", cell: "a", key: "k", value: Buffer.from("v") } as const;
const planOf =
  (...faults: (Fault | undefined)[]) =>
  () =>
    faults.shift();

void test("a busy commit changes nothing and the next one passes", async () => {
  const store = openMemoryStore({ faults: planOf({ kind: "busy" }) });
  await assert.rejects(store.commit("a", "any", [put]), (error) => isLambentError(error, "StorageBusy"));
  assert.deepEqual(await store.commit("a", 0, [put]), { kind: "committed", revision: 1 });
});

void test("a store that stops before or after applying refuses everything after, and the disk tells which it was", async () => {
  for (const [kind, revision] of [
    ["stopBefore", 0],
    ["stopAfter", 1],
  ] as const) {
    const disk = new MemoryDisk();
    const store = openMemoryStore({ disk, faults: planOf({ kind }) });
    const stopped = (error: unknown): boolean => isLambentError(error, "StorageStopped");
    await assert.rejects(store.commit("a", "any", [put]), stopped);
    await assert.rejects(store.commit("b", "any", []), stopped);
    assert.equal(await openMemoryStore({ disk }).revision("a"), revision);
  }
});

void test("an acknowledgement comes as late as the plan says", async () => {
  const durable = deferred<void>();
  const store = openMemoryStore({ faults: planOf({ kind: "acknowledgeLate", until: durable.promise }) });
  let acknowledged = false;
  const committing = store.commit("a", "any", [put]).then(() => (acknowledged = true));
  assert.equal(await store.revision("a"), 1);
  assert.equal(acknowledged, false);
  durable.resolve();
  await committing;
  assert.equal(acknowledged, true);
});

void test("a damaged cell is named, takes no commit, and the others go on", async () => {
  const store = openMemoryStore({ faults: ({ kind, cell }) => (kind === "read" && cell === "a" ? { kind: "damaged" } : undefined) });
  const corrupt = (error: unknown): boolean => isLambentError(error, "StorageCorrupt") && /Cell a /.test(error.message);
  await store.commit("a", "any", [put]);
  await assert.rejects(store.get("a", "k"), corrupt);
  await assert.rejects(store.commit("a", "any", [put]), corrupt);
  assert.equal(await store.revision("b"), 0);
});
