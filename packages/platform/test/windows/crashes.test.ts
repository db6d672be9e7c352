/** P5: whatever commits fail, and whenever the server ends, the results are those of each record applied once, and each is in the stream once. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { KeyedWindows, type Pane } from "@lambent/sdk/windows";
import { isLambentError, ManualClock, type Random, randomBelow, seededRandom } from "../../src/base/index.ts";
import { type Fault, type FaultPlan, MemoryDisk } from "../../src/storage/index.ts";
import type { ManagedWindow } from "../../src/windows/index.ts";
import { contents, declared, openWorld, pumped, type Reading, REALM, until, type World } from "./world.ts";

const MINUTE = 60_000;
const SEEDS = Number(process.env["WINDOW_SEEDS"] ?? 60);
const FIRST_SEED = Number(process.env["WINDOW_SEED"] ?? 1);
let crashes = 0;
let snapshots = 0;

/** Ends the store at the n-th commit from now, before it or just after, and calls some others busy on the way. */
function crashing(random: Random): FaultPlan {
  let left = 1 + randomBelow(random, 60);
  return ({ kind, cell }): Fault | undefined => {
    if (kind !== "commit" || cell.includes("/registry/")) return undefined;
    left -= 1;
    if (left === 0) {
      crashes += 1;
      return { kind: random.next() < 0.5 ? "stopBefore" : "stopAfter" };
    }
    return left > 0 && random.next() < 0.1 ? { kind: "busy" } : undefined;
  };
}

interface Life {
  readonly random: Random;
  readonly disk: MemoryDisk;
  readonly clock: ManualClock;
  world: World;
  /** Lives that end badly before one that lasts. */
  left: number;
}

async function begin(seed: number, definition: ManagedWindow, partitions: number): Promise<Life> {
  const random = seededRandom(seed);
  const [disk, clock] = [new MemoryDisk(), new ManualClock()];
  const world = await openWorld({ disk, clock, rowsMax: 4 });
  await world.streams.create(REALM, "readings", { shards: partitions, madeBy: "kafka" });
  await world.windows.create(REALM, "sums", definition);
  const life: Life = { random, disk, clock, world, left: 1 + randomBelow(random, 4) };
  await reborn(life);
  return life;
}

async function reborn(life: Life): Promise<void> {
  const { disk, clock, random } = life;
  await pumped(clock, life.world.close()).catch((error: unknown) => assert.ok(isLambentError(error, "StorageStopped"), String(error)));
  const options = { disk, clock, rowsMax: 1 + randomBelow(random, 6) };
  life.left -= 1;
  life.world = await openWorld(life.left > 0 ? { ...options, faults: crashing(random) } : options);
  await survive(life, () => life.world.windows.resume());
}

/** Does `work` in one life after the other until it is done. */
async function survive(life: Life, work: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await pumped(life.clock, work());
      return;
    } catch (error) {
      if (isLambentError(error, "StorageBusy")) continue;
      assert.ok(isLambentError(error, "StorageStopped", "ShuttingDown"), String(error));
      await reborn(life);
    }
  }
}

async function feed(life: Life, partition: number, readings: readonly Reading[]): Promise<void> {
  for (let from = 0, sequence = 0; from < readings.length; sequence += 1) {
    const some = readings.slice(from, from + 1 + randomBelow(life.random, 12));
    from += some.length;
    const records = some.map((reading) => ({ key: Buffer.from(reading.device), value: Buffer.from(JSON.stringify(reading)) }));
    const once = { producer: "test", sequence };
    await survive(life, async () => (await life.world.streams.partition(REALM, "readings", partition)).append(records, once));
    if (life.random.next() < 0.5) await life.clock.advance(0);
    if (life.random.next() < 0.1) await reborn(life);
  }
}

/** Everything is read, reckoned, and with its sinks. */
async function settled(life: Life): Promise<boolean> {
  const { streams, windows } = life.world;
  if (life.left > 0 && (await windows.describe(REALM, "sums")).failed !== undefined) await reborn(life);
  const { running } = await life.world.windows.describe(REALM, "sums");
  const readings = streams.get(REALM, "readings").shards.length;
  return (
    running?.partitions.length === readings &&
    running.partitions.every(({ lag }) => lag === 0) &&
    running.sinks.every(({ waiting }) => waiting === 0)
  );
}

async function finish(life: Life): Promise<void> {
  await until(life.clock, () => settled(life));
  life.left = 0;
  await reborn(life);
  await until(life.clock, () => settled(life));
  snapshots += [...life.disk.cells.values()].filter((cell) => cell.list({ prefix: "snapshot/", limit: 1 }).length > 0).length;
}

const byText = (left: unknown, right: unknown): number => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1);

