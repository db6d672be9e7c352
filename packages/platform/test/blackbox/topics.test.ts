/** Topics, functions and queues as people join them, over the wire of a real server that may be killed. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ACCOUNT, functionArnOf, makeFunction, startServerWithClients } from "../support/javascript-clients.ts";
import { known } from "./javascript/cases.ts";

const PATIENCE_MS = 20_000;
const { server, clients } = await startServerWithClients();
const { sns, sqs, lambda } = clients;

const topicArnOf = (name: string): string => `arn:aws:sns:us-east-1:${ACCOUNT}:${name}`;
const queueArnOf = (name: string): string => `arn:aws:sqs:us-east-1:${ACCOUNT}:${name}`;

async function queue(name: string, letsIn = true): Promise<string> {
  const Statement = [
    { Effect: "Allow", Principal: { Service: "sns.amazonaws.com" }, Action: "sqs:SendMessage", Resource: queueArnOf(name) },
  ];
  const Policy = JSON.stringify({ Version: "2012-10-17", Statement });
  const Attributes = { ...(letsIn ? { Policy } : {}), ...(name.endsWith(".fifo") ? { FifoQueue: "true" } : {}) };
  return known((await sqs.createQueue({ QueueName: name, Attributes })).QueueUrl);
}

async function topic(name: string): Promise<string> {
  const Attributes = name.endsWith(".fifo") ? { FifoTopic: "true", ContentBasedDeduplication: "true" } : {};
  return known((await sns.createTopic({ Name: name, Attributes })).TopicArn);
}

const raw = (TopicArn: string, queueName: string, more: Record<string, string> = {}) =>
  sns.subscribe({ TopicArn, Protocol: "sqs", Endpoint: queueArnOf(queueName), Attributes: { RawMessageDelivery: "true", ...more } });

/** Receives by long polling until there are that many, in the order they came. */
async function received(QueueUrl: string, count: number) {
  const found: { readonly body: string; readonly attributes: Readonly<Record<string, string | undefined>> }[] = [];
  for (const giveUpAt = performance.now() + PATIENCE_MS; found.length < count && performance.now() < giveUpAt;) {
    const { Messages = [] } = await sqs.receiveMessage({
      QueueUrl,
      WaitTimeSeconds: 5,
      MaxNumberOfMessages: 10,
      MessageAttributeNames: ["All"],
    });
    for (const { Body, ReceiptHandle, MessageAttributes = {} } of Messages) {
      const attributes = Object.fromEntries(Object.entries(MessageAttributes).map(([name, { StringValue }]) => [name, StringValue]));
      found.push({ body: known(Body), attributes });
      await sqs.deleteMessage({ QueueUrl, ReceiptHandle });
    }
  }
  return found;
}

/** A handler that publishes what it got to another topic. */
const passingOn = (TopicArn: string): Readonly<Record<string, string>> => ({
  "index.mjs": `
import { SNS } from "@aws-sdk/client-sns";
const sns = new SNS({});
export const handler = async (event) => {
  for (const record of event.Records) await sns.publish({ TopicArn: ${JSON.stringify(TopicArn)}, Message: JSON.stringify(record) });
};`,
});

describe("a topic", () => {
  test("calls a function with SNS's event; what the function publishes goes on", async () => {
    const [said, echo, heard] = [await topic("said"), await topic("echo"), await queue("heard")];
    await raw(echo, "heard");
    await makeFunction(lambda, "repeater", { files: passingOn(echo) });
    await lambda.addPermission({
      FunctionName: "repeater",
      StatementId: "sns",
      Action: "lambda:InvokeFunction",
      Principal: "sns.amazonaws.com",
      SourceArn: said,
    });
    const { SubscriptionArn } = await sns.subscribe({ TopicArn: said, Protocol: "lambda", Endpoint: functionArnOf("repeater") });
    const { MessageId } = await sns.publish({ TopicArn: said, Message: "hello", Subject: "greeting" });
    const [message] = await received(heard, 1);
    const record = JSON.parse(known(message).body) as { EventSource: string; EventSubscriptionArn: string; Sns: Record<string, unknown> };
    assert.deepEqual([record.EventSource, record.EventSubscriptionArn], ["aws:sns", SubscriptionArn]);
    assert.deepEqual([record.Sns["MessageId"], record.Sns["Subject"], record.Sns["Message"]], [MessageId, "greeting", "hello"]);
  });

  test("gives a queue that does not let it in nothing, and the message to the dead-letter queue with why", async () => {
    const TopicArn = await topic("shut-out");
    const letters = await queue("letters");
    await queue("shut", false);
    await raw(TopicArn, "shut", { RedrivePolicy: JSON.stringify({ deadLetterTargetArn: queueArnOf("letters") }) });
    await sns.publish({ TopicArn, Message: "lost" });
    const [letter] = await received(letters, 1);
    assert.equal(letter?.body, "lost");
    assert.equal(letter?.attributes["ErrorCode"], "NO_PERMISSIONS");
  });

  test("loses nothing that it acknowledged when the server is killed, and keeps the order of a group", async () => {
    const [plain, ordered] = [await topic("kept"), await topic("kept.fifo")];
    const [some, inOrder] = [await queue("kept"), await queue("kept.fifo")];
    await raw(plain, "kept");
    await raw(ordered, "kept.fifo");
    const texts = Array.from({ length: 40 }, (_, index) => String(index).padStart(2, "0"));
    for (const Message of texts) {
      await Promise.all([sns.publish({ TopicArn: plain, Message }), sns.publish({ TopicArn: ordered, Message, MessageGroupId: "g" })]);
    }
    await server.restartAfterKill();
    // What was handed over just before the kill may come again to a standard queue; a FIFO queue knows it.
    const seen = new Set<string>();
    while (seen.size < texts.length) {
      const found = await received(some, 1);
      assert.ok(found.length > 0, `${seen.size} of ${texts.length} came`);
      for (const { body } of found) seen.add(body);
    }
    assert.deepEqual(
      (await received(inOrder, texts.length)).map(({ body }) => body),
      texts,
    );
  });

  test("is there after a restart, with its subscriptions", async () => {
    await server.restart();
    const { Subscriptions = [] } = await sns.listSubscriptionsByTopic({ TopicArn: topicArnOf("kept") });
    assert.equal(Subscriptions.length, 1);
    const { SequenceNumber = "" } = await sns.publish({ TopicArn: topicArnOf("kept.fifo"), Message: "more", MessageGroupId: "g" });
    assert.ok(Number(SequenceNumber) > 40, SequenceNumber);
  });
});
