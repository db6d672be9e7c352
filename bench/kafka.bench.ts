/**
 * Kafka's protocol: records a second in and out, durable, beside the same bytes written and synced; a record → the handler of a function.
 *
 * `npm run bench -- kafka [--rounds n]`; measures/kafka.ts says how.
 */
import { BATCH_RECORDS, CLIENTS, IN_FLIGHT, measureKafka, measureKafkaTrigger, RECORD_BYTES } from "./measures/kafka.ts";
import { BUDGETS } from "./support/budgets.ts";
import { roundsAsked } from "./support/options.ts";
import { describeMachine, reportFigure, reportNotMeasured } from "./support/report.ts";

const rounds = roundsAsked(5);

describeMachine(`${CLIENTS} connections`, `${IN_FLIGHT} requests of a producer in flight`);
const { produced, fetched, written } = await measureKafka({ rounds, roundMs: 2_000, warmUpMs: 1_500 });
const batches = `batches of ${BATCH_RECORDS} records of ${RECORD_BYTES} bytes`;
const bound = { name: "written and synced", samples: written };
reportFigure(`Produce with acks=all, ${batches}`, "records/s", produced, BUDGETS.kafkaProduce, bound);
reportFigure("Fetch of them", "records/s", fetched, BUDGETS.kafkaFetch, { name: "producing them", samples: produced });
reportFigure("Produce → handler entered, idle server, p50", "ms", await measureKafkaTrigger(rounds), BUDGETS.recordToHandlerMs);
reportNotMeasured(
  "the making of batches and their checksums, which is the client's work",
  "compressed batches",
  "Kafka's own broker: none is installed where this runs",
);
