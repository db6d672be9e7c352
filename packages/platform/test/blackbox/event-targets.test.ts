/** Where events go, joined on a real server: rules, topics, schedules and destinations lead to each other, and each step knows the one before. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { CreateScheduleCommandInput } from "@aws-sdk/client-scheduler";
import { ACCOUNT, answering, functionArnOf, makeFunction, ROLE, startServerWithClients } from "../support/javascript-clients.ts";
import { functionTarget, openEventStage, type ToldJson, until } from "../support/event-stage.ts";
import { deferred } from "../../src/base/index.ts";
import { openEndpoint } from "../support/http-endpoint.ts";
import { known } from "./javascript/cases.ts";

// A second between attempts becomes 10 ms.
const { server, clients } = await startServerWithClients("--retry-time-factor", "0.01");
const { lambda, sqs, sns, scheduler } = clients;
const stage = openEventStage(server, clients);
const { events } = stage;

const busArnOf = (name: string): string => `arn:aws:events:us-east-1:${ACCOUNT}:event-bus/${name}`;

interface AwsEvent {
  readonly id: string;
  readonly source: string;
  readonly "detail-type": string;
  readonly resources: readonly string[];
  readonly detail: unknown;
}

interface SnsDocument {
  readonly Message: string;
  readonly TopicArn: string;
}

/** A topic that the services of the account may publish to, with a queue that hears it. */
async function topic(Name: string, attributes: Readonly<Record<string, string>> = {}) {
  const arn = known((await sns.createTopic({ Name })).TopicArn);
  const statement = { Effect: "Allow", Principal: { Service: "events.amazonaws.com" }, Action: "sns:Publish", Resource: arn };
  const AttributeValue = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
  await sns.setTopicAttributes({ TopicArn: arn, AttributeName: "Policy", AttributeValue });
  const heard = await stage.queue(`topic-${Name}`);
  await sns.subscribe({ TopicArn: arn, Protocol: "sqs", Endpoint: heard.arn, Attributes: attributes });
  return { arn, heard };
}

/** Accepts a call that nobody waits for; the id of its event. */
async function accept(FunctionName: string, event: unknown = {}): Promise<string> {
  const { $metadata } = await lambda.invoke({ FunctionName, InvocationType: "Event", Payload: Buffer.from(JSON.stringify(event)) });
  return known($metadata.requestId);
}

