import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Simulation } from "./simulation.ts";

const SEEDS = 2_000;
/** Seeds of one test, so that no test takes long. */
const SEEDS_TOGETHER = 250;

const only = process.env.LAMBENT_SEED;
const ranges: readonly (readonly [first: number, last: number])[] =
  only === undefined
    ? Array.from({ length: SEEDS / SEEDS_TOGETHER }, (_, index) => [index * SEEDS_TOGETHER + 1, (index + 1) * SEEDS_TOGETHER] as const)
    : [[Number(only), Number(only)]];

describe("P1, P2, P4, P9: queues, mappings, asynchronous invocations, buses and schedules keep their promises under faults and crashes", () => {
  for (const [first, last] of ranges) {
    test(`seeds ${first} to ${last}`, async () => {
      let accepted = 0;
      let events = 0;
      let crashes = 0;
      for (let seed = first; seed <= last; seed++) {
        const ending = await new Simulation(seed).run().catch((error: unknown) => {
          throw new assert.AssertionError({
            message: `seed ${seed} (rerun: LAMBENT_SEED=${seed} node --test ${import.meta.filename}): ${String(error)}`,
          });
        });
        accepted += ending.accepted;
        events += ending.events;
        crashes += ending.crashes;
      }
      const seeds = last - first + 1;
      const told = `${accepted} accepted, ${events} of them events, over ${crashes} crashes`;
      if (seeds > 1) assert.ok(accepted > seeds * 12 && events > seeds * 4 && crashes > seeds, told);
    });
  }
});
