/** Rules as people join them: an event on a bus reaches functions and queues that let it in, and what nobody lets in is found. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Message } from "@aws-sdk/client-sqs";
import { ACCOUNT, answering, functionArnOf, makeFunction, startServerWithClients } from "../support/javascript-clients.ts";
import { known } from "./javascript/cases.ts";

const { server, clients } = await startServerWithClients();
const { events, lambda, sqs } = clients;

const queueArnOf = (name: string): string => `arn:aws:sqs:us-east-1:${ACCOUNT}:${name}`;
const ruleArnOf = (bus: string, name: string): string => `arn:aws:events:us-east-1:${ACCOUNT}:rule/${bus}/${name}`;

/** Lets a rule send to a queue, as in AWS's guides. */
const letIn = (queue: string, SourceArn: string): string =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        ...{ Effect: "Allow", Principal: { Service: "events.amazonaws.com" }, Action: "sqs:SendMessage", Resource: queueArnOf(queue) },
        Condition: { ArnEquals: { "aws:SourceArn": SourceArn } },
      },
    ],
  });

async function queue(QueueName: string, Policy?: string): Promise<string> {
  return known((await sqs.createQueue({ QueueName, ...(Policy === undefined ? {} : { Attributes: { Policy } }) })).QueueUrl);
}

/** The next message; it waits for one. */
async function next(QueueUrl: string): Promise<Message> {
  const { Messages: [message] = [] } = await sqs.receiveMessage({ QueueUrl, WaitTimeSeconds: 20, MessageAttributeNames: ["All"] });
  await sqs.deleteMessage({ QueueUrl, ReceiptHandle: known(message?.ReceiptHandle) });
  return known(message);
}

/** A bus with one rule of the same name, and a dead-letter queue that lets it in. */
async function ruled(name: string, Arn: string, more: object = {}): Promise<string> {
  await events.createEventBus({ Name: name });
  await events.putRule({ Name: name, EventBusName: name, EventPattern: '{"source":["shop"]}' });
  const dead = await queue(`${name}-dead`, letIn(`${name}-dead`, ruleArnOf(name, name)));
  const target = { Id: "only", Arn, DeadLetterConfig: { Arn: queueArnOf(`${name}-dead`) }, ...more };
  assert.equal((await events.putTargets({ Rule: name, EventBusName: name, Targets: [target] })).FailedEntryCount, 0);
  return dead;
}

async function put(EventBusName: string, detail: object): Promise<string> {
  const Detail = JSON.stringify(detail);
  const { Entries } = await events.putEvents({ Entries: [{ Source: "shop", DetailType: "Order", Detail, EventBusName }] });
  return known(Entries?.[0]?.EventId);
}

const detailOf = ({ Body = "" }: Message): unknown => (JSON.parse(Body) as { readonly detail: unknown }).detail;
const attributesOf = ({ MessageAttributes = {} }: Message): object =>
  Object.fromEntries(Object.entries(MessageAttributes).map(([name, { StringValue }]) => [name, StringValue]));

/** A function whose answers come to a queue. */
async function told(name: string): Promise<string> {
  const QueueUrl = await queue(`${name}-told`);
  await makeFunction(lambda, name, { files: answering("return event;") });
  const Destination = queueArnOf(`${name}-told`);
  await lambda.putFunctionEventInvokeConfig({ FunctionName: name, DestinationConfig: { OnSuccess: { Destination } } });
  return QueueUrl;
}

describe("a rule with a function", () => {
  test("calls it once add-permission lets this rule in; before, the event is dead-lettered for that", async () => {
    const answers = await told("counted");
    const dead = await ruled("counted", functionArnOf("counted"));
    await put("counted", { n: 1 });
    const letter = await next(dead);
    assert.deepEqual(detailOf(letter), { n: 1 });
    const { ERROR_MESSAGE, ...attributes } = attributesOf(letter) as Record<string, string>;
    assert.deepEqual(attributes, {
      ...{ RULE_ARN: ruleArnOf("counted", "counted"), TARGET_ARN: functionArnOf("counted") },
      ...{ ERROR_CODE: "NO_PERMISSIONS", RETRY_ATTEMPTS: "0" },
    });
    assert.match(ERROR_MESSAGE ?? "", /lambda:InvokeFunction/u);
    const permission = { FunctionName: "counted", Action: "lambda:InvokeFunction", Principal: "events.amazonaws.com" };
    await lambda.addPermission({ ...permission, StatementId: "another", SourceArn: ruleArnOf("counted", "another") });
    await put("counted", { n: 2 });
    assert.deepEqual(detailOf(await next(dead)), { n: 2 }, "the permission is another rule's");
    await lambda.addPermission({ ...permission, StatementId: "this", SourceArn: ruleArnOf("counted", "counted") });
    const id = await put("counted", { n: 3 });
    const { requestPayload } = JSON.parse(known((await next(answers)).Body)) as { readonly requestPayload: Record<string, unknown> };
    assert.deepEqual([requestPayload["id"], requestPayload["detail"], requestPayload["detail-type"]], [id, { n: 3 }, "Order"]);
  });
});

describe("a rule with a queue", () => {
  test("sends to it once the queue's policy lets the rule in; before, the event is dead-lettered for that", async () => {
    const QueueUrl = await queue("open");
    const dead = await ruled("open", queueArnOf("open"), { Input: '{"said":"hello"}' });
    await put("open", { n: 1 });
    const letter = await next(dead);
    assert.deepEqual(JSON.parse(known(letter.Body)), { said: "hello" }, "the dead-letter queue gets what the target would have");
    assert.equal((attributesOf(letter) as Record<string, string>)["ERROR_CODE"], "NO_PERMISSIONS");
    await sqs.setQueueAttributes({ QueueUrl, Attributes: { Policy: letIn("open", ruleArnOf("open", "open")) } });
    await put("open", { n: 2 });
    assert.deepEqual(JSON.parse(known((await next(QueueUrl)).Body)), { said: "hello" });
  });

  test("that is gone dead-letters its events, and other targets of the rule get theirs", async () => {
    const dead = await ruled("half", queueArnOf("gone"));
    const QueueUrl = await queue("there", letIn("there", ruleArnOf("half", "half")));
    await events.putTargets({ Rule: "half", EventBusName: "half", Targets: [{ Id: "other", Arn: queueArnOf("there") }] });
    await put("half", { n: 1 });
    assert.deepEqual(detailOf(await next(QueueUrl)), { n: 1 });
    assert.equal((attributesOf(await next(dead)) as Record<string, string>)["ERROR_CODE"], "RESOURCE_NOT_FOUND");
  });
});

describe("P1: a server that is killed", () => {
  test("behind PutEvents delivers what it had told taken, by the rules as they were", async () => {
    const QueueUrl = await queue("durable", letIn("durable", ruleArnOf("durable", "durable")));
    await ruled("durable", queueArnOf("durable"));
    const numbers = Array.from({ length: 20 }, (_, n) => n);
    await Promise.all(numbers.map((n) => put("durable", { n })));
    await server.restartAfterKill();
    const seen = new Set<unknown>();
    while (seen.size < numbers.length) seen.add((detailOf(await next(QueueUrl)) as { readonly n: number }).n);
    assert.deepEqual(
      [...seen].sort((left, right) => Number(left) - Number(right)),
      numbers,
    );
    const { Targets } = await events.listTargetsByRule({ Rule: "durable", EventBusName: "durable" });
    assert.equal(Targets?.[0]?.DeadLetterConfig?.Arn, queueArnOf("durable-dead"));
  });
});