describe("a rule", () => {
  test("leads to a topic, which leads to a queue, and all of it is one chain", async () => {
    const { arn, heard } = await topic("orders");
    await stage.rule("to-topic", { source: ["to-topic"] }, [{ Arn: arn, RoleArn: undefined }]);
    const id = await stage.put("to-topic", { total: 1 });
    const document = await heard.told<SnsDocument>();
    assert.equal(document.TopicArn, arn);
    assert.equal((JSON.parse(document.Message) as AwsEvent).id, id);
    const chain = await until(
      () => stage.chain(id),
      (records) => records.length >= 4 && records.every(({ State }) => State === "ended"),
    );
    const message = chain.find(({ Source, Target }) => Source === "topic" && Target === arn);
    const toTopic = chain.find(({ Source, Target }) => Source === "bus" && Target === arn);
    const toQueue = chain.find(({ Target }) => Target === heard.arn);
    assert.deepEqual([toTopic?.Cause, message?.Cause, toQueue?.Cause], [id, toTopic?.Id, message?.Id]);
  });

  test("leads to another bus, whose rule leads to a function that gets the event as it was", async () => {
    await events.createEventBus({ Name: "billing" });
    const heard = await stage.hearing("biller", { files: answering("return event.detail.total;") });
    await stage.rule("to-billing", { source: ["shop"] }, [{ Arn: busArnOf("billing") }]);
    await stage.rule("bill", { detail: { total: [{ numeric: [">", 10] }] } }, [functionTarget("biller")], "billing");
    const [small, large] = [await stage.put("shop", { total: 5 }), await stage.put("shop", { total: 50 })];
    const { requestContext, requestPayload, responsePayload } = await heard.told();
    assert.deepEqual([requestPayload["id"], responsePayload], [large, 50]);
    await heard.assertSilent();
    const last = await stage.record(requestContext.requestId);
    const passedOn = await stage.record(known(last.Cause));
    assert.deepEqual([passedOn.Target, passedOn.Cause, last.Correlation], [busArnOf("billing"), large, large]);
    const unheard = (await stage.chain(small)).find(({ Target }) => Target === busArnOf("billing"));
    assert.deepEqual([unheard?.Outcome, unheard?.Reason], ["discarded", "noListener"]);
  });

  test("is refused a target that events would be lost at: one of a service that is not built, a FIFO topic", async () => {
    await events.putRule({ Name: "refused", EventPattern: '{"source":["refused"]}' });
    const put = (Arn: string) => events.putTargets({ Rule: "refused", Targets: [{ Id: "1", Arn }] });
    await assert.rejects(put(`arn:aws:logs:us-east-1:${ACCOUNT}:log-group:/aws/events/all`), { name: "NotImplemented", message: /logs/ });
    await assert.rejects(put(`arn:aws:states:us-east-1:${ACCOUNT}:stateMachine:m`), { name: "NotImplemented", message: /states/ });
    await assert.rejects(put(`arn:aws:sns:us-east-1:${ACCOUNT}:orders.fifo`), { name: "ValidationException", message: /FIFO/ });
    assert.deepEqual((await events.listTargetsByRule({ Rule: "refused" })).Targets, []);
  });

  test("with a rate is accepted, and its timer is the server's: it comes and goes with the rule", async () => {
    const put = await events.putRule({ Name: "every-minute", ScheduleExpression: "rate(1 minute)" });
    const shown = await events.describeRule({ Name: "every-minute" });
    assert.deepEqual([shown.Arn, shown.ScheduleExpression, shown.State], [put.RuleArn, "rate(1 minute)", "ENABLED"]);
    const timers = async (): Promise<number> => (await scheduler.listSchedules({})).Schedules?.length ?? 0;
    // It is no schedule of the user's.
    assert.equal(await timers(), 0);
    await events.deleteRule({ Name: "every-minute" });
    await assert.rejects(events.putRule({ Name: "never", ScheduleExpression: "rate(1 minutes)" }), { name: "ValidationException" });
  });
});

