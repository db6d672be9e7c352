/**
 * `npm run crash -- --rounds 1000`: many times through the rig, and what came of it. Ends with 1 when anything was found.
 *
 * usage: npm run crash [-- --rounds <number>] [--seed <number>] [--only <part of a round's name>]
 */
import { parseArgs } from "node:util";
import { freshSeed, systemClock, systemSecureRandom } from "../../src/base/index.ts";
import { runCampaign } from "./campaign.ts";

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "100" }, seed: { type: "string" }, only: { type: "string", default: "" } },
});
const rounds = Number(values.rounds);
const seed = Number(values.seed ?? freshSeed(systemSecureRandom));
if (!Number.isSafeInteger(rounds) || rounds < 1 || !Number.isSafeInteger(seed) || seed < 0) {
  process.stderr.write("--rounds takes a whole number above 0, --seed one from 0 on.\n");
  process.exit(2);
}
const began = systemClock.monotonicMs();
const tally = await runCampaign({
  seed,
  only: values.only,
  goesOn: (done) => done < rounds,
  progress: (text) => process.stdout.write(`${text}\n`),
});
process.stdout.write(`${tally.summary} (seed ${seed}, ${Math.round((systemClock.monotonicMs() - began) / 1_000)} s)\n`);
process.exitCode = tally.isClean ? 0 : 1;
