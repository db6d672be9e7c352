import { EventBridge } from "@aws-sdk/client-eventbridge";
import { SQS } from "@aws-sdk/client-sqs";

const sqs = new SQS({});
const bus = new EventBridge({});

/** Takes all sales off the queue, adds them up by item, and publishes the report. */
export const handler = async ({ queue }) => {
  const { QueueUrl } = await sqs.getQueueUrl({ QueueName: queue });
  const totals = {};
  let sales = 0;
  for (;;) {
    const { Messages = [] } = await sqs.receiveMessage({ QueueUrl, MaxNumberOfMessages: 10 });
    if (Messages.length === 0) break;
    for (const { Body, ReceiptHandle } of Messages) {
      const { item, price } = JSON.parse(Body);
      totals[item] = (totals[item] ?? 0) + price;
      sales += 1;
      await sqs.deleteMessage({ QueueUrl, ReceiptHandle });
    }
  }
  const entry = { Source: "example.reports", DetailType: "report.ready", Detail: JSON.stringify({ sales, totals }) };
  const { Entries } = await bus.putEvents({ Entries: [entry] });
  return { sales, totals, event: Entries[0].EventId };
};
