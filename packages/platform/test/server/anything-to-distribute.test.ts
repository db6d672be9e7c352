import assert from "node:assert/strict";
import { test } from "node:test";
import { hasAnythingToDistribute } from "../../src/server/anything-to-distribute.ts";
import { openMemoryStore, type Store } from "../../src/storage/index.ts";

const REALM = "000000000000.us-east-1";

async function storeWith(...cells: readonly string[]): Promise<Store> {
  const store = openMemoryStore({});
  for (const cell of cells) await store.commit(cell, "any", [{ kind: "put", cell, key: "row", value: Buffer.from("1") }]);
  return store;
}

const QUIET = [
  "000000000000.global/registry/roles/0",
  `${REALM}/apps/registry/0`,
  `${REALM}/async/hello/1`,
  `${REALM}/queue/jobs/1`,
  `${REALM}/queue/jobs/2`,
  `${REALM}/registry/functions/0`,
  `${REALM}/registry/mappings/0`,
  `${REALM}/registry/queues/0`,
  `${REALM}/usage/hello/0`,
];

test("functions, queues, roles and applications wait for no bus, schedule or topic", async () => {
  assert.equal(await hasAnythingToDistribute(await storeWith()), false);
  assert.equal(await hasAnythingToDistribute(await storeWith(...QUIET)), false);
});

test("a bus, a schedule, a topic, what they define, and whatever is not known to need none of them are to be opened", async () => {
  const others = [
    "bus/default/default",
    "schedules/default/1",
    "topic/t/1",
    "archive/a/1",
    "registry/buses/0",
    "registry/topics/0",
    "tables/new/0",
  ];
  for (const cell of others) assert.equal(await hasAnythingToDistribute(await storeWith(...QUIET, `${REALM}/${cell}`)), true, cell);
});

test("it looks once a kind, however many cells there are", async () => {
  const store = await storeWith(...Array.from({ length: 50 }, (_, n) => `${REALM}/queue/q${n}/1`), `${REALM}/registry/queues/0`);
  let looks = 0;
  const counted: Pick<Store, "cells"> = {
    cells(range) {
      looks += 1;
      return store.cells(range);
    },
  };
  assert.equal(await hasAnythingToDistribute(counted), false);
  assert.ok(looks <= 5, `${looks} looks`);
});
