/** Faults put into what the server does with objects and streams: the crash rig finds each; those in the engine are in `crash/mutations.test.ts`. */
import assert from "node:assert/strict";
import { findMutation, isForLongRigs } from "../crash/finding-mutations.ts";
import { MUTATIONS } from "../crash/mutations.ts";
import { rig } from "./rig.ts";

await rig(async (box) => {
  const all = Object.entries(MUTATIONS).filter(([, mutation]) => isForLongRigs(mutation));
  let found = 0;
  for (const [name, mutation] of all) {
    if (!box.hasTime()) break;
    await findMutation(name, mutation);
    process.stdout.write(`  found: ${name}\n`);
    found += 1;
  }
  assert.ok(found > 0, "there was no time for a single fault");
  return `${found} of ${all.length} faults were put in, and found`;
});
