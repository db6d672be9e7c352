import assert from "node:assert/strict";
import { test } from "node:test";
import { isLambentError } from "../../src/base/index.ts";
import { contents, declared, openWorld, pumped, put, REALM, until, type World } from "./world.ts";

const MINUTE = 60_000;

async function withWindow(change: Readonly<Record<string, unknown>> = {}, options: Parameters<typeof openWorld>[0] = {}): Promise<World> {
  const world = await openWorld(options);
  await world.streams.create(REALM, "readings", { shards: 2, madeBy: "kafka" });
  await world.windows.create(REALM, "sums", declared(change));
  return world;
}

/** One reading of device `a` in each of so many minutes. */
const minutes = (from: number, to: number, device = "a") =>
  Array.from({ length: to - from }, (_, at) => ({ device, value: from + at, at: (from + at) * MINUTE }));

async function sums(world: World): Promise<unknown[]> {
  return (await contents(world.streams, "sums")).map(({ sum }) => sum).toSorted((left, right) => Number(left) - Number(right));
}

async function expectSums(world: World, expected: readonly number[]): Promise<void> {
  await until(world.clock, async () => (await sums(world)).length >= expected.length);
  assert.deepEqual(await sums(world), expected);
}

test("results go to a stream that is made for them, with as many partitions as the source has", async () => {
  const world = await withWindow();
  assert.equal(world.streams.get(REALM, "sums").shards.length, 2);
  await world.close();
});

test("a window begins with what is put once it is made, and no record before", async () => {
  const world = await openWorld();
  await world.streams.create(REALM, "readings", { shards: 1, madeBy: "kafka" });
  await put(world.streams, 0, minutes(0, 5));
  await world.windows.create(REALM, "sums", declared({ start: "latest" }));
  await put(world.streams, 0, minutes(10, 13));
  await expectSums(world, [10, 11]);
  await world.close();
});

test("a partition that is silent holds the others up only as long as the definition says", async () => {
  const world = await withWindow({ idleAfter: "30s" });
  await put(world.streams, 0, minutes(0, 4));
  await world.clock.advance(29_000);
  assert.deepEqual(await sums(world), []);
  await world.clock.advance(1_500);
  await expectSums(world, [0, 1, 2]);
  await world.close();
});

test("a paused window reads nothing, and goes on where it was", async () => {
  const world = await withWindow({ idleAfter: "1s" });
  await put(world.streams, 0, minutes(0, 3));
  await expectSums(world, [0, 1]);
  await pumped(world.clock, world.windows.pause(REALM, "sums"));
  await put(world.streams, 0, minutes(3, 6));
  await world.clock.advance(10_000);
  assert.deepEqual(await sums(world), [0, 1]);
  assert.equal((await world.windows.describe(REALM, "sums")).running, undefined);
  await pumped(world.clock, world.windows.resumeWindow(REALM, "sums"));
  await expectSums(world, [0, 1, 2, 3, 4]);
  await world.close();
});

test("a reset window drops what it knew and begins where it is told to", async () => {
  const world = await withWindow({ idleAfter: "1s" });
  await put(world.streams, 0, minutes(0, 3));
  await expectSums(world, [0, 1]);
  const record = await pumped(world.clock, world.windows.reset(REALM, "sums", { kind: "earliest" }));
  assert.equal(record.generation, 2);
  await expectSums(world, [0, 0, 1, 1]);
  await pumped(world.clock, world.windows.reset(REALM, "sums", { kind: "here" }));
  await put(world.streams, 0, minutes(7, 9));
  await expectSums(world, [0, 0, 1, 1, 7]);
  await world.close();
});

test("a change of where results go keeps what was reckoned; one of the window is refused until a restart is named", async () => {
  const world = await withWindow({ idleAfter: "1s" });
  await put(world.streams, 0, minutes(0, 3));
  await expectSums(world, [0, 1]);
  const { windows, clock } = world;
  const elsewhere = declared({ idleAfter: "1s", sinks: [{ stream: "sums" }, { stream: "copies" }] });
  assert.deepEqual(await pumped(clock, windows.update(REALM, "sums", elsewhere)), { kind: "kept", fields: ["sinks"] });
  await put(world.streams, 0, minutes(3, 5));
  await expectSums(world, [0, 1, 2, 3]);
  assert.deepEqual(
    (await contents(world.streams, "copies")).map(({ sum }) => sum),
    [2, 3],
  );
  const wider = declared({ idleAfter: "1s", window: { kind: "tumbling", size: "2m" } });
  assert.equal(windows.plan(REALM, "sums", wider)?.kind, "restarted");
  await assert.rejects(
    windows.update(REALM, "sums", wider),
    (error) => isLambentError(error, "RestartNeeded") && /tumbling|sizeMs/u.test(error.message),
  );
  await pumped(clock, windows.update(REALM, "sums", wider, { restart: { kind: "earliest" } }));
  await expectSums(world, [0, 1, 1, 2, 3, 5]);
  await world.close();
});

test("a definition that was changed just before a crash is in force behind it, with what was reckoned", async () => {
  const world = await withWindow({ idleAfter: "1s", allowedLateness: "0s" });
  await put(world.streams, 0, minutes(0, 3));
  await expectSums(world, [0, 1]);
  const { disk, clock } = world;
  await pumped(clock, world.windows.update(REALM, "sums", declared({ idleAfter: "1s", allowedLateness: "5m" })));
  await pumped(clock, world.close());
  const again = await openWorld({ disk, clock });
  await pumped(clock, again.windows.resume());
  await put(again.streams, 0, [
    { device: "a", value: 100, at: 2 * MINUTE + 5 },
    ...minutes(3, 4),
    { device: "a", value: 5, at: 2 * MINUTE + 6 },
  ]);
  await expectSums(again, [0, 1, 102, 107]);
  await again.close();
});

