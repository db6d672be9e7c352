/** Calls that nobody waits for, by the clients people use: accepted, retried, told to destinations, stopped in a circle, there after a restart. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, test } from "node:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ACCOUNT, answering, functionArnOf, makeFunction, startServerWithClients } from "../support/javascript-clients.ts";
import { withHop } from "../../src/invoker/trace-header.ts";
import { sendSigned } from "../support/signed-http.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { known } from "./javascript/cases.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const PATIENCE_MS = 20_000;
const run = promisify(execFile);

// A minute between attempts becomes 60 ms.
const { server, clients } = await startServerWithClients("--retry-time-factor", "0.001");

const arnOf = (name: string): string => `arn:aws:sqs:us-east-1:${ACCOUNT}:${name}`;

async function queue(name: string): Promise<string> {
  return known((await clients.sqs.createQueue({ QueueName: name })).QueueUrl);
}

/** The next message, taken by long polling. */
async function received(QueueUrl: string) {
  const giveUpAt = performance.now() + PATIENCE_MS;
  for (;;) {
    const { Messages = [] } = await clients.sqs.receiveMessage({
      QueueUrl,
      WaitTimeSeconds: 10,
      MaxNumberOfMessages: 1,
      MessageAttributeNames: ["All"],
    });
    const [message] = Messages;
    if (message) {
      await clients.sqs.deleteMessage({ QueueUrl, ReceiptHandle: message.ReceiptHandle });
      return message;
    }
    assert.ok(performance.now() < giveUpAt, "no message came");
  }
}

async function accept(FunctionName: string, event: unknown, Qualifier?: string): Promise<string> {
  const answer = await clients.lambda.invoke({
    FunctionName,
    InvocationType: "Event",
    Payload: Buffer.from(JSON.stringify(event)),
    ...(Qualifier ? { Qualifier } : {}),
  });
  assert.equal(answer.StatusCode, 202);
  assert.equal(answer.Payload?.length ?? 0, 0);
  return known(answer.$metadata.requestId);
}

/** `lambent <words> --json`. */
async function lambent<T>(...words: readonly string[]): Promise<T> {
  const { stdout } = await run(process.execPath, [MAIN, ...words, "--json", "--endpoint", server.url], {
    env: { ...server.clientEnvironment },
  });
  return JSON.parse(stdout) as T;
}

interface EventJson {
  readonly Id: string;
  readonly State: string;
  readonly Outcome?: string;
  readonly Reason?: string;
  readonly AttemptCount: number;
}

/** Asks until a message for the function was tried. */
async function tried(FunctionName: string): Promise<EventJson> {
  for (const giveUpAt = performance.now() + PATIENCE_MS; ;) {
    const [event] = await lambent<EventJson[]>("events", "--function", FunctionName);
    if (event && event.AttemptCount > 0) return event;
    assert.ok(performance.now() < giveUpAt, "the message was not tried");
  }
}

/** Asks until the event has ended. */
async function ended(id: string): Promise<EventJson> {
  for (const giveUpAt = performance.now() + PATIENCE_MS; ;) {
    const event = await lambent<EventJson>("events", id);
    if (event.State === "ended") return event;
    assert.ok(performance.now() < giveUpAt, `event ${id} is ${event.State}`);
  }
}

const HANDLER = `
export const handler = async (event, context) => {
  if (event.fail) throw new TypeError("no " + event.fail);
  return { got: event, by: context.awsRequestId, version: context.functionVersion };
};`;