describe("the outcome of a call that nobody waits for", () => {
  const files = answering("if (event.fail) throw new TypeError('no ' + event.fail); return { got: event };");

  test("goes to a bus as the event AWS makes of it, for success and for failure", async () => {
    await makeFunction(lambda, "outcomes", { files });
    const heard = await stage.queue("outcomes-heard");
    await stage.rule("outcomes", { source: ["lambda"], resources: [{ prefix: functionArnOf("outcomes") }] }, [{ Arn: heard.arn }]);
    await lambda.putFunctionEventInvokeConfig({
      FunctionName: "outcomes",
      MaximumRetryAttempts: 0,
      DestinationConfig: { OnSuccess: { Destination: busArnOf("default") }, OnFailure: { Destination: busArnOf("default") } },
    });
    const id = await accept("outcomes", { n: 1 });
    const success = await heard.told<AwsEvent & { readonly detail: ToldJson }>();
    assert.equal(success["detail-type"], "Lambda Function Invocation Result - Success");
    assert.deepEqual(new Set(success.resources), new Set([busArnOf("default"), `${functionArnOf("outcomes")}:$LATEST`]));
    assert.partialDeepStrictEqual(success.detail, {
      requestContext: { requestId: id },
      requestPayload: { n: 1 },
      responsePayload: { got: { n: 1 } },
    });
    assert.equal((await stage.record(success.id)).Cause, id);
    await accept("outcomes", { fail: "paper" });
    const failure = await heard.told<AwsEvent & { readonly detail: ToldJson }>();
    assert.equal(failure["detail-type"], "Lambda Function Invocation Result - Failure");
    assert.partialDeepStrictEqual(failure.detail, {
      requestContext: { condition: "RetriesExhausted" },
      responsePayload: { errorMessage: "no paper" },
    });
  });

  test("goes to a topic: a record to a destination, the event itself to a dead-letter topic", async () => {
    const { arn: told, heard } = await topic("told");
    const { arn: dead, heard: letters } = await topic("dead");
    await makeFunction(lambda, "noted", { files, DeadLetterConfig: { TargetArn: dead } });
    await lambda.putFunctionEventInvokeConfig({
      FunctionName: "noted",
      MaximumRetryAttempts: 0,
      DestinationConfig: { OnSuccess: { Destination: told } },
    });
    const id = await accept("noted", { n: 1 });
    const record = JSON.parse((await heard.told<SnsDocument>()).Message) as ToldJson;
    assert.deepEqual([record.requestContext.requestId, record.requestContext.condition], [id, "Success"]);
    const failed = await accept("noted", { fail: "paper" });
    const letter = await letters.told<SnsDocument & { readonly MessageAttributes: unknown }>();
    assert.equal(letter.Message, '{"fail":"paper"}');
    assert.deepEqual(letter.MessageAttributes, {
      RequestID: { Type: "String", Value: failed },
      ErrorCode: { Type: "Number", Value: "200" },
      ErrorMessage: { Type: "String", Value: "no paper" },
    });
    assert.deepEqual([(await stage.ended(failed)).Outcome, (await stage.ended(failed)).Reason], ["deadLettered", "retriesExhausted"]);
  });

  test("that its role may not send is in the record", async () => {
    const trust = {
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
    };
    const { Role } = await clients.iam.createRole({ RoleName: "says-nothing", AssumeRolePolicyDocument: JSON.stringify(trust) });
    await makeFunction(lambda, "silent", { files, Role: known(Role?.Arn) });
    const { arn, heard } = await topic("never-told");
    for (const Destination of [arn, busArnOf("default")]) {
      await lambda.putFunctionEventInvokeConfig({ FunctionName: "silent", DestinationConfig: { OnSuccess: { Destination } } });
      const id = await accept("silent");
      const record = await until(
        () => stage.record(id) as Promise<{ readonly Undelivered?: string }>,
        ({ Undelivered }) => Undelivered !== undefined,
      );
      assert.equal(record.Undelivered, Destination);
    }
    await heard.assertSilent();
  });
});

