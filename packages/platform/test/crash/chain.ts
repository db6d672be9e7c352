/**
 * A chain over two buses and a function: default bus, rule, function (asynchronously), its destination, which is a second bus, rule, queue.
 * What is put at its beginning has to come out at its end, wherever the server was killed.
 */
import {
  CreateEventBusCommand,
  type EventBridgeClient,
  PutEventsCommand,
  PutRuleCommand,
  PutTargetsCommand,
  ResourceAlreadyExistsException,
} from "@aws-sdk/client-eventbridge";
import {
  CreateFunctionCommand,
  type LambdaClient,
  PutFunctionConcurrencyCommand,
  PutFunctionEventInvokeConfigCommand,
  ResourceConflictException,
} from "@aws-sdk/client-lambda";
import { CreateQueueCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { delay, systemClock } from "../../src/base/index.ts";
import { zipOf } from "../support/zips.ts";
import { CHECKS } from "./checks.ts";
import type { Ear } from "./server-load.ts";

const ARN = "us-east-1:000000000000";
/** None of that name exists, so nothing is refused in its name. */
const ROLE = "arn:aws:iam::000000000000:role/made";
export const CHAIN = {
  functionName: "relay",
  busArn: `arn:aws:events:${ARN}:event-bus/relayed`,
  functionArn: `arn:aws:lambda:${ARN}:function:relay`,
  queueName: "arrived",
  queueArn: `arn:aws:sqs:${ARN}:arrived`,
} as const;
/** Events of one call: one more than of the call before, up to so many. */
const EVENTS_PER_CALL_MAX = 5;
/** Each event is some ten commits and a call of a function: the other clients need their share of the time. */
const PAUSE_MS = 40;

export interface ChainClients {
  readonly events: EventBridgeClient;
  readonly lambda: LambdaClient;
  readonly sqs: SQSClient;
}

/** Makes the chain, or what of it an earlier life did not. */
export async function makeChain({ events, lambda, sqs }: ChainClients): Promise<void> {
  await sqs.send(new CreateQueueCommand({ QueueName: CHAIN.queueName }));
  await unlessThere(events.send(new CreateEventBusCommand({ Name: "relayed" })));
  const ZipFile = await zipOf({ "index.mjs": "export const handler = ({ detail }) => detail;" });
  await unlessThere(
    lambda.send(
      new CreateFunctionCommand({
        ...{ FunctionName: CHAIN.functionName, Role: ROLE, Runtime: "nodejs22.x", Handler: "index.handler", Code: { ZipFile } },
      }),
    ),
  );
  const FunctionName = CHAIN.functionName;
  // One process: what is shown here needs no more, and the machine has other work.
  await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 1 }));
  const DestinationConfig = { OnSuccess: { Destination: CHAIN.busArn } };
  await lambda.send(new PutFunctionEventInvokeConfigCommand({ FunctionName, DestinationConfig }));
  await makeRule(events, undefined, { source: ["rig"] }, CHAIN.functionArn);
  await makeRule(events, "relayed", { source: ["lambda"] }, CHAIN.queueArn);
}

async function makeRule(events: EventBridgeClient, EventBusName: string | undefined, pattern: object, Arn: string): Promise<void> {
  await events.send(new PutRuleCommand({ Name: "on", EventBusName, EventPattern: JSON.stringify(pattern) }));
  await events.send(new PutTargetsCommand({ Rule: "on", EventBusName, Targets: [{ Id: "next", Arn, RoleArn: ROLE }] }));
}

async function unlessThere(made: Promise<unknown>): Promise<void> {
  try {
    await made;
  } catch (error) {
    if (!(error instanceof ResourceAlreadyExistsException || error instanceof ResourceConflictException)) throw error;
  }
}

/** Puts events, a few with each call. */
export async function putEvents(events: EventBridgeClient, ear: Ear, goesOn: () => boolean): Promise<void> {
  for (let count = 1; goesOn(); count = (count % EVENTS_PER_CALL_MAX) + 1) {
    const next = ear.history.events.size;
    const ids = Array.from({ length: count }, (_, index) => `event.${next + index}`);
    ear.say({ kind: "putting", ids });
    const { Entries = [] } = await events.send(
      new PutEventsCommand({ Entries: ids.map((id) => ({ Source: "rig", DetailType: "rig", Detail: JSON.stringify({ id }) })) }),
    );
    for (const { ErrorCode } of Entries)
      if (ErrorCode !== undefined) ear.history.findings.push({ check: CHECKS.ends, what: `an event was refused: ${ErrorCode}` });
    ear.say({ kind: "put", ids, eventIds: Entries.map(({ EventId = "" }) => EventId) });
    await delay(systemClock, PAUSE_MS);
  }
}
