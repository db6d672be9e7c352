/** Events on a real server as people meet them: buses and rules by the SDK, records by Lambent's own API, queues that hear. */
import assert from "node:assert/strict";
import { after } from "node:test";
import { EventBridge, type PutEventsRequestEntry, type PutTargetsRequest } from "@aws-sdk/client-eventbridge";
import type { Message } from "@aws-sdk/client-sqs";
import { ACCOUNT, type FunctionChoices, functionArnOf, type JavaScriptClients, makeFunction, ROLE } from "./javascript-clients.ts";
import type { RealServer } from "./server.ts";
import { sendSigned } from "./signed-http.ts";

/** What comes is waited for by long polling or by asking again; this long, at most. */
export const PATIENCE_MS = 20_000;

export type RuleTargetChoice = Omit<NonNullable<PutTargetsRequest["Targets"]>[number], "Id">;

/** A record of the ledger, as Lambent's own API has it. */
export interface EventRecordJson {
  readonly Id: string;
  readonly Source: string;
  readonly Origin?: string;
  readonly Target: string;
  readonly Cause?: string;
  readonly Correlation: string;
  readonly AttemptCount: number;
  readonly Attempts: readonly { readonly Error?: string }[];
  readonly State: string;
  readonly Outcome?: string;
  readonly Reason?: string;
}

/** What a destination is told of an invocation. */
export interface ToldJson {
  readonly requestContext: { readonly requestId: string; readonly functionArn: string; readonly condition: string };
  readonly requestPayload: Readonly<Record<string, unknown>>;
  readonly responsePayload: unknown;
}

export interface EventStage {
  readonly events: EventBridge;
  /** A queue that every service of the account may send to. */
  queue(name: string): Promise<Hearing>;
  /** A function whose outcomes a queue hears, of the same name. */
  hearing(name: string, choices?: FunctionChoices): Promise<Hearing>;
  /** A rule whose targets are sent to in the name of a role. */
  rule(name: string, pattern: object, targets: readonly RuleTargetChoice[], bus?: string): Promise<string>;
  /** Puts one event; its id. */
  put(Source: string, detail: unknown, more?: Partial<PutEventsRequestEntry>): Promise<string>;
  record(id: string): Promise<EventRecordJson>;
  /** The record, once its event has ended. */
  ended(id: string): Promise<EventRecordJson>;
  /** All events of a chain, the newest first. */
  chain(correlation: string): Promise<readonly EventRecordJson[]>;
}

/** A queue that is listened to. */
export interface Hearing {
  readonly arn: string;
  /** The next message, taken off the queue. */
  next(): Promise<Message>;
  /** The next message, read as JSON. */
  told<T = ToldJson>(): Promise<T>;
  /** Takes messages until there was one for each of `names`, by what `nameOf` makes of a message. */
  all(names: Iterable<string>, nameOf: (text: string) => string): Promise<void>;
  /** Passes when nothing waits here. What was refused is known to be by then. */
  assertSilent(): Promise<void>;
}

export const queueArnOf = (name: string): string => `arn:aws:sqs:us-east-1:${ACCOUNT}:${name}`;

export function openEventStage(server: RealServer, clients: JavaScriptClients): EventStage {
  const events = new EventBridge({ endpoint: server.url, region: "us-east-1", credentials: server.key, maxAttempts: 1 });
  after(() => events.destroy());
  const queue = (name: string): Promise<Hearing> => openQueue(clients, name);
  const get = <T>(path: string): Promise<T> => getJson(server, path);
  const record = async (id: string) => (await get<{ Event: EventRecordJson }>(`/_lambent/v1/events/${id}`)).Event;
  return {
    events,
    queue,
    record,
    async hearing(name, choices) {
      const heard = await queue(name);
      await makeFunction(clients.lambda, name, choices);
      const Destination = heard.arn;
      await clients.lambda.putFunctionEventInvokeConfig({
        FunctionName: name,
        MaximumRetryAttempts: 0,
        DestinationConfig: { OnSuccess: { Destination }, OnFailure: { Destination } },
      });
      return heard;
    },
    async rule(Name, pattern, targets, EventBusName = "default") {
      const { RuleArn = "" } = await events.putRule({ Name, EventBusName, EventPattern: JSON.stringify(pattern) });
      const Targets = targets.map((target, index) => ({ Id: String(index), RoleArn: ROLE, ...target }));
      const { FailedEntries } = await events.putTargets({ Rule: Name, EventBusName, Targets });
      assert.deepEqual(FailedEntries, []);
      return RuleArn;
    },
    async put(Source, detail, more = {}) {
      const { Entries } = await events.putEvents({ Entries: [{ Source, DetailType: "test", Detail: JSON.stringify(detail), ...more }] });
      return Entries?.[0]?.EventId ?? assert.fail(`the event was refused: ${JSON.stringify(Entries)}`);
    },
    ended: (id) =>
      until(
        () => record(id),
        ({ State }) => State === "ended",
      ),
    chain: async (correlation) => (await get<{ Events: EventRecordJson[] }>(`/_lambent/v1/events?correlation=${correlation}`)).Events,
  };
}

/** `arn:aws:lambda:…`, as a target. */
export const functionTarget = (name: string): RuleTargetChoice => ({ Arn: functionArnOf(name) });

/** Asks until it is so. */
export async function until<T>(ask: () => Promise<T>, isSo: (value: T) => boolean): Promise<T> {
  for (const giveUpAt = performance.now() + PATIENCE_MS; ;) {
    const value = await ask();
    if (isSo(value)) return value;
    assert.ok(performance.now() < giveUpAt, `it did not become so: ${JSON.stringify(value)}`);
  }
}

async function openQueue({ sqs }: JavaScriptClients, QueueName: string): Promise<Hearing> {
  const arn = queueArnOf(QueueName);
  const statement = {
    Effect: "Allow",
    Principal: { Service: ["events.amazonaws.com", "sns.amazonaws.com", "s3.amazonaws.com"] },
    Action: "sqs:SendMessage",
    Resource: arn,
  };
  const Policy = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
  const { QueueUrl } = await sqs.createQueue({ QueueName, Attributes: { Policy } });
  const take = async (WaitTimeSeconds: number): Promise<Message | undefined> => {
    const asked = { QueueUrl, WaitTimeSeconds, MessageAttributeNames: ["All"] };
    const message = (await sqs.receiveMessage(asked)).Messages?.[0];
    if (message) await sqs.deleteMessage({ QueueUrl, ReceiptHandle: message.ReceiptHandle });
    return message;
  };
  const next = async (): Promise<Message> => (await take(PATIENCE_MS / 1_000)) ?? assert.fail(`no message came to ${QueueName}`);
  return {
    arn,
    next,
    told: async <T>() => JSON.parse((await next()).Body ?? "") as T,
    async all(names, nameOf) {
      const missing = new Set(names);
      while (missing.size > 0) missing.delete(nameOf((await next()).Body ?? ""));
    },
    async assertSilent() {
      assert.equal((await take(0))?.Body, undefined);
    },
  };
}

async function getJson<T>(server: RealServer, path: string): Promise<T> {
  const { status, body } = await sendSigned(server.url, { method: "GET", path }, server.key, "lambent");
  assert.equal(status, 200, body.toString("utf8"));
  return JSON.parse(body.toString("utf8")) as T;
}
