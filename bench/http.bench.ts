/**
 * Warm HTTP → Node function → response, beside a bare `node:http` hello.
 *
 * `npm run bench -- http [--rounds n]`; measures/warm.ts says how.
 */
import { measureWarm } from "./measures/warm.ts";
import { BUDGETS } from "./support/budgets.ts";
import { roundsAsked } from "./support/options.ts";
import { describeMachine, reportNotMeasured, reportPair } from "./support/report.ts";

const CASES = [
  [
    "http",
    "HTTP, 64 connections, one instance that takes 100 calls at once (lambent:concurrency)",
    "bare node:http, 64 connections",
    BUDGETS.http,
  ],
  ["httpOneAtATime", "HTTP, 4 connections, 4 instances with one call at a time", "bare node:http, 4 connections", BUDGETS.httpOneAtATime],
] as const;

describeMachine();
const results = await measureWarm({ cases: ["http", "httpOneAtATime"], rounds: roundsAsked(5), roundMs: 1_000, warmUpMs: 2_000 });
for (const [name, title, bound, budget] of CASES) {
  const result = results.get(name);
  if (result) reportPair(title, "answers/s", result, budget, bound);
}
reportNotMeasured(
  "larger requests and answers",
  "TLS",
  "connections that are opened anew for each request",
  "streamed answers",
  "a generator on another machine: here it takes its share of the same processors from both sides",
);