test("a window that is removed leaves nothing in its cell, and its name is free", async () => {
  const world = await withWindow({ idleAfter: "1s" });
  await put(world.streams, 0, minutes(0, 3));
  await expectSums(world, [0, 1]);
  await pumped(world.clock, world.windows.remove(REALM, "sums"));
  for (const [name, cell] of world.disk.cells)
    if (name.includes("/windows/")) assert.deepEqual([cell.list({ prefix: "", limit: 10 }), cell.read(1, 10)], [[], []]);
  assert.equal(world.windows.find(REALM, "sums"), undefined);
  await world.windows.create(REALM, "sums", declared());
  await world.close();
});

test("partitions that are added are read from their beginning", async () => {
  const world = await withWindow({ idleAfter: "1s" });
  await put(world.streams, 0, minutes(0, 3));
  await expectSums(world, [0, 1]);
  await world.streams.addPartitions(REALM, "readings", 3);
  await put(world.streams, 2, minutes(20, 23, "b"));
  await expectSums(world, [0, 1, 2, 20, 21]);
  await world.close();
});

test("the shards that a shard was split into are read once it is read", async () => {
  const world = await openWorld();
  const { streams, windows } = world;
  await streams.create(REALM, "readings", { shards: 1, madeBy: "kinesis" });
  await put(streams, 0, minutes(0, 3));
  await streams.split(REALM, "readings", 0, (2n ** 127n).toString());
  await put(streams, 1, minutes(3, 6));
  await put(streams, 2, minutes(4, 7, "b"));
  await windows.create(REALM, "sums", declared({ idleAfter: "1s" }));
  await expectSums(world, [0, 1, 2, 3, 4, 4, 5, 5]);
  const { running } = await windows.describe(REALM, "sums");
  assert.deepEqual(
    running?.partitions.map(({ partition, ended }) => [partition, ended]),
    [
      [0, true],
      [1, false],
      [2, false],
    ],
  );
  assert.deepEqual(world.problems, []);
  await world.close();
});

test("what the stream dropped before it was read is counted, and the rest goes on", async () => {
  const world = await openWorld();
  const { streams, windows } = world;
  await streams.create(REALM, "readings", { shards: 1, madeBy: "kafka" });
  await windows.create(REALM, "sums", declared(), "paused");
  await put(streams, 0, minutes(0, 5));
  await (await streams.partition(REALM, "readings", 0)).deleteBefore(2);
  // Where it began was its first record when it was made.
  await pumped(world.clock, windows.resumeWindow(REALM, "sums"));
  await expectSums(world, [2, 3]);
  await pumped(world.clock, windows.pause(REALM, "sums"));
  await put(streams, 0, minutes(5, 9));
  await (await streams.partition(REALM, "readings", 0)).deleteBefore(7);
  await pumped(world.clock, windows.resumeWindow(REALM, "sums"));
  await expectSums(world, [2, 3, 4, 7]);
  assert.equal((await windows.describe(REALM, "sums")).running?.skipped, 2);
  await world.close();
});

test("a stream that was made anew with fewer partitions is read once, also behind a restart", async () => {
  const world = await openWorld();
  await world.streams.create(REALM, "readings", { shards: 3, madeBy: "kafka" });
  await world.windows.create(REALM, "sums", declared({ idleAfter: "1s" }));
  await put(world.streams, 0, minutes(0, 3));
  await expectSums(world, [0, 1]);
  const { disk, clock } = world;
  await pumped(clock, world.streams.remove(REALM, "readings"));
  await world.streams.create(REALM, "readings", { shards: 1, madeBy: "kafka" });
  await put(world.streams, 0, minutes(10, 13));
  await expectSums(world, [0, 1, 2, 10, 11]);
  await pumped(clock, world.close());
  const again = await openWorld({ disk, clock });
  await pumped(clock, again.windows.resume());
  await put(again.streams, 0, minutes(13, 15));
  await expectSums(again, [0, 1, 2, 10, 11, 12, 13]);
  const { running } = await again.windows.describe(REALM, "sums");
  assert.deepEqual(
    [running?.partitions.map(({ partition, next }) => [partition, next]), running?.read, running?.late],
    [[[0, 5]], 3 + 5, 0],
  );
  await again.close();
});

test("a window that is reset where it is reads a stream that was made anew from its beginning", async () => {
  const world = await withWindow({ idleAfter: "1s" });
  const { clock, streams, windows } = world;
  await put(streams, 0, minutes(0, 3));
  await expectSums(world, [0, 1]);
  await pumped(clock, windows.pause(REALM, "sums"));
  await pumped(clock, streams.remove(REALM, "readings"));
  await streams.create(REALM, "readings", { shards: 1, madeBy: "kafka" });
  await put(streams, 0, minutes(10, 13));
  await pumped(clock, windows.reset(REALM, "sums", { kind: "here" }));
  await pumped(clock, windows.resumeWindow(REALM, "sums"));
  await expectSums(world, [0, 1, 10, 11]);
  await world.close();
});
