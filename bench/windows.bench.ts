/**
 * Windows by themselves: a sliding mean of 1,000 values beside one computed anew, sliding means of 10,000 keys, the memory of a
 * million keys. One thread, nothing stored.
 *
 * `npm run bench -- windows [--rounds n]`; measures/windows.ts says what the records are.
 */
import { BENCH_KEYS, MANY_KEYS, measureMillionKeys, measureWindows, WINDOW_VALUES } from "./measures/windows.ts";
import { BUDGETS } from "./support/budgets.ts";
import { roundsAsked } from "./support/options.ts";
import { describeMachine, reportFigure, reportNotMeasured, reportPair, reportSamples } from "./support/report.ts";

describeMachine("one thread");
const memory = measureMillionKeys();
const { sliding, addedUp, keyed, others } = await measureWindows({ rounds: roundsAsked(7), roundMs: 400 });
reportPair(`mean of the last ${WINDOW_VALUES}`, "values/s", sliding, BUDGETS.slidingRatio, "anew each time");
reportFigure("the same", "values/s", sliding.ours, BUDGETS.slidingValues, { name: "bare loop that rounds at each step", samples: addedUp });
reportFigure(`sliding mean over ten seconds, ${BENCH_KEYS.toLocaleString("en-US")} keys`, "records/s", keyed, BUDGETS.keyedRecords);
reportFigure(`a tumbling count of ${MANY_KEYS.toLocaleString("en-US")} keys`, "MB", memory, BUDGETS.millionKeysMb);
console.log("other kinds (no budget)");
for (const [name, samples] of others) reportSamples(name, "records/s", samples);
console.log();
reportNotMeasured("reading records and storing state: see the managed windows", "values that are objects", "more than one thread");
