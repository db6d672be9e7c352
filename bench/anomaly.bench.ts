/**
 * Values a second that each detector of anomalies scores, sentence included, with its default parameters, on one core.
 *
 * `npm run bench -- anomaly [--rounds n]`; measures/anomaly.ts says what stands beside them.
 */
import { measureAnomaly } from "./measures/anomaly.ts";
import { BUDGETS } from "./support/budgets.ts";
import { roundsAsked } from "./support/options.ts";
import { describeMachine, reportFigure, reportNotMeasured, reportSamples } from "./support/report.ts";

describeMachine("one thread");
const { robust, forest, others } = await measureAnomaly({ rounds: roundsAsked(9), roundMs: 300 });
reportFigure("robust z-score, window of 128", "values/s", robust.ours, BUDGETS.robustScores, {
  name: "sorted anew each time",
  samples: robust.bound,
});
reportFigure("forest of 100 trees, 256 points of 4 values each", "values/s", forest.ours, BUDGETS.forestScores, {
  name: "all points of all trees gone through",
  samples: forest.bound,
});
console.log("the others (no budget)");
for (const [kind, samples] of others) reportSamples(kind, "values/s", samples);
console.log();
reportNotMeasured("decoding the values", "many keys in turn: their detectors then come from memory, not from caches", "snapshots");
