/**
 * How long it takes until work goes on: a store with a million waiting items on one work list, whose process was killed while
 * it committed (or closed in order), from opening it to the first item leased. Beside it, what SQLite needs to open the same
 * file by itself: recover its log and read the highest row.
 *
 * `npm run bench -- recovery [--rounds n]`; measures/recovery.ts says how.
 */
import { ITEMS, measureRecovery } from "./measures/recovery.ts";
import { BUDGETS } from "./support/budgets.ts";
import { roundsAsked } from "./support/options.ts";
import { describeMachine, reportFigure, reportNotMeasured } from "./support/report.ts";

describeMachine(`${ITEMS.toLocaleString("en-US")} items of 300 bytes`);
const { killed, closed, raw, memory } = await measureRecovery(roundsAsked(5));
reportFigure("after SIGKILL: open to the first item leased", "ms", killed, BUDGETS.recoveryMs, { name: "SQLite alone", samples: raw });
reportFigure("after a close in order: open to the first item leased", "ms", closed, BUDGETS.recoveryMs);
reportFigure("resident memory of that process then", "MB", memory, BUDGETS.recoveryMb);
reportNotMeasured(
  "a file cache that is cold: the file was written a moment before",
  "the rest of a server's start (bench `boot`)",
  "items that came one by one with pauses between: one row each, up to 32 times as many rows to find at open",
  "a fifo list, which reads on until it knows a group that is free",
);
