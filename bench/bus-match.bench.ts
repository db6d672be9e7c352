/**
 * Matching events against the rules of a bus: 100 everyday rules; 10,000 rules that share source and detail type and differ only
 * in nested numeric, wildcard and anything-but leaves, beside 10 of them; and rules of which nearly all match.
 * On one core, with the naive way (each pattern asked in turn) in the same rounds.
 *
 * `npm run bench -- bus-match [--rounds n]`; measures/bus-match.ts says what the rules and events are.
 */
import { EVERYDAY_RULES, FEW_RULES, MANY_RULES, measureBusMatch } from "./measures/bus-match.ts";
import { BUDGETS } from "./support/budgets.ts";
import { roundsAsked } from "./support/options.ts";
import { describeMachine, reportFigure, reportNotMeasured, reportPair, reportSamples } from "./support/report.ts";

const many = MANY_RULES.toLocaleString("en-US");
describeMachine("one thread");
const { everyday, alike, wide } = await measureBusMatch({ rounds: roundsAsked(9), roundMs: 400 });
reportFigure(`${EVERYDAY_RULES} everyday rules`, "events/s", everyday, BUDGETS.busMatch);
reportPair(`${many} rules that differ in nested leaves only`, "events/s", alike, BUDGETS.busMatchMany, `${FEW_RULES} of them`);
console.log("nearly all rules match: the answer has as many names (no budget)");
for (const [rules, samples] of [
  [many, wide.ours],
  [FEW_RULES, wide.bound],
] as const)
  reportSamples(`${rules} rules`, "events/s", samples);
console.log();
reportNotMeasured(
  "parsing the event and building its envelope",
  "arrays of several objects: their matches are looked at a second time",
  "more than one thread",
  "rules that come and go while events are matched, but for the time to add one",
);
