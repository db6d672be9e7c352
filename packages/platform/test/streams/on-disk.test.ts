/** A partition on the store that servers use: its rows cross threads, and its files are opened again. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { seededRandom, systemClock, systemSecureRandom } from "../../src/base/index.ts";
import { openSqliteStore } from "../../src/storage/index.ts";
import { openStreams } from "../../src/streams/index.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { allValues, REALM, record } from "./world.ts";

test("what a partition took is there again behind a restart, in rows of any size, whoever reads", async (t) => {
  const folder = temporaryFolder(t);
  const open = async () => {
    const store = await openSqliteStore({ file: join(folder, "store.db") });
    const onProblem = (error: unknown): void => assert.fail(String(error));
    const streams = await openStreams({ store, clock: systemClock, random: seededRandom(1), secureRandom: systemSecureRandom, onProblem });
    return { streams, close: async () => (await streams.close(), await store.close()) };
  };
  const values = Array.from({ length: 300 }, (_, n) => `${n}-`.padEnd(n % 10 === 0 ? 100_000 : 500, "abc"));
  const first = await open();
  await first.streams.create(REALM, "s", { shards: 2, madeBy: "lambent" });
  const partitions = await Promise.all([0, 1].map((number) => first.streams.partition(REALM, "s", number)));
  for (let at = 0; at < values.length; at += 5)
    await Promise.all(values.slice(at, at + 5).flatMap((value) => partitions.map((partition) => partition.append([record(value)]))));
  await partitions[1]?.deleteBefore(200);
  await first.close();

  const second = await open();
  for (const [number, from] of [
    [0, 0],
    [1, 200],
  ] as const) {
    const partition = await second.streams.partition(REALM, "s", number);
    const read = await Promise.all([1, 30_000, 1_000_000].map((bytesMax) => allValues(partition, from, bytesMax)));
    for (const each of read) assert.deepEqual(each, values.slice(from));
    assert.deepEqual(await allValues(partition, 250), values.slice(250));
  }
  await second.close();
});
