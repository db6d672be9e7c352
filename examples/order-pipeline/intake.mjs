import { SQS } from "@aws-sdk/client-sqs";

const sqs = new SQS({});
/** Asked for once, when the instance starts: the URL has the address by which functions reach queues. */
const queue = sqs.getQueueUrl({ QueueName: "example-orders" });

/** Takes an order and answers at once: what is on the queue is on the disk, so the answer is a promise that holds. */
export const handler = async (event) => {
  const order = orderOf(event);
  if (!order) return answer(400, { error: 'Send an order such as {"item":"tea","quantity":3}.' });
  const { QueueUrl } = await queue;
  const { MessageId } = await sqs.sendMessage({ QueueUrl, MessageBody: JSON.stringify(order) });
  return answer(202, { order: MessageId });
};

function orderOf(event) {
  try {
    const text = event.isBase64Encoded ? Buffer.from(event.body, "base64").toString("utf8") : event.body;
    const { item, quantity } = JSON.parse(text);
    return typeof item === "string" && Number.isInteger(quantity) && quantity > 0 ? { item, quantity } : undefined;
  } catch {
    return undefined;
  }
}

function answer(statusCode, value) {
  return { statusCode, headers: { "content-type": "application/json" }, body: JSON.stringify(value) };
}
