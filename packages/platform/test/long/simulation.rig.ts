/** The simulation of queues, streams, mappings, windows, asynchronous invocations, buses and schedules for as long as there is time; see `test/simulation/`. */
import assert from "node:assert/strict";
import { freshSeed, systemSecureRandom } from "../../src/base/index.ts";
import { MOSTLY_STREAMS, Simulation } from "../simulation/simulation.ts";
import { rig } from "./rig.ts";

await rig(async (box) => {
  const first = Number(process.env["LAMBENT_SEED"] ?? freshSeed(systemSecureRandom));
  process.stdout.write(`  from seed ${first} on; LAMBENT_SEED=<seed> begins with that one\n`);
  let seeds = 0;
  let accepted = 0;
  let records = 0;
  let crashes = 0;
  for (let seed = first; box.hasTime(); seed++) {
    const ending = await new Simulation(seed, seed % 3 === 0 ? MOSTLY_STREAMS : {}).run().catch((error: unknown) => {
      throw new assert.AssertionError({ message: `seed ${seed}: ${String(error)}` });
    });
    seeds += 1;
    accepted += ending.accepted;
    records += ending.records;
    crashes += ending.crashes;
    box.progress(`${seeds} seeds`);
  }
  return `${seeds} seeds, ${accepted} events, schedules, messages and records of streams (${records}) accepted over ${crashes} crashes, none lost`;
});
