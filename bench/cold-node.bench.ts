/**
 * First call to a sleeping Node function, the pool being ready, beside the start of `node -e 0`.
 *
 * `npm run bench -- cold-node [--rounds n]`; measures/cold.ts says how a function is put to sleep.
 */
import { measureColdNode } from "./measures/cold.ts";
import { BUDGETS } from "./support/budgets.ts";
import { roundsAsked } from "./support/options.ts";
import { describeMachine, reportNotMeasured, reportPair } from "./support/report.ts";

describeMachine();
const results = await measureColdNode(["one file", "10,000 files", "TypeScript"], roundsAsked(11));
for (const [kind, result] of results)
  reportPair(`first call to a sleeping Node function: ${kind}`, "ms", result, BUDGETS.coldNode, "node -e 0");
reportNotMeasured(
  "the first call of a server's life",
  "a pool that is empty because many functions wake at once",
  "functions with another memory size than 128 MB, or whose environment acts at start: these start a process of their own",
  "what the function's own modules cost to load",
  "a file cache that is cold",
);
