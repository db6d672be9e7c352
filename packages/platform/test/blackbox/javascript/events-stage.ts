/** What the cases of EventBridge share: a bus with a rule, a queue that shows what came of it. */
import { type PutEventsRequestEntry, ResourceNotFoundException, type Target } from "@aws-sdk/client-eventbridge";
import { ACCOUNT } from "../../support/javascript-clients.ts";
import { known, type Stage } from "./cases.ts";

export const arnOf = (resource: string): string => `arn:aws:events:us-east-1:${ACCOUNT}:${resource}`;
export const queueArnOf = (name: string): string => `arn:aws:sqs:us-east-1:${ACCOUNT}:${name}`;
export const NOT_THERE = [ResourceNotFoundException, 400] as const;
export const INVALID = ["ValidationException", 400] as const;

export async function bus({ stage }: Stage, Name: string): Promise<string> {
  return known((await stage.events.createEventBus({ Name })).EventBusArn);
}

/** A rule on a bus of the same name, for events of the source `shop`. */
export async function rule(
  stage: Stage,
  name: string,
  ...Targets: Target[]
): Promise<{ readonly Name: string; readonly EventBusName: string }> {
  await bus(stage, name);
  await stage.stage.events.putRule({ Name: name, EventBusName: name, EventPattern: '{"source":["shop"]}' });
  if (Targets.length > 0) await stage.stage.events.putTargets({ Rule: name, EventBusName: name, Targets });
  return { Name: name, EventBusName: name };
}

/** A queue that rules may send to. */
export async function queue({ stage }: Stage, name: string): Promise<string> {
  const Statement = [
    { Effect: "Allow", Principal: { Service: "events.amazonaws.com" }, Action: "sqs:SendMessage", Resource: queueArnOf(name) },
  ];
  const Policy = JSON.stringify({ Version: "2012-10-17", Statement });
  return known((await stage.sqs.createQueue({ QueueName: name, Attributes: { Policy } })).QueueUrl);
}

/** The next event in a queue. */
export async function next({ stage }: Stage, QueueUrl: string): Promise<Readonly<Record<string, unknown>>> {
  const { Messages: [message] = [] } = await stage.sqs.receiveMessage({ QueueUrl, WaitTimeSeconds: 20 });
  await stage.sqs.deleteMessage({ QueueUrl, ReceiptHandle: known(message?.ReceiptHandle) });
  return JSON.parse(known(message?.Body)) as Readonly<Record<string, unknown>>;
}

export const order = (EventBusName: string, n: number): PutEventsRequestEntry => ({
  Source: "shop",
  DetailType: "Order",
  Detail: `{"n":${n}}`,
  EventBusName,
});
