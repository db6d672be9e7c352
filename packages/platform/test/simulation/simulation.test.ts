import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MOSTLY_STREAMS, type Shares, Simulation } from "./simulation.ts";

/** The long rig goes through thousands of others. */
const SEEDS = 750;
/** Seeds of one test, so that no test takes long. */
const SEEDS_TOGETHER = 250;
/** Seeds whose steps are mostly about objects. */
const OBJECT_SEEDS = 80;
const MOSTLY_OBJECTS: Shares = { objects: 0.6 };
/** Seeds whose steps are mostly about streams. */
const STREAM_SEEDS = 200;

const only = process.env.LAMBENT_SEED;

type Range = readonly [first: number, last: number];

function rangesOf(seeds: number): readonly Range[] {
  if (only !== undefined) return [[Number(only), Number(only)]];
  return Array.from({ length: Math.ceil(seeds / SEEDS_TOGETHER) }, (_, index) => [
    index * SEEDS_TOGETHER + 1,
    Math.min((index + 1) * SEEDS_TOGETHER, seeds),
  ]);
}

/** What was accepted over all seeds, for each. */
async function run([first, last]: Range, shares?: Shares) {
  const sum = { accepted: 0, events: 0, objects: 0, records: 0, crashes: 0 };
  for (let seed = first; seed <= last; seed++) {
    const ending = await new Simulation(seed, shares).run().catch((error: unknown) => {
      throw new assert.AssertionError({
        message: `seed ${seed} (rerun: LAMBENT_SEED=${seed} node --test ${import.meta.filename}): ${String(error)}`,
      });
    });
    sum.accepted += ending.accepted;
    sum.events += ending.events;
    sum.objects += ending.objects;
    sum.records += ending.records;
    sum.crashes += ending.crashes;
  }
  const { accepted, events, objects, records, crashes } = sum;
  const told = `${accepted} accepted, ${events} of them events, ${objects} changes of objects and ${records} records of streams, over ${crashes} crashes`;
  return { ...sum, seeds: last - first + 1, told };
}

describe("P1, P2, P4, P5, P9: queues, streams, mappings, windows, asynchronous invocations, buses, schedules and buckets keep their promises under faults and crashes", () => {
  for (const range of rangesOf(SEEDS)) {
    test(`seeds ${range.join(" to ")}`, async () => {
      const { seeds, accepted, events, objects, crashes, told } = await run(range);
      if (seeds > 1) assert.ok(accepted > seeds * 12 && events > seeds * 4 && objects > seeds * 2 && crashes > seeds, told);
    });
  }

  for (const range of rangesOf(OBJECT_SEEDS)) {
    test(`seeds ${range.join(" to ")}, mostly objects`, async () => {
      const { seeds, objects, crashes, told } = await run(range, MOSTLY_OBJECTS);
      if (seeds > 1) assert.ok(objects > seeds * 6 && crashes > seeds * 0.5, told);
    });
  }

  for (const range of rangesOf(STREAM_SEEDS)) {
    test(`seeds ${range.join(" to ")}, mostly streams`, async () => {
      const { seeds, records, crashes, told } = await run(range, MOSTLY_STREAMS);
      if (seeds > 1) assert.ok(records > seeds * 12 && crashes > seeds * 0.3, told);
    });
  }
});
