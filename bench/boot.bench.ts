/**
 * `lambent start`, the second time on an empty data folder: milliseconds to ready, and idle memory, pool included.
 *
 * `npm run bench -- boot [--rounds n]`; measures/boot.ts says how.
 */
import { measureBoot } from "./measures/boot.ts";
import { BUDGETS } from "./support/budgets.ts";
import { roundsAsked } from "./support/options.ts";
import { describeMachine, reportFigure, reportNotMeasured } from "./support/report.ts";

describeMachine();
const { ready, idle } = await measureBoot(roundsAsked(9));
reportFigure("from the spawn of `lambent start` to its ready line", "ms", ready.ours, BUDGETS.bootMs, {
  name: "node -e 0",
  samples: ready.bound,
});
reportFigure("idle, proportional set size of all its processes, two waiting Node processes included", "MB", idle, BUDGETS.idleMb);
reportNotMeasured(
  "the very first start, which makes the data folder",
  "a data folder with many functions",
  "a file cache that is cold",
  "npm's own start in front of it",
  "memory with no other Node running: proportional set size shares the program's pages with whatever else runs it, here at least this bench",
);
