import assert from "node:assert/strict";
import { test } from "node:test";
import { eachCell, eachRealm, eachRow, openMemoryStore, READ_ROWS_MAX, type Store } from "../../src/storage/index.ts";

async function put(store: Store, cell: string, keys: readonly string[]): Promise<void> {
  const ops = keys.map((key) => ({ kind: "put", cell, key, value: Buffer.from(key) }) as const);
  for (let at = 0; at < ops.length; at += 400) await store.commit(cell, await store.revision(cell), ops.slice(at, at + 400));
}

test("every row of a prefix comes once, in order, over as many pages as it takes", async () => {
  const store = openMemoryStore({});
  const keys = Array.from({ length: READ_ROWS_MAX + 7 }, (_, at) => `a/${String(at).padStart(6, "0")}`);
  await put(store, "1.r/kind/name/0", [...keys, "b/other"]);
  const rows = await Array.fromAsync(eachRow(store, "1.r/kind/name/0", "a/"));
  assert.deepEqual(
    rows.map(({ key }) => key),
    keys,
  );
  assert.equal((await Array.fromAsync(eachRow(store, "1.r/kind/name/0", "a/", 3))).length, keys.length);
  assert.deepEqual(await Array.fromAsync(eachRow(store, "1.r/kind/none/0")), []);
});

test("every cell of a prefix comes once, and every realm with one look each", async () => {
  const store = openMemoryStore({});
  for (const cell of [
    "000000000000.us-east-1/queue/a/0",
    "000000000000.us-east-1/queue/b/0",
    "000000000000.us-west-2/async/f/0",
    "roles/x",
  ])
    await put(store, cell, ["key"]);
  assert.deepEqual(await Array.fromAsync(eachCell(store, "000000000000.us-east-1/queue/")), [
    "000000000000.us-east-1/queue/a/0",
    "000000000000.us-east-1/queue/b/0",
  ]);
  let looks = 0;
  const counted: Pick<Store, "cells"> = {
    cells: (range) => {
      looks += 1;
      return store.cells(range);
    },
  };
  assert.deepEqual(await Array.fromAsync(eachRealm(counted)), [
    { account: "000000000000", region: "us-east-1" },
    { account: "000000000000", region: "us-west-2" },
  ]);
  assert.equal(looks, 4);
});
