/**
 * Messages through SQS over HTTP, beside one write and fdatasync after the other; send → receive; send → the handler of a mapped function; a million that wait.
 *
 * `npm run bench -- queue [--rounds n] [--waiting n]`; measures/queue.ts says how. `--waiting 0` leaves the backlog out.
 */
import { parseArgs } from "node:util";
import { BATCH, CONNECTIONS, measureBacklog, measureLatency, measureSends, MESSAGE_BYTES } from "./measures/queue.ts";
import { measureTriggers } from "./measures/triggers.ts";
import { BUDGETS } from "./support/budgets.ts";
import { describeMachine, reportFigure, reportNotMeasured, reportPair } from "./support/report.ts";

const { values } = parseArgs({ options: { rounds: { type: "string" }, waiting: { type: "string" } } });
const rounds = Number(values.rounds ?? 5);
const waiting = Number(values.waiting ?? 1_000_000);

describeMachine(`${MESSAGE_BYTES} bytes a message, ${CONNECTIONS} connections`);
const { batched, single } = await measureSends({ rounds, roundMs: 1_500, warmUpMs: 2_000 });
const bound = { name: "fdatasync, one at a time", samples: batched.bound };
reportFigure(`SendMessageBatch of ${BATCH}`, "messages/s", batched.ours, BUDGETS.batchedMessages, bound);
reportFigure("SendMessage", "messages/s", single.ours, BUDGETS.singleMessages, bound);
reportFigure("send → receive that waited, idle server, p50", "ms", await measureLatency(rounds), BUDGETS.sendToReceiveMs);
const triggers = await measureTriggers(rounds);
reportFigure("send → handler entered, idle server, p50", "ms", triggers.idle, BUDGETS.sendToHandlerMs);
reportFigure("send → handler entered, at half of what is drained, p50", "ms", triggers.halfLoad, BUDGETS.sendToHandlerBusyMs);
reportFigure("1,000 messages wait: the longest time without a batch", "ms", triggers.gap, BUDGETS.backlogGapMs);
if (waiting > 0) {
  const backlog = await measureBacklog(waiting, { rounds: Math.min(rounds, 3), roundMs: 1_000 });
  console.log(`${waiting.toLocaleString("en-US")} messages wait in one queue\n`);
  reportFigure("memory of the server's process", "MB", backlog.memory, BUDGETS.backlogMb);
  reportFigure("start to ready", "ms", backlog.start, BUDGETS.backlogStartMs);
  reportPair("SendMessageBatch", "messages/s", backlog.sends, BUDGETS.backlogRate, "an empty queue");
  reportPair("ReceiveMessage of 10", "messages/s", backlog.receives, BUDGETS.backlogRate, "an empty queue");
}
reportNotMeasured(
  "signing, which is the client's work",
  "FIFO queues",
  "larger messages",
  "other disks than that of the temporary folder",
  "other brokers",
);
