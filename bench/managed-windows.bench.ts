/**
 * Events a second through a managed window: a sliding mean for each of 10,000 keys. Reckoned alone; and from stream to stream exactly once, in memory and
 * durable. One process.
 *
 * `npm run bench -- managed-windows [--rounds n]`; measures/managed-windows.ts says what is done.
 */
import { KEYS, measureManagedWindows, PARTITIONS } from "./measures/managed-windows.ts";
import { BUDGETS } from "./support/budgets.ts";
import { roundsAsked } from "./support/options.ts";
import { describeMachine, reportFigure, reportNotMeasured, reportSamples } from "./support/report.ts";

describeMachine(`${KEYS.toLocaleString("en-US")} keys`, `${PARTITIONS} partitions`);
const { reckoned, inMemory, durable } = await measureManagedWindows({ rounds: roundsAsked(5), events: 400_000 });
reportFigure("reckoned, in memory", "events/s", reckoned, BUDGETS.managedWindows);
reportFigure("stream to stream, durable, exactly once", "events/s", durable, BUDGETS.managedWindowsDurable);
reportSamples("stream to stream, in memory", "events/s", inMemory);
console.log();
reportNotMeasured("producers beside it", "sinks other than a stream", "snapshots: there is one for each 16 MiB of journal", "late records");
