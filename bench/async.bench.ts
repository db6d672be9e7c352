/**
 * Asynchronous invocations over HTTP: events kept durably a second from 64 connections, beside one-at-a-time write + fdatasync; and from
 * the request to the handler, idle.
 *
 * `npm run bench -- async [--rounds n]`; measures/async.ts says how.
 */
import { measureAsync } from "./measures/async.ts";
import { BUDGETS } from "./support/budgets.ts";
import { roundsAsked } from "./support/options.ts";
import { describeMachine, reportFigure, reportNotMeasured, reportPair } from "./support/report.ts";

describeMachine();
const { accepted, toHandler } = await measureAsync({ rounds: roundsAsked(5), roundMs: 1_500, idleEvents: 100 });
reportPair(
  "events of 1 KiB kept, 64 connections, handled meanwhile",
  "events/s",
  accepted,
  BUDGETS.asyncAccept,
  "write + fdatasync, one at a time",
);
reportFigure("from the request to the handler, one at a time", "ms p50", toHandler, BUDGETS.asyncToHandlerMs);
reportNotMeasured(
  "signing, which is the client's work",
  "events that fail and are tried again",
  "destinations",
  "several functions at once",
);