for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed += 2)
  test(`sums over several partitions survive crashes (WINDOW_SEED=${seed})`, { timeout: 20_000 }, async () => {
    const draw = seededRandom(seed * 7_919);
    const partitions = 1 + randomBelow(draw, 3);
    const life = await begin(seed, declared({ outOfOrderness: "30s" }), partitions);
    const all: Reading[] = [];
    for (let partition = 0; partition < partitions; partition += 1) {
      const readings = readingsOf(draw, 60, 25_000).map((reading) => ({ ...reading, value: Math.round(Number(reading.value)) }));
      all.push(...readings);
      // Closes everything.
      await feed(life, partition, [...readings, { device: `end-${partition}`, value: 0, at: 100_000 * MINUTE }]);
    }
    await finish(life);
    const found = (await contents(life.world.streams, "sums")).map(({ key, window, sum, count }) => ({ key, window, sum, count }));
    assert.deepEqual(found.toSorted(byText), sumsOf(all).toSorted(byText));
    await life.world.close();
  });

const KINDS = [
  { window: { kind: "hopping", size: "2m", every: "1m" } },
  { window: { kind: "session", gap: "20s" } },
  { window: { kind: "sliding", size: "90s" } },
  { window: { kind: "rolling", size: 3 } },
  { window: { kind: "slidingCount", size: 4 } },
];

for (let seed = FIRST_SEED + 1; seed < FIRST_SEED + SEEDS; seed += 2)
  test(`every kind of window survives crashes, late records and bad ones included (WINDOW_SEED=${seed})`, { timeout: 20_000 }, async () => {
    const draw = seededRandom(seed * 104_729);
    const kind = KINDS[randomBelow(draw, KINDS.length)];
    const definition = declared({
      ...kind,
      aggregates: { sum: "sum", most: "max", mean: "mean" },
      ...{ outOfOrderness: "10s", late: "output", lateSinks: [{ stream: "late" }], setAside: "refused" },
    });
    const life = await begin(seed, definition, 1);
    const readings = readingsOf(draw, 120, 40_000).map((reading) => (draw.next() < 0.05 ? { ...reading, value: "broken" } : reading));
    await feed(life, 0, readings);
    await finish(life);
    const { panes, late, refused } = reckoned(definition, readings);
    assert.deepEqual((await contents(life.world.streams, "sums")).map(resultOf), panes.map(resultOf));
    assert.equal((await contents(life.world.streams, "late")).length, late);
    assert.equal((await contents(life.world.streams, "refused")).length, refused);
    await life.world.close();
  });

after(() => {
  assert.ok(crashes > SEEDS / 2, `${crashes} crashes in ${SEEDS} seeds: the faults do not strike`);
  assert.ok(snapshots > SEEDS / 2, `${snapshots} snapshots in ${SEEDS} seeds`);
});

function readingsOf(draw: Random, count: number, spreadMs: number): Reading[] {
  let at = 0;
  return Array.from({ length: count }, () => {
    at += randomBelow(draw, 9_000);
    const device = `device-${randomBelow(draw, 4)}`;
    // Tenths do not add up exactly: an order other than the one before the crash would show.
    return { device, value: randomBelow(draw, 1_000) / 10, at: Math.max(0, at - randomBelow(draw, spreadMs)) };
  });
}

/** The definition of a tumbling sum, but for the order in which numbers are added. */
function sumsOf(readings: readonly Reading[]): unknown[] {
  const windows = Map.groupBy(readings, ({ device, at }) => `${device} ${Math.floor(at / MINUTE) * MINUTE}`);
  return [...windows].map(([name, mine]) => {
    const [key, start = ""] = name.split(" ");
    const sum = mine.reduce((before, { value }) => before + Number(value), 0);
    return { key, window: { start: Number(start), end: Number(start) + MINUTE }, sum, count: mine.length };
  });
}

/** What the windows say without streams, commits and crashes. */
function reckoned(definition: ManagedWindow, readings: readonly Reading[]): { panes: Pane[]; late: number; refused: number } {
  const panes: Pane[] = [];
  let [late, refused] = [0, 0];
  const windows = new KeyedWindows(definition.window, {
    pane: (pane) => void panes.push(pane),
    setAside: ({ reason }) => void (reason === "late" ? (late += 1) : (refused += 1)),
  });
  windows.openSource(0);
  for (const { device, at, value } of readings) windows.add(0, device, at, value);
  return { panes, late, refused };
}

/** What a pane and its result have both. */
function resultOf(told: Record<string, unknown> | Pane): unknown {
  const { key, window, timing, index, count, values, data } = told as Pane;
  const { sum, most, mean } = { ...told, ...values } as Record<string, unknown>;
  return JSON.parse(JSON.stringify({ key, window, timing, index, count, sum, most, mean, data }));
}
