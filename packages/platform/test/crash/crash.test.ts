import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { SCHEDULE, Tally } from "./schedule.ts";

const FIRST_SEED = Number(process.env["LAMBENT_TEST_SEED"] ?? 1);

/** P1, P2 and P4 against the real engine in a process that is killed, or whose disk loses what was not synced, or fails. */
describe("nothing acknowledged is lost and nothing is told twice", () => {
  const tally = new Tally();
  after(() => process.stdout.write(`crash rig: ${tally.summary}\n`));

  for (const [index, { name, run }] of SCHEDULE.entries()) {
    it(`behind ${name}`, async () => {
      const seed = FIRST_SEED + index;
      const round = await run({ seed });
      tally.add(round);
      assert.deepEqual(round.findings, [], `again: npm run crash -- --rounds 1 --seed ${seed} --only "${name}"`);
      assert.ok(round.kills > 0, "a round ends a process");
      assert.ok(round.acknowledged > 0, "a round acknowledges something");
    });
  }
});
