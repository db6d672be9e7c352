import type { Client } from "./client.ts";
import { CommandFailure } from "./errors.ts";

/** EventBridge's buses, rules and events as the command line uses them: AWS's operations. */

export interface RuleShape {
  readonly Name: string;
  readonly Arn: string;
  readonly EventBusName: string;
  readonly EventPattern?: string;
  readonly ScheduleExpression?: string;
  readonly State: "ENABLED" | "DISABLED";
  readonly Description?: string;
  readonly RoleArn?: string;
}

export interface TargetShape {
  readonly Id: string;
  readonly Arn: string;
  readonly Input?: string;
  readonly InputPath?: string;
  readonly InputTransformer?: { readonly InputPathsMap?: Readonly<Record<string, string>>; readonly InputTemplate: string };
}

export interface EntryShape {
  readonly Source: string;
  readonly DetailType: string;
  readonly Detail: string;
  readonly EventBusName?: string;
}

/** Pages one list may have (P7). */
const PAGES_MAX = 1_000;

/** One operation of EventBridge. */
export function eventBridge<T>(client: Client, operation: string, body: object): Promise<T> {
  const headers = { "content-type": "application/x-amz-json-1.1", "x-amz-target": `AWSEvents.${operation}` };
  return client.json<T>({ service: "events", method: "POST", path: "/", headers, body });
}

/** What `ask` finds; undefined when it is not there. */
export async function orMissing<T>(ask: Promise<T>): Promise<T | undefined> {
  try {
    return await ask;
  } catch (error) {
    if (error instanceof CommandFailure && error.exit === "notFound") return undefined;
    throw error;
  }
}

export function findBus(client: Client, name: string): Promise<{ readonly Name: string } | undefined> {
  return orMissing(eventBridge(client, "DescribeEventBus", { Name: name }));
}

export async function listBuses(client: Client): Promise<{ readonly Name: string }[]> {
  return pages(client, "ListEventBuses", {}, "EventBuses");
}

export function findRule(client: Client, bus: string, name: string): Promise<RuleShape | undefined> {
  return orMissing(eventBridge(client, "DescribeRule", { EventBusName: bus, Name: name }));
}

export function listRules(client: Client, bus: string): Promise<RuleShape[]> {
  return pages(client, "ListRules", { EventBusName: bus }, "Rules");
}

export function ruleNamesOf(client: Client, bus: string, targetArn: string): Promise<string[]> {
  const asked = { EventBusName: bus, TargetArn: targetArn };
  return pages(client, "ListRuleNamesByTarget", asked, "RuleNames");
}

export function listTargets(client: Client, bus: string, rule: string): Promise<TargetShape[]> {
  const asked = { EventBusName: bus, Rule: rule };
  return pages(client, "ListTargetsByRule", asked, "Targets");
}

/** Adds a target or replaces the one of its id. */
export async function putTarget(client: Client, bus: string, rule: string, target: TargetShape): Promise<void> {
  const { FailedEntries = [] } = await eventBridge<{ readonly FailedEntries?: readonly { readonly ErrorMessage?: string }[] }>(
    client,
    "PutTargets",
    { EventBusName: bus, Rule: rule, Targets: [target] },
  );
  const [failed] = FailedEntries;
  if (failed) throw new CommandFailure("usage", failed.ErrorMessage ?? "The target was refused.", "Correct it and repeat.");
}

/** All of a list that comes in pages, as `member` of each. */
async function pages<Item>(client: Client, operation: string, asked: object, member: string): Promise<Item[]> {
  const all: Item[] = [];
  let token: string | undefined;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const body = { ...asked, ...(token === undefined ? {} : { NextToken: token }) };
    const answer = await eventBridge<Readonly<Record<string, unknown>>>(client, operation, body);
    all.push(...((answer[member] ?? []) as Item[]));
    token = answer["NextToken"] as string | undefined;
    if (token === undefined) break;
  }
  return all;
}