describe("a schedule", () => {
  /** `at(…)` of the next whole second. */
  const soon = (): string => `at(${new Date(Math.ceil((Date.now() + 200) / 1_000) * 1_000).toISOString().slice(0, 19)})`;
  const schedule = (
    Name: string,
    Target: Omit<NonNullable<CreateScheduleCommandInput["Target"]>, "RoleArn">,
  ): CreateScheduleCommandInput => ({
    ...{ Name, ScheduleExpression: soon(), FlexibleTimeWindow: { Mode: "OFF" }, ActionAfterCompletion: "DELETE" },
    Target: { RoleArn: ROLE, ...Target } as CreateScheduleCommandInput["Target"],
  });

  test("performs operations of services, in the role's name: sqs:sendMessage and lambda:invoke", async () => {
    const universal = (operation: string): string => `arn:aws:scheduler:::aws-sdk:${operation}`;
    const heard = await stage.queue("scheduled");
    const called = await stage.hearing("scheduled-call");
    const { QueueUrl } = await sqs.getQueueUrl({ QueueName: "scheduled" });
    const message = {
      QueueUrl,
      MessageBody: "due at <aws.scheduler.scheduled-time>",
      MessageAttributes: { kind: { DataType: "String", StringValue: "x" } },
    };
    const invoke = { FunctionName: "scheduled-call", InvocationType: "Event", Payload: JSON.stringify({ n: 1 }) };
    await scheduler.createSchedule(schedule("send", { Arn: universal("sqs:sendMessage"), Input: JSON.stringify(message) }));
    await scheduler.createSchedule(schedule("invoke", { Arn: universal("lambda:invoke"), Input: JSON.stringify(invoke) }));
    const { Body, MessageAttributes } = await heard.next();
    assert.match(Body ?? "", /^due at \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.equal(MessageAttributes?.["kind"]?.StringValue, "x");
    const { requestContext, requestPayload } = await called.told();
    assert.deepEqual(requestPayload, { n: 1 });
    const call = await stage.record(requestContext.requestId);
    const occurrence = await stage.record(known(call.Cause));
    assert.deepEqual([occurrence.Source, occurrence.Target, call.Correlation], ["schedule", universal("lambda:invoke"), occurrence.Id]);
    await until(
      async () => (await scheduler.listSchedules({})).Schedules ?? [],
      (left) => left.length === 0,
    );
  });

  test("puts an event on a bus, and one whose operation is refused is a dead letter", async () => {
    const heard = await stage.queue("from-schedule");
    const dead = await stage.queue("schedule-letters");
    await stage.rule("from-schedule", { source: ["clock"] }, [{ Arn: heard.arn }]);
    const EventBridgeParameters = { Source: "clock", DetailType: "strike" };
    await scheduler.createSchedule(schedule("strike", { Arn: busArnOf("default"), Input: '{"hour":7}', EventBridgeParameters }));
    const Input = JSON.stringify({ FunctionName: "nobody", InvocationType: "Event" });
    const Arn = "arn:aws:scheduler:::aws-sdk:lambda:invoke";
    await scheduler.createSchedule(schedule("in-vain", { Arn, Input, DeadLetterConfig: { Arn: dead.arn } }));
    const event = await heard.told<AwsEvent>();
    assert.deepEqual([event["detail-type"], event.detail], ["strike", { hour: 7 }]);
    const { Body, MessageAttributes } = await dead.next();
    assert.deepEqual([Body, MessageAttributes?.["ERROR_CODE"]?.StringValue], [Input, "RESOURCE_NOT_FOUND"]);
  });
});

test("an archive gives its events back, with their ids, and to the rules that are asked for only", async () => {
  const [heard, other] = [await stage.queue("replayed"), await stage.queue("not-replayed")];
  const chosen = await stage.rule("chosen", { source: ["kept"] }, [{ Arn: heard.arn }]);
  await stage.rule("not-chosen", { source: ["kept"] }, [{ Arn: other.arn }]);
  const { ArchiveArn } = await events.createArchive({
    ArchiveName: "kept",
    EventSourceArn: busArnOf("default"),
    EventPattern: JSON.stringify({ source: ["kept"], detail: { keep: [true] } }),
  });
  const EventStartTime = new Date(Date.now() - 60_000);
  const [first, second] = [await stage.put("kept", { keep: true }), await stage.put("kept", { keep: true })];
  const all = [first, second, await stage.put("kept", { keep: false })];
  const idOf = (text: string): string => (JSON.parse(text) as AwsEvent).id;
  await heard.all(all, idOf);
  await other.all(all, idOf);
  await until(
    () => events.describeArchive({ ArchiveName: "kept" }),
    ({ EventCount }) => EventCount === 2,
  );
  await events.startReplay({
    ReplayName: "again",
    EventSourceArn: ArchiveArn,
    EventStartTime,
    EventEndTime: new Date(Date.now() + 60_000),
    Destination: { Arn: busArnOf("default"), FilterArns: [chosen] },
  });
  await until(
    () => events.describeReplay({ ReplayName: "again" }),
    ({ State }) => State === "COMPLETED",
  );
  const replayed = [await heard.told<AwsEvent & { "replay-name": string }>(), await heard.told<AwsEvent & { "replay-name": string }>()];
  assert.deepEqual(new Set(replayed.map(({ id }) => id)), new Set([first, second]));
  assert.deepEqual(new Set(replayed.map((event) => event["replay-name"])), new Set(["again"]));
  await heard.assertSilent();
  await other.assertSilent();
  assert.equal((await events.describeArchive({ ArchiveName: "kept" })).EventCount, 2);
});

describe("a function that puts events while it handles one", () => {
  const NODE = {
    "index.mjs": `
import { EventBridge } from "@aws-sdk/client-eventbridge";
const events = new EventBridge({});
let running = 0, together = 0;
export const handler = async ({ source, n }) => {
  together = Math.max(together, ++running);
  // Those that are handled at once are all under way before the first one puts.
  await new Promise((resolve) => setTimeout(resolve, 100));
  const Detail = JSON.stringify({ n, together });
  const { Entries } = await events.putEvents({ Entries: [{ Source: source, DetailType: "made", Detail }] });
  running--;
  return Entries[0].EventId;
};`,
  };
  const PYTHON = {
    "index.py": `
import boto3, json
events = boto3.client("events")
def handler(event, context):
    entry = {"Source": event["source"], "DetailType": "made", "Detail": json.dumps({"n": event["n"]})}
    return events.put_events(Entries=[entry])["Entries"][0]["EventId"]
`,
  };

  /** Calls the function that puts, all calls at once, and follows each chain. How many it handled at once, at most. */
  async function chainOf(source: string, calls: number): Promise<number> {
    const heard = await stage.hearing(`${source}-listener`);
    await stage.rule(source, { source: [source] }, [functionTarget(`${source}-listener`)]);
    const ids = await Promise.all(Array.from({ length: calls }, (_, n) => accept(`${source}-maker`, { source, n })));
    let together = 0;
    for (let told = 0; told < calls; told++) {
      const { requestContext, requestPayload } = await heard.told();
      const record = await stage.record(requestContext.requestId);
      const event = await stage.record(known(record.Cause));
      const made = requestPayload["detail"] as { readonly n: number; readonly together?: number };
      together = Math.max(together, made.together ?? 1);
      const cause = known(ids[made.n]);
      assert.deepEqual([event.Id, event.Cause, event.Correlation, record.Correlation], [requestPayload["id"], cause, cause, cause]);
      assert.equal(event.Origin, functionArnOf(`${source}-maker`));
      const chain = await stage.chain(cause);
      assert.deepEqual(new Set(chain.map(({ Id }) => Id)), new Set([cause, event.Id, record.Id]));
    }
    return together;
  }

  test("is their cause: Node, one call at a time", async () => {
    await makeFunction(lambda, "single-maker", { files: NODE });
    await lambda.putFunctionConcurrency({ FunctionName: "single-maker", ReservedConcurrentExecutions: 1 });
    assert.equal(await chainOf("single", 3), 1);
  });

  test("is their cause: Node, several calls at once in one instance", async () => {
    await makeFunction(lambda, "several-maker", { files: NODE, Tags: { "lambent:concurrency": "8" } });
    assert.ok((await chainOf("several", 8)) > 1, "no instance handled several at once");
  });

  test("is their cause: Python", async () => {
    await makeFunction(lambda, "python-maker", { files: PYTHON, Runtime: "python3.12" });
    await chainOf("python", 2);
  });

  test("is their cause where a topic is between them, and another function that it calls and waits for", async () => {
    const files = {
      "index.mjs": `
import { Lambda } from "@aws-sdk/client-lambda";
import { SNS } from "@aws-sdk/client-sns";
export const handler = async ({ TopicArn, through }) => {
  if (through) await new Lambda({}).invoke({ FunctionName: through, Payload: JSON.stringify({ TopicArn }) });
  else await new SNS({}).publish({ TopicArn, Message: "made" });
};`,
    };
    await makeFunction(lambda, "topic-maker", { files, Timeout: 10 });
    await makeFunction(lambda, "topic-helper", { files, Timeout: 10 });
    const heard = await stage.hearing("topic-listener");
    const TopicArn = known((await sns.createTopic({ Name: "made" })).TopicArn);
    await lambda.addPermission({
      FunctionName: "topic-listener",
      StatementId: "sns",
      Action: "lambda:InvokeFunction",
      Principal: "sns.amazonaws.com",
    });
    await sns.subscribe({ TopicArn, Protocol: "lambda", Endpoint: functionArnOf("topic-listener") });
    for (const through of [undefined, "topic-helper"]) {
      const cause = await accept("topic-maker", { TopicArn, through });
      const record = await stage.record((await heard.told()).requestContext.requestId);
      const message = await stage.record(known(record.Cause));
      assert.deepEqual([message.Target, message.Cause, record.Correlation], [TopicArn, cause, cause]);
    }
  });

  test("for itself is stopped after 16 rounds", async () => {
    await makeFunction(lambda, "round-maker", { files: NODE });
    const Input = { InputPathsMap: { n: "$.detail.n" }, InputTemplate: '{"source":"round","n":<n>}' };
    const dead = await stage.queue("round-letters");
    await lambda.updateFunctionConfiguration({ FunctionName: "round-maker", DeadLetterConfig: { TargetArn: dead.arn } });
    await stage.rule("round", { source: ["round"] }, [{ ...functionTarget("round-maker"), InputTransformer: Input }]);
    const id = await stage.put("round", { n: 1 });
    await dead.next();
    const calls = (await stage.chain(id)).filter(({ Target }) => Target.startsWith(functionArnOf("round-maker")));
    assert.deepEqual([calls.length, calls[0]?.Reason], [17, "recursion"]);
  });
});

test("P1: what was acknowledged before kill -9 reaches its function and its endpoint, and what was set up is there", async () => {
  const heard = await stage.hearing("survivor", { files: answering("return event.detail.n;") });
  const endpoint = await openEndpoint();
  const AuthParameters = { ApiKeyAuthParameters: { ApiKeyName: "x-key", ApiKeyValue: "still known" } };
  const { ConnectionArn } = await events.createConnection({ Name: "survivor", AuthorizationType: "API_KEY", AuthParameters });
  const made = { Name: "survivor", ConnectionArn, InvocationEndpoint: endpoint.url, HttpMethod: "POST" } as const;
  const { ApiDestinationArn } = await events.createApiDestination(made);
  await stage.rule("survivor", { source: ["survivor"] }, [functionTarget("survivor"), { Arn: ApiDestinationArn, InputPath: "$.id" }]);
  const acknowledged: string[] = [];
  const enough = deferred<undefined>();
  const put = async (batch: number): Promise<void> => {
    const entry = (n: number) => ({ Source: "survivor", DetailType: "test", Detail: JSON.stringify({ n: batch * 5 + n }) });
    const { Entries = [] } = await events.putEvents({ Entries: Array.from({ length: 5 }, (_, n) => entry(n)) });
    acknowledged.push(...Entries.flatMap(({ EventId }) => EventId ?? []));
    if (acknowledged.length >= 25) enough.resolve(undefined);
  };
  // Some are under way when it is killed: nobody is told that they were taken.
  const putting = Promise.allSettled(Array.from({ length: 16 }, (_, batch) => put(batch)));
  await enough.promise;
  await server.restartAfterKill();
  await putting;
  // What the kill interrupted is done again, so some may come twice; none is missing.
  await heard.all(acknowledged, (text) => (JSON.parse(text) as { requestPayload: AwsEvent }).requestPayload.id);
  const sent = (): ReadonlySet<string> => new Set(endpoint.heard.map(({ body }) => JSON.parse(body) as string));
  for (let count = 1; !acknowledged.every((id) => sent().has(id)); count++) await endpoint.count(count);
  assert.ok(endpoint.heard.every(({ headers }) => headers["x-key"] === "still known"));
});
