/**
 * Streams at the door of `streams/`: single records of 64 callers beside one write and fdatasync after the other; batches of 500 records as
 * Kafka's clients send them; reading them from the store.
 *
 * `npm run bench -- stream [--rounds n]`; measures/stream.ts says how.
 */
import { BATCH_RECORDS, CALLERS, measureBatches, measureSingles, PRODUCERS, RECORD_BYTES } from "./measures/stream.ts";
import { BUDGETS } from "./support/budgets.ts";
import { roundsAsked } from "./support/options.ts";
import { describeMachine, reportFigure, reportNotMeasured, reportPair, reportSamples } from "./support/report.ts";

const options = { rounds: roundsAsked(5), roundMs: 1_500, warmUpMs: 1_000 };
const FDATASYNC = "fdatasync, one at a time";

describeMachine(`${CALLERS} callers, ${PRODUCERS} producers`);
const { one, many } = await measureSingles(options);
reportPair(`${RECORD_BYTES} bytes a record, ${CALLERS} callers on one partition`, "records/s", one, BUDGETS.streamSingles, FDATASYNC);
console.log("the same, each on a partition of its own; no budget");
reportSamples("ours                    ", "records/s", many.ours);
reportSamples(FDATASYNC, "records/s", many.bound);
console.log(`  ratio ${many.ratio.toFixed(3)}\n`);
const { appends, reads } = await measureBatches(options);
reportFigure(`batches of ${BATCH_RECORDS}, ${PRODUCERS} producers on one partition`, "records/s", appends, BUDGETS.streamBatches);
reportFigure("reading them from the store, as many readers", "records/s", reads, BUDGETS.streamReads, {
  name: "appending them",
  samples: appends,
});
reportNotMeasured(
  "Kafka's protocol, and Kinesis': `kafka` and `kinesis` do",
  "compressed batches",
  "other disks than that of the temporary folder",
);
