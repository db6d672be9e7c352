import { guessedRuleName } from "../apps/index.ts";
import type { Client } from "./client.ts";
import { CommandFailure } from "./errors.ts";
import { eventBridge, findBus, findRule, listTargets, putTarget, type RuleShape, type TargetShape } from "./event-api.ts";
import { allowCaller, functionNameOf, ruleCaller } from "./function-permission.ts";
import { CLOUD_EVENT_TEMPLATE, type EventFormat, formatOf } from "./rule-triggers.ts";

export interface WantedRule {
  readonly functionName: string;
  readonly functionArn: string;
  readonly bus: string;
  readonly pattern: string;
  /** Undefined: as it is, or as AWS sends events. */
  readonly format: EventFormat | undefined;
  /** Undefined: it is guessed. */
  readonly name: string | undefined;
  /** Whether a bus that is missing is made. */
  readonly create: boolean;
}

type Done = "created" | "changed" | "is there already";

export interface MadeRule {
  readonly rule: RuleShape;
  readonly target: TargetShape;
  readonly createdBus: boolean;
  readonly ruleIs: Done;
  readonly targetIs: Done;
  /** The function was told to let the rule call it. */
  readonly permitted: boolean;
}

/** Makes what is missing of bus, rule, target and permission, and changes what is there and was asked for otherwise. */
export async function makeRule(client: Client, wanted: WantedRule): Promise<MadeRule> {
  const { functionName, functionArn, bus, pattern, format } = wanted;
  const name = wanted.name ?? guessedRuleName(functionName.replaceAll(":", "-"), pattern);
  const createdBus = await requireBus(client, bus, wanted.create);
  const known = await findRule(client, bus, name);
  const targets = known ? await listTargets(client, bus, name) : [];
  const knownTarget = targets.find(({ Arn }) => Arn === functionArn);
  const ruleIs = !known ? "created" : samePattern(known, pattern) ? "is there already" : "changed";
  if (ruleIs === "changed")
    refuseForOthers(
      name,
      targets.filter((each) => each !== knownTarget),
    );
  if (ruleIs !== "is there already") await putRule(client, bus, name, pattern, known);
  const target = targetOf(knownTarget, { id: freeId(targets, functionName), arn: functionArn, format });
  const targetIs = !knownTarget ? "created" : formatOf(knownTarget) === formatOf(target) ? "is there already" : "changed";
  if (targetIs !== "is there already") await putTarget(client, bus, name, target);
  const rule = (await findRule(client, bus, name)) ?? known;
  if (!rule) throw new CommandFailure("tryAgain", `The rule ${name} was deleted meanwhile.`, "Repeat the command.");
  const permitted = await allowCaller(client, functionNameOf(functionName), await ruleCaller(bus, { name, arn: rule.Arn }));
  return { rule, target, createdBus, ruleIs, targetIs, permitted };
}

async function requireBus(client: Client, bus: string, create: boolean): Promise<boolean> {
  if (await findBus(client, bus)) return false;
  if (!create) throw new CommandFailure("notFound", `There is no event bus ${bus}.`, "Leave --no-create away, and it is created.");
  await eventBridge(client, "CreateEventBus", { Name: bus });
  return true;
}

/** Everybody else who gets the rule's events would get others. */
function refuseForOthers(name: string, others: readonly TargetShape[]): void {
  if (others.length === 0) return;
  throw new CommandFailure(
    "usage",
    `Rule ${name} has another pattern, and sends what it matches to ${others.map(({ Arn }) => Arn).join(", ")}, too.`,
    "Give yours another name with --name.",
  );
}

function putRule(client: Client, bus: string, name: string, pattern: string, known: RuleShape | undefined): Promise<object> {
  const { State, Description, RoleArn, ScheduleExpression } = known ?? {};
  return eventBridge(client, "PutRule", {
    ...{ EventBusName: bus, Name: name, EventPattern: pattern },
    ...{ State, Description, RoleArn, ScheduleExpression },
  });
}

function targetOf(
  known: TargetShape | undefined,
  { id, arn, format }: { readonly id: string; readonly arn: string; readonly format: EventFormat | undefined },
): TargetShape {
  if (known && format === undefined) return known;
  const { Input: _input, InputPath: _path, InputTransformer: _transformer, ...rest } = known ?? { Id: id, Arn: arn };
  return { ...rest, ...(format === "cloudevent" ? { InputTransformer: { InputTemplate: CLOUD_EVENT_TEMPLATE } } : {}) };
}

function freeId(targets: readonly TargetShape[], functionName: string): string {
  const plain = functionName.replaceAll(":", "-").slice(0, 60);
  const taken = new Set(targets.map(({ Id }) => Id));
  let id = plain;
  for (let next = 2; taken.has(id); next += 1) id = `${plain}-${next}`;
  return id;
}

function samePattern({ EventPattern }: RuleShape, pattern: string): boolean {
  return EventPattern !== undefined && JSON.stringify(JSON.parse(EventPattern)) === pattern;
}
