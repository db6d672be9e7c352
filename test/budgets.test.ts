/**
 * Each budget of docs/specification.md at half: half the speed, or twice the time or memory. `npm run bench -- <name>` reports
 * medians against the whole one. What is measured and how is in bench/measures/; here with fewer and shorter rounds, of which
 * the least disturbed one of each side counts, because other tests use the machine at the same time.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { measureAnomaly } from "../bench/measures/anomaly.ts";
import { measureBoot } from "../bench/measures/boot.ts";
import { measureBusMatch } from "../bench/measures/bus-match.ts";
import { measureColdNode, measureColdPython } from "../bench/measures/cold.ts";
import { measureManagedWindows } from "../bench/measures/managed-windows.ts";
import { measureStoring } from "../bench/measures/objects-small.ts";
import { measureBatches, measureSingles } from "../bench/measures/stream.ts";
import { measureWarm } from "../bench/measures/warm.ts";
import { measureWindows } from "../bench/measures/windows.ts";
import { type Budget, BUDGETS } from "../bench/support/budgets.ts";
import { type PairResult, ratioAtBest, type Sample } from "../bench/support/pair.ts";
import { pythonWithBoto3 } from "../bench/support/python.ts";

/**
 * Budgets that are known to be missed by about half, so that noise decides whether half of them holds. Each is said in
 * docs/status.md and reported by its bench; an entry whose whole budget holds fails here and has to go.
 */
const KNOWN_SHORT: ReadonlySet<string> = new Set(["httpOneAtATime"]);

test("warm calls are at least half as fast as their budgets", async (t) => {
  const results = await measureWarm({ cases: ["http", "httpOneAtATime", "invoke"], rounds: 5, roundMs: 250, warmUpMs: 400 });
  for (const [name, result] of results) {
    if (!KNOWN_SHORT.has(name)) {
      await t.test(name, () => holdsHalf(BUDGETS[name], result));
      continue;
    }
    t.diagnostic(`${name}: ratio ${result.ratio.toFixed(3)}; ${BUDGETS[name].text}, known to fall short`);
    assert.ok(!BUDGETS[name].holds(result.ratio), `${name} holds its whole budget now: take it out of KNOWN_SHORT`);
  }
});

test("the first call of a sleeping Node function takes at most twice its budget", async (t) => {
  for (const [kind, result] of await measureColdNode(["one file", "10,000 files", "TypeScript"], 3)) {
    await t.test(kind, () => holdsHalf(BUDGETS.coldNode, result));
  }
});

test("the first call of a sleeping Python function with boto3 takes at most twice its budget", async () => {
  holdsHalf(BUDGETS.coldPython, await measureColdPython(pythonWithBoto3(), 5));
});

test("a server starts in at most twice the time and idles in at most twice the memory of its budgets", async () => {
  const { ready, idle } = await measureBoot(3);
  holdsHalfAtBest(BUDGETS.bootMs, ready.ours);
  holdsHalfAtBest(BUDGETS.idleMb, idle);
});

test("events are matched at least half as fast as their budgets, with 10,000 rules too", async () => {
  const { everyday, alike } = await measureBusMatch({ rounds: 5, roundMs: 100 });
  holdsHalfAtBest(BUDGETS.busMatch, everyday);
  holdsHalf(BUDGETS.busMatchMany, alike);
});

test("small objects are stored at least half as fast as their budget", async () => {
  holdsHalf(BUDGETS.smallObjects, await measureStoring({ rounds: 5, roundMs: 500, warmUpMs: 2_000 }));
});

test("streams take records at least half as fast as their budgets", async () => {
  const options = { rounds: 3, roundMs: 300, warmUpMs: 500 };
  const { one } = await measureSingles(options);
  holdsHalf(BUDGETS.streamSingles, one);
  const { appends, reads } = await measureBatches(options);
  holdsHalfAtBest(BUDGETS.streamBatches, appends);
  holdsHalfAtBest(BUDGETS.streamReads, reads);
});

test("windows reckon at least half as fast as their budgets, and detectors score so", async () => {
  const { sliding, keyed } = await measureWindows({ rounds: 3, roundMs: 100 });
  holdsHalf(BUDGETS.slidingRatio, sliding);
  holdsHalfAtBest(BUDGETS.slidingValues, sliding.ours);
  holdsHalfAtBest(BUDGETS.keyedRecords, keyed);
  const { robust, forest } = await measureAnomaly({ rounds: 3, roundMs: 100 });
  holdsHalfAtBest(BUDGETS.robustScores, robust.ours);
  holdsHalfAtBest(BUDGETS.forestScores, forest.ours);
});

test("managed windows take at least half as many events as their budgets", async () => {
  const { reckoned, durable } = await measureManagedWindows({ rounds: 2, events: 100_000 });
  holdsHalfAtBest(BUDGETS.managedWindows, reckoned);
  holdsHalfAtBest(BUDGETS.managedWindowsDurable, durable);
});

function holdsHalf(budget: Budget, result: PairResult): void {
  const ratio = ratioAtBest(result, budget.better);
  const shown = (samples: readonly Sample[]): string => samples.map(({ value }) => value.toFixed(1)).join(" ");
  assert.ok(
    budget.holdsHalf(ratio),
    `the ratio is ${ratio.toFixed(3)} (ours ${shown(result.ours)}; bound ${shown(result.bound)}), worse than half the budget: ${budget.text}`,
  );
}

function holdsHalfAtBest(budget: Budget, samples: readonly Sample[]): void {
  const values = samples.map(({ value }) => value);
  const best = budget.better === "more" ? Math.max(...values) : Math.min(...values);
  assert.ok(budget.holdsHalf(best), `${values.map(Math.round).join(" ")} is worse than half or twice the budget: ${budget.text}`);
}
