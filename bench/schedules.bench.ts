/**
 * Schedules: 1,000 that are due all over one second, and 1,000 at the same instant, from when they are due to the handler of the function they call.
 *
 * `npm run bench -- schedules [--rounds n]`; measures/schedules.ts says how.
 */
import { DUE_TOGETHER, measureSchedules } from "./measures/schedules.ts";
import { BUDGETS } from "./support/budgets.ts";
import { roundsAsked } from "./support/options.ts";
import { describeMachine, reportFigure, reportNotMeasured, reportSamples } from "./support/report.ts";

describeMachine();
const { spread, together, earliestMs } = await measureSchedules(roundsAsked(5));
reportFigure(`${DUE_TOGETHER} schedules due all over one second, to the handler`, "ms p95", spread, BUDGETS.dueToHandlerMs);
console.log(`${DUE_TOGETHER} schedules due at the same instant, to the handler (no budget)`);
reportSamples("ours", "ms p95", together);
console.log(`\nthe earliest of all was entered ${earliestMs.toFixed(2)} ms after it was due (never before)\n`);
reportNotMeasured(
  "targets other than functions",
  "many groups",
  "more than one instance",
  "schedules that wait: they cost rows, not memory",
);