describe("a call that nobody waits for", () => {
  test("is answered 202, handled, and told to the destination of the qualifier it was called by", async () => {
    const done = await queue("done");
    const FunctionName = "quiet";
    await makeFunction(clients.lambda, FunctionName, { files: { "index.mjs": HANDLER } });
    const { Version } = await clients.lambda.publishVersion({ FunctionName });
    await clients.lambda.createAlias({ FunctionName, Name: "live", FunctionVersion: Version });
    await clients.lambda.putFunctionEventInvokeConfig({
      FunctionName,
      Qualifier: "live",
      DestinationConfig: { OnSuccess: { Destination: arnOf("done") } },
    });
    await accept(FunctionName, { n: 1 });
    const id = await accept(FunctionName, { n: 2 }, "live");
    const record = JSON.parse(known((await received(done)).Body)) as Record<string, unknown>;
    assert.partialDeepStrictEqual(record, {
      version: "1.0",
      requestContext: {
        requestId: id,
        functionArn: `${functionArnOf(FunctionName)}:live`,
        condition: "Success",
        approximateInvokeCount: 1,
      },
      requestPayload: { n: 2 },
      responseContext: { statusCode: 200, executedVersion: "1" },
      responsePayload: { got: { n: 2 }, by: id, version: "1" },
    });
    assert.deepEqual((await ended(id)).Outcome, "handled");
  });

  test("by boto3 and the AWS CLI ends in the dead-letter queue with the attributes AWS gives it", async (context) => {
    const dead = await queue("dead");
    await makeFunction(clients.lambda, "broken", { files: { "index.mjs": HANDLER }, DeadLetterConfig: { TargetArn: arnOf("dead") } });
    await clients.lambda.putFunctionEventInvokeConfig({ FunctionName: "broken", MaximumRetryAttempts: 1 });
    const script = `
import boto3, json
answer = boto3.client("lambda").invoke(FunctionName="broken", InvocationType="Event", Payload=json.dumps({"fail": "boto3"}))
print(answer["StatusCode"], answer["ResponseMetadata"]["RequestId"])`;
    const [status, id] = (await run("python3", ["-c", script], { env: { ...server.clientEnvironment } })).stdout.trim().split(" ");
    assert.equal(status, "202");
    const first = await received(dead);
    assert.equal(first.Body, '{"fail": "boto3"}');
    const attributes = Object.fromEntries(
      Object.entries(first.MessageAttributes ?? {}).map(([name, { StringValue }]) => [name, StringValue]),
    );
    assert.deepEqual(attributes, { RequestID: id, ErrorCode: "200", ErrorMessage: "no boto3" });
    assert.deepEqual((await ended(known(id))).AttemptCount, 2);
    const file = join(temporaryFolder(context), "event.json");
    writeFileSync(file, '{"fail":"cli"}');
    const words = `lambda invoke --function-name broken --invocation-type Event --payload fileb://${file} /dev/null`;
    const cli = await run("aws", words.split(" "), { env: { ...server.clientEnvironment } });
    assert.deepEqual(JSON.parse(cli.stdout), { StatusCode: 202 });
    assert.equal((await received(dead)).Body, '{"fail":"cli"}');
  });

  test("that waits is there after a restart, listed, cancelled and replayed", async () => {
    await makeFunction(clients.lambda, "paused", { files: { "index.mjs": HANDLER } });
    await clients.lambda.putFunctionConcurrency({ FunctionName: "paused", ReservedConcurrentExecutions: 1 });
    await makeFunction(clients.lambda, "slow", {
      files: { "index.mjs": "export const handler = (event) => new Promise(() => undefined);" },
      Timeout: 2,
    });
    await clients.lambda.putFunctionConcurrency({ FunctionName: "slow", ReservedConcurrentExecutions: 1 });
    const [running, waiting] = [await accept("slow", { n: 1 }), await accept("slow", { n: 2 })];
    const failed = await accept("paused", { fail: "once" });
    assert.deepEqual([(await ended(failed)).Outcome, (await ended(failed)).Reason], ["discarded", "retriesExhausted"]);
    await lambent("cancel", waiting);
    await clients.lambda.deleteFunction({ FunctionName: "slow" });
    const [{ replayedAs }] = await lambent<[{ readonly replayedAs: string }]>("replay", failed);
    assert.equal((await ended(replayedAs)).Reason, "retriesExhausted");
    await server.restart();
    assert.deepEqual((await ended(waiting)).Reason, "cancelled");
    assert.deepEqual((await ended(running)).Reason, "functionDeleted");
    const listed = await lambent<EventJson[]>("events", "--function", "paused");
    assert.deepEqual(
      listed.map(({ Id }) => Id),
      [replayedAs, failed],
    );
  });

  test("that calls itself is stopped after 16 calls", async () => {
    const stopped = await queue("stopped");
    const files = {
      "index.mjs": `
import { Lambda } from "@aws-sdk/client-lambda";
const lambda = new Lambda({});
export const handler = async ({ n }, context) => {
  await lambda.invoke({ FunctionName: context.functionName, InvocationType: "Event", Payload: JSON.stringify({ n: n + 1 }) });
};`,
    };
    await makeFunction(clients.lambda, "circle", { files, DeadLetterConfig: { TargetArn: arnOf("stopped") } });
    await accept("circle", { n: 1 });
    const message = await received(stopped);
    assert.equal(message.Body, '{"n":17}');
    const events = await lambent<EventJson[]>("events", "--function", "circle");
    assert.deepEqual(
      [events.length, events[0]?.Outcome, events[0]?.Reason, events.at(-1)?.Outcome],
      [17, "deadLettered", "recursion", "handled"],
    );
  });

  test("and one that is waited for are stopped alike where the chain they are in goes in a circle", async () => {
    const arn = functionArnOf("quiet");
    let header = "Root=1-6b01c9e2-d41a22e2d8f901a1fefc9c5a;Parent=83b9d41a22e2d8f9;Sampled=1";
    for (let hop = 0; hop < 16; hop++) header = withHop(header, arn);
    const path = "/2015-03-31/functions/quiet/invocations";
    const invoke = () => sendSigned(server.url, { path, headers: { "x-amzn-trace-id": header }, body: "{}" }, server.key, "lambda");
    const refused = await invoke();
    assert.deepEqual([refused.status, refused.headers["x-amzn-errortype"]], [400, "RecursiveInvocationException"]);
    await clients.lambda.putFunctionRecursionConfig({ FunctionName: "quiet", RecursiveLoop: "Allow" });
    assert.equal((await invoke()).status, 200);
  });

  test("is refused where it cannot be kept: too large, no JSON, no function", async () => {
    const invoke = (FunctionName: string, Payload: string) =>
      clients.lambda.invoke({ FunctionName, InvocationType: "Event", Payload: Buffer.from(Payload) });
    await assert.rejects(invoke("quiet", `"${"x".repeat(1_048_576)}"`), { name: "RequestTooLargeException" });
    await assert.rejects(invoke("quiet", "{"), { name: "InvalidRequestContentException" });
    await assert.rejects(invoke("nobody", "{}"), { name: "ResourceNotFoundException" });
  });
});

test("P2: a message that waited in a queue that was deleted is found with its ending, also after kill -9", async () => {
  const QueueUrl = await queue("short-lived");
  await makeFunction(clients.lambda, "unlucky", { Timeout: 3, files: answering("throw new Error('not now');") });
  await clients.lambda.createEventSourceMapping({ FunctionName: "unlucky", EventSourceArn: arnOf("short-lived") });
  const { MessageId } = await clients.sqs.sendMessage({ QueueUrl, MessageBody: "{}" });
  const event = await tried("unlucky");
  await clients.sqs.deleteQueue({ QueueUrl });
  await server.restartAfterKill();
  const { Id, Outcome, Reason } = await ended(known(MessageId));
  assert.deepEqual([Id, Outcome, Reason], [event.Id, "discarded", "queueDeleted"]);
});
