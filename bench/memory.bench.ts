/**
 * Memory at rest: idle, with 100 sleeping functions, with 50 live instances, and after they went.
 *
 * `npm run bench -- memory [--rounds n]`; measures/memory.ts says how. Ends with 1 when processes are left over.
 */
import { LIVE_INSTANCES, measureMemory, type MemoryAt } from "./measures/memory.ts";
import { median } from "./support/pair.ts";
import { roundsAsked } from "./support/options.ts";
import { describeMachine, reportNotMeasured } from "./support/report.ts";

describeMachine();
const rounds: (readonly MemoryAt[])[] = [];
for (let round = roundsAsked(1); round > 0; round--) rounds.push(await measureMemory());

const columns = ["pssMb", "serverPssMb", "privateMb", "processes"] as const;
console.log("stage".padEnd(30), "all PSS MB".padStart(12), "server PSS".padStart(12), "all private".padStart(12), "processes".padStart(12));
for (const [stage, { when }] of (rounds[0] ?? []).entries()) {
  const figures = columns.map((column) =>
    median(rounds.map((round) => round[stage]?.[column] ?? Number.NaN))
      .toFixed(0)
      .padStart(12),
  );
  console.log(when.padEnd(30), ...figures);
}
for (const [, before, live, after] of rounds) {
  if (!before || !live || !after) continue;
  console.log(`\none live instance: ${((live.pssMb - before.pssMb) / LIVE_INSTANCES).toFixed(1)} MB`);
  console.log(`kept after the instances went: ${(after.pssMb - before.pssMb).toFixed(1)} MB`);
  if (after.processes === before.processes) continue;
  console.log(`${after.processes - before.processes} processes are left over`);
  process.exitCode = 1;
}
reportNotMeasured(
  "functions that use memory themselves",
  "Python and custom runtimes",
  "memory of the kernel, and the file cache",
  "a server that has run for days",
);
