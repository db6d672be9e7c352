/**
 * Signed Invoke through the API, beside a bare `node:http` hello. Each round's requests are signed right before it.
 *
 * `npm run bench -- invoke [--rounds n]`; measures/warm.ts says how.
 */
import { measureWarm } from "./measures/warm.ts";
import { BUDGETS } from "./support/budgets.ts";
import { roundsAsked } from "./support/options.ts";
import { describeMachine, reportNotMeasured, reportPair } from "./support/report.ts";

describeMachine();
const results = await measureWarm({ cases: ["invoke"], rounds: roundsAsked(7), roundMs: 1_000, warmUpMs: 2_000 });
const result = results.get("invoke");
if (result) {
  reportPair(
    "signed Invoke, 64 connections, one instance that takes 100 calls at once",
    "answers/s",
    result,
    BUDGETS.invoke,
    "bare node:http, 64 connections",
  );
}
reportNotMeasured(
  "signing, which is the client's work",
  "larger events and answers",
  "session tokens and roles' policies: the key is the root key",
  "LogType Tail",
  "functions that print",
);
