/**
 * Events on a bus over HTTP: from PutEvents to the handler of the function a rule names, idle; the same beside a target that hangs; and
 * events taken durably a second, ten in a call from 64 connections.
 *
 * `npm run bench -- bus-delivery [--rounds n]`; measures/bus-delivery.ts says how.
 */
import { measureBusDelivery } from "./measures/bus-delivery.ts";
import { BUDGETS } from "./support/budgets.ts";
import { roundsAsked } from "./support/options.ts";
import { describeMachine, reportFigure, reportNotMeasured, reportSamples } from "./support/report.ts";

describeMachine();
const { toHandler, besideDead, accepted } = await measureBusDelivery({ rounds: roundsAsked(5), roundMs: 1_500, idleEvents: 60 });
reportFigure("from PutEvents to the handler, one at a time", "ms p50", toHandler, BUDGETS.publishToHandlerMs);
const more = besideDead.map(({ value }, round) => ({ value: value - (toHandler[round]?.value ?? Number.NaN) }));
reportFigure("what a target that hangs adds to it", "ms p50", more, BUDGETS.deadTargetMs, { name: "beside it", samples: besideDead });
console.log("events taken, delivered to one function meanwhile (no budget)");
reportSamples("ours", "events/s", accepted);
console.log();
reportNotMeasured("signing, which is the client's work", "input transformers", "many rules: see bus-match", "archives");
