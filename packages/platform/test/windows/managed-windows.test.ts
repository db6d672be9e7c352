import assert from "node:assert/strict";
import { test } from "node:test";
import { contents, declared, openWorld, put, REALM, until } from "./world.ts";

const MINUTE = 60_000;

test("a tumbling sum goes to its stream once its minute is over", async () => {
  const world = await openWorld();
  const { streams, windows, clock } = world;
  await streams.create(REALM, "readings", { shards: 1, madeBy: "kafka" });
  await windows.create(REALM, "sums", declared());
  await put(streams, 0, [
    { device: "a", value: 1, at: 10 },
    { device: "b", value: 5, at: 20 },
    { device: "a", value: 2, at: 30_000 },
    { device: "a", value: 4, at: MINUTE + 1 },
  ]);
  await until(clock, async () => (await contents(streams, "sums")).length === 2);
  const results = (await contents(streams, "sums")).map(({ key, window, sum, count }) => ({ key, window, sum, count }));
  assert.deepEqual(
    results.sort((left, right) => (String(left.key) < String(right.key) ? -1 : 1)),
    [
      { key: "a", window: { start: 0, end: MINUTE }, sum: 3, count: 2 },
      { key: "b", window: { start: 0, end: MINUTE }, sum: 5, count: 1 },
    ],
  );
  assert.deepEqual(world.problems, []);
  await world.close();
});
