/** Queues and functions as people join them: what is sent is handled and gone, what fails ends in the dead-letter queue. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ACCOUNT, answering, makeFunction, startServerWithClients } from "../support/javascript-clients.ts";
import { known } from "./javascript/cases.ts";

/** Asks again until it is so: the queue is served by nobody this process could wait for. */
const PATIENCE_MS = 20_000;
const { server, clients } = await startServerWithClients();

async function queue(name: string, attributes: Readonly<Record<string, string>> = {}): Promise<string> {
  const { QueueUrl } = await clients.sqs.createQueue({ QueueName: name, Attributes: { VisibilityTimeout: "3", ...attributes } });
  return known(QueueUrl);
}

const arnOf = (name: string): string => `arn:aws:sqs:us-east-1:${ACCOUNT}:${name}`;

/** A message that was handled is deleted a moment later. */
async function assertEmpties(QueueUrl: string): Promise<void> {
  const AttributeNames = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"] as const;
  for (const giveUpAt = performance.now() + PATIENCE_MS; ;) {
    const { Attributes } = await clients.sqs.getQueueAttributes({ QueueUrl, AttributeNames: [...AttributeNames] });
    if (AttributeNames.every((name) => Attributes?.[name] === "0")) return;
    assert.ok(performance.now() < giveUpAt, `the queue still has messages: ${JSON.stringify(Attributes)}`);
  }
}

/** Receives by long polling, until there are that many different ones: what comes wakes it. */
async function received(QueueUrl: string, count: number, nameOf = (text: string): string => text): Promise<string[]> {
  const seen = new Set<string>();
  const giveUpAt = performance.now() + PATIENCE_MS;
  while (seen.size < count && performance.now() < giveUpAt) {
    const { Messages = [] } = await clients.sqs.receiveMessage({ QueueUrl, WaitTimeSeconds: 5, MaxNumberOfMessages: 10 });
    for (const { Body, ReceiptHandle } of Messages) {
      seen.add(nameOf(known(Body)));
      await clients.sqs.deleteMessage({ QueueUrl, ReceiptHandle });
    }
  }
  return [...seen];
}

async function mapped(FunctionName: string, queueName: string, more: object = {}): Promise<string> {
  const { UUID } = await clients.lambda.createEventSourceMapping({ FunctionName, EventSourceArn: arnOf(queueName), ...more });
  return known(UUID);
}

/** A handler that sends what it got to another queue, which the test receives. Inside, that queue's URL has another port. */
const forwardingTo = (queueName: string): Readonly<Record<string, string>> => ({
  "index.mjs": `
import { SQS } from "@aws-sdk/client-sqs";
const sqs = new SQS({});
export const handler = async (event) => {
  const { QueueUrl } = await sqs.getQueueUrl({ QueueName: ${JSON.stringify(queueName)} });
  for (const record of event.Records) await sqs.sendMessage({ QueueUrl, MessageBody: JSON.stringify(record) });
};`,
});

describe("a queue that triggers a function", () => {
  test("what is sent is handled, in AWS's form, and gone", async () => {
    const heard = await queue("heard");
    const source = await queue("spoken");
    await makeFunction(clients.lambda, "listener", { files: forwardingTo("heard") });
    await mapped("listener", "spoken");
    await clients.sqs.sendMessage({
      QueueUrl: source,
      MessageBody: "hello",
      MessageAttributes: { kind: { DataType: "String", StringValue: "greeting" } },
    });
    const [text] = await received(heard, 1);
    const record = JSON.parse(known(text)) as Record<string, unknown>;
    assert.deepEqual(
      [record["body"], record["eventSource"], record["eventSourceARN"], record["awsRegion"]],
      ["hello", "aws:sqs", arnOf("spoken"), "us-east-1"],
    );
    assert.deepEqual(record["messageAttributes"], {
      kind: { stringValue: "greeting", stringListValues: [], binaryListValues: [], dataType: "String" },
    });
    await assertEmpties(source);
  });

  test("what fails comes again when its visibility timeout is over, and goes to the dead-letter queue after maxReceiveCount", async () => {
    const failed = await queue("failed");
    const source = await queue("failing", {
      VisibilityTimeout: "1",
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: arnOf("failed"), maxReceiveCount: 2 }),
    });
    await makeFunction(clients.lambda, "thrower", { Timeout: 1, files: answering("throw new Error('no more paper');") });
    await mapped("thrower", "failing");
    await clients.sqs.sendMessage({ QueueUrl: source, MessageBody: "poison" });
    assert.deepEqual(await received(failed, 1), ["poison"]);
    const { EventSourceMappings } = await clients.lambda.listEventSourceMappings({ FunctionName: "thrower" });
    assert.equal(EventSourceMappings?.[0]?.LastProcessingResult, "PROBLEM: Error: no more paper");
    await assertEmpties(source);
  });

  test("P1: after kill -9 everything that waited is handled once it runs again", async () => {
    const heard = await queue("heard-again");
    const source = await queue("waiting", { VisibilityTimeout: "3" });
    await makeFunction(clients.lambda, "late", { files: forwardingTo("heard-again") });
    const { UUID } = await clients.lambda.createEventSourceMapping({
      FunctionName: "late",
      EventSourceArn: arnOf("waiting"),
      Enabled: false,
    });
    await untilState(known(UUID), "Disabled");
    const bodies = Array.from({ length: 30 }, (_, at) => String(at));
    for (let start = 0; start < 30; start += 10)
      await clients.sqs.sendMessageBatch({
        QueueUrl: source,
        Entries: bodies.slice(start, start + 10).map((body) => ({ Id: body, MessageBody: body })),
      });
    await clients.lambda.updateEventSourceMapping({ UUID, Enabled: true });
    await server.restartAfterKill();
    // A call that the kill interrupted is made again, so some are heard twice; none is missing.
    const heardBodies = await received(heard, 30, (text) => (JSON.parse(text) as { readonly body: string }).body);
    assert.deepEqual(new Set(heardBodies), new Set(bodies));
  });
});

/** By the answer's own state: a mapping has no waiter in the SDK. */
async function untilState(UUID: string, wanted: string): Promise<void> {
  for (const giveUpAt = performance.now() + PATIENCE_MS; ;) {
    const { State } = await clients.lambda.getEventSourceMapping({ UUID });
    if (State === wanted) return;
    assert.ok(performance.now() < giveUpAt, `the mapping is ${State}, not ${wanted}`);
  }
}
