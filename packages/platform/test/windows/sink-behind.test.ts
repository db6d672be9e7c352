/** P5: a sink that takes at once what it did not take for long, and a crash before the window has written how far it is. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../../src/base/index.ts";
import { MemoryDisk } from "../../src/storage/index.ts";
import { contents, declared, openWorld, pumped, put, REALM, until } from "./world.ts";

const MINUTE = 60_000;
const ROWS = 40;

test("results that a stream took while the window could not say so are there once behind a crash, however many they are", async () => {
  const [disk, clock] = [new MemoryDisk(), new ManualClock()];
  let isBlocked = false;
  let isDead = false;
  let sinkId = "";
  const world = await openWorld({
    ...{ disk, clock },
    faults: ({ kind, cell }) => {
      if (isDead) return { kind: "stopBefore" };
      return isBlocked && kind === "commit" && cell.includes(sinkId) ? { kind: "busy" } : undefined;
    },
  });
  await world.streams.create(REALM, "readings", { shards: 1, madeBy: "kafka" });
  await pumped(clock, world.windows.create(REALM, "sums", declared()));
  sinkId = world.streams.get(REALM, "sums").id;
  isBlocked = true;
  for (let row = 0; row <= ROWS; row++) {
    await pumped(clock, put(world.streams, 0, [{ device: "a", value: row, at: row * MINUTE }]));
    await until(clock, async () => (await world.windows.describe(REALM, "sums")).running?.read === row + 1, 0);
  }
  const sink = await world.streams.partition(REALM, "sums", 0);
  isBlocked = false;
  // The sink goes on; no time passes in which the window would write how far it is.
  await until(clock, () => sink.end > 0, 1_000);
  await until(clock, () => sink.end === ROWS, 0);
  isDead = true;
  await pumped(clock, world.close()).catch(() => undefined);

  const next = await openWorld({ disk, clock });
  await pumped(clock, next.windows.resume());
  await until(clock, async () => {
    const { running } = await next.windows.describe(REALM, "sums");
    return running?.sinks.every(({ waiting }) => waiting === 0) ?? false;
  });
  assert.deepEqual(
    (await contents(next.streams, "sums")).map(({ sum }) => sum),
    Array.from({ length: ROWS }, (_, row) => row),
  );
  await next.close();
});

test("results that wait for a stream whose shards are split and merged meanwhile are there once", async () => {
  const clock = new ManualClock();
  let isBlocked = false;
  let sinkId = "";
  const world = await openWorld({
    clock,
    faults: ({ kind, cell }) => (isBlocked && kind === "commit" && cell.includes(sinkId) ? { kind: "busy" } : undefined),
  });
  const devices = ["a", "b", "c", "d", "e", "f"];
  await world.streams.create(REALM, "readings", { shards: 1, madeBy: "kafka" });
  sinkId = (await world.streams.create(REALM, "sums", { shards: 1, madeBy: "kinesis" })).id;
  await pumped(clock, world.windows.create(REALM, "sums", declared()));
  isBlocked = true;
  const readings = [...devices.map((device) => ({ device, value: 1, at: 0 })), { device: "end", value: 0, at: MINUTE }];
  await pumped(clock, put(world.streams, 0, readings));
  await until(clock, async () => (await world.windows.describe(REALM, "sums")).running?.sinks[0]?.problem !== undefined);
  await world.streams.split(REALM, "sums", 0, String(2n ** 127n));
  await world.streams.merge(REALM, "sums", 1, 2);
  isBlocked = false;
  await until(clock, async () => (await world.windows.describe(REALM, "sums")).running?.sinks[0]?.waiting === 0);
  const found = (await contents(world.streams, "sums")).map(({ key }) => String(key));
  assert.deepEqual(found.toSorted(), devices);
  await world.close();
});
