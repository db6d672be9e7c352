import type { Client } from "./client.ts";
import { CommandFailure } from "./errors.ts";

/** Queues and event source mappings as the command line uses them: AWS's operations. */

export interface Trigger {
  readonly UUID: string;
  /** Missing of brokers that are nobody's. */
  readonly EventSourceArn?: string;
  readonly FunctionArn: string;
  readonly BatchSize: number;
  readonly MaximumBatchingWindowInSeconds?: number;
  readonly ScalingConfig?: { readonly MaximumConcurrency?: number };
  readonly FilterCriteria?: { readonly Filters?: readonly { readonly Pattern?: string }[] };
  readonly FunctionResponseTypes?: readonly string[];
  readonly State: string;
  readonly LastProcessingResult?: string;
}

export interface TriggerSettings {
  readonly BatchSize?: number;
  readonly MaximumBatchingWindowInSeconds?: number;
  readonly ScalingConfig?: { readonly MaximumConcurrency: number };
  readonly FilterCriteria?: { readonly Filters: readonly { readonly Pattern: string }[] };
  readonly FunctionResponseTypes?: readonly string[];
}

const BASE = "/2015-03-31/event-source-mappings";
/** Pages one list may have (P7). */
const PAGES_MAX = 1_000;

/** Triggers of a function, or all; those of one queue when it is named. */
export async function listTriggers(
  client: Client,
  wanted: { readonly functionName?: string | undefined; readonly queueArn?: string },
): Promise<Trigger[]> {
  const all: Trigger[] = [];
  const query = new URLSearchParams();
  if (wanted.functionName !== undefined) query.set("FunctionName", wanted.functionName);
  if (wanted.queueArn !== undefined) query.set("EventSourceArn", wanted.queueArn);
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const answer = await client.json<{ readonly EventSourceMappings?: Trigger[]; readonly NextMarker?: string }>({
      service: "lambda",
      method: "GET",
      path: `${BASE}?${query.toString()}`,
    });
    all.push(...(answer.EventSourceMappings ?? []));
    if (!answer.NextMarker) break;
    query.set("Marker", answer.NextMarker);
  }
  return all;
}

export function createTrigger(client: Client, functionName: string, queueArn: string, settings: TriggerSettings): Promise<Trigger> {
  return client.json({
    service: "lambda",
    method: "POST",
    path: BASE,
    body: { FunctionName: functionName, EventSourceArn: queueArn, ...settings },
  });
}

export function updateTrigger(client: Client, uuid: string, settings: TriggerSettings): Promise<Trigger> {
  return client.json({ service: "lambda", method: "PUT", path: `${BASE}/${uuid}`, body: settings });
}

export function removeTrigger(client: Client, uuid: string): Promise<Trigger> {
  return client.json({ service: "lambda", method: "DELETE", path: `${BASE}/${uuid}` });
}

/** The queue's name, of its ARN. */
export function queueNameOf(arn = ""): string {
  return arn.split(":").at(-1) ?? arn;
}

/** `hello` or `hello:live`, of the function's ARN. */
export function functionOf(arn: string): string {
  return arn.split(":").slice(6).join(":");
}

export async function sqs<T>(client: Client, operation: string, body: object): Promise<T> {
  const headers = { "content-type": "application/x-amz-json-1.0", "x-amz-target": `AmazonSQS.${operation}` };
  return client.json<T>({ service: "sqs", method: "POST", path: "/", headers, body });
}

/** URL and ARN of the queue; undefined when there is none of that name. */
export async function findQueue(client: Client, name: string): Promise<{ readonly url: string; readonly arn: string } | undefined> {
  try {
    const { QueueUrl: url } = await sqs<{ readonly QueueUrl: string }>(client, "GetQueueUrl", { QueueName: name });
    const { Attributes } = await sqs<{ readonly Attributes: { readonly QueueArn: string } }>(client, "GetQueueAttributes", {
      QueueUrl: url,
      AttributeNames: ["QueueArn"],
    });
    return { url, arn: Attributes.QueueArn };
  } catch (error) {
    if (error instanceof CommandFailure && error.exit === "notFound") return undefined;
    throw error;
  }
}
