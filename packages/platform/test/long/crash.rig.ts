/** The crash rig for as long as there is time: SIGKILL, failpoints, power cuts, failing disks; see `test/crash/`. */
import assert from "node:assert/strict";
import { freshSeed, systemSecureRandom } from "../../src/base/index.ts";
import { runCampaign } from "../crash/campaign.ts";
import { rig } from "./rig.ts";

await rig(async (box) => {
  const seed = Number(process.env["LAMBENT_TEST_SEED"] ?? freshSeed(systemSecureRandom));
  process.stdout.write(`  seed ${seed}\n`);
  const tally = await runCampaign({ seed, goesOn: box.hasTime, progress: (text) => process.stdout.write(`  ${text}\n`) });
  assert.ok(tally.isClean, tally.summary);
  return tally.summary;
});
