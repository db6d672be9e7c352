import assert from "node:assert/strict";
import { test } from "node:test";
import type { ResultRow } from "../../src/windows/engine/result-row.ts";
import { routeOf, streamSink } from "../../src/windows/sinks/stream-sink.ts";
import { contents, openWorld, REALM, type World } from "./world.ts";

const ORIGIN = { realm: REALM, windowName: "sums", windowId: "w", generation: 1, windowArn: "arn" };
const KEYS = ["a", "b", "c", "d", "e", "f"];

/** Rows of six results as they were made when the stream was as it is. */
function rowsOf({ streams }: World, count: number): ResultRow[] {
  const routes = new Map([["sums", routeOf(streams.get(REALM, "sums"))]]);
  return Array.from({ length: count }, (_, number) => ({
    ...{ lane: "results", number, first: number * KEYS.length, keys: KEYS, times: KEYS.map(() => number), routes, bytes: 1 },
    texts: KEYS.map((key) => JSON.stringify({ key, number })),
  }));
}

async function sendAll(world: World, rows: readonly ResultRow[]): Promise<void> {
  const sink = streamSink("results", "sums", { streams: world.streams, origin: ORIGIN });
  for (const row of rows) await sink.send(row, 0, () => undefined, new AbortController().signal);
}

async function expectOnce(world: World, rows: number): Promise<void> {
  const found = (await contents(world.streams, "sums")).map(({ key, number }) => `${String(key)} ${String(number)}`);
  assert.equal(found.length, rows * KEYS.length);
  assert.equal(new Set(found).size, found.length);
  const ofOne = found.filter((each) => each.startsWith("c "));
  assert.deepEqual(
    ofOne,
    Array.from({ length: rows }, (_, number) => `c ${number}`),
  );
}

test("rows that are sent again, however many, are in the stream once and in order", async () => {
  const world = await openWorld();
  await world.streams.create(REALM, "sums", { shards: 3, madeBy: "kafka" });
  const rows = rowsOf(world, 40);
  await sendAll(world, rows);
  await sendAll(world, rows);
  await expectOnce(world, 40);
  await world.close();
});

test("rows go on where they were meant for though the stream has more partitions now", async () => {
  const world = await openWorld();
  await world.streams.create(REALM, "sums", { shards: 2, madeBy: "kafka" });
  const rows = rowsOf(world, 4);
  await sendAll(world, rows.slice(0, 3));
  await world.streams.addPartitions(REALM, "sums", 5);
  await sendAll(world, rows);
  await expectOnce(world, 4);
  await world.close();
});

test("what a shard got before it was split is not put again into those it became; what it did not get is", async () => {
  const world = await openWorld();
  await world.streams.create(REALM, "sums", { shards: 1, madeBy: "kinesis" });
  const rows = rowsOf(world, 5);
  await sendAll(world, rows.slice(0, 3));
  await world.streams.split(REALM, "sums", 0, (2n ** 127n).toString());
  await sendAll(world, rows);
  await sendAll(world, rows);
  await expectOnce(world, 5);
  await world.close();
});

test("a stream that was made anew gets all that it is sent", async () => {
  const world = await openWorld();
  await world.streams.create(REALM, "sums", { shards: 3, madeBy: "kafka" });
  const rows = rowsOf(world, 2);
  await sendAll(world, rows);
  await world.streams.remove(REALM, "sums");
  await world.streams.create(REALM, "sums", { shards: 1, madeBy: "kafka" });
  await sendAll(world, rows);
  await expectOnce(world, 2);
  await world.close();
});
