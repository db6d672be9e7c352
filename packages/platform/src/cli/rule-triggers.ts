import type { Client } from "./client.ts";
import { eventBridge, listBuses, listRules, listTargets, ruleNamesOf, type RuleShape, type TargetShape } from "./event-api.ts";
import { disallowCaller, functionNameOf, ruleCaller } from "./function-permission.ts";
import { isMeant, type WhichFunction } from "./which-function.ts";
import { functionOf } from "./trigger-api.ts";

/** A rule and the function that is a target of it. */
export interface RuleTrigger {
  readonly rule: RuleShape;
  readonly target: TargetShape;
}

export type EventFormat = "aws" | "cloudevent";

/** What stands for a whole event as a CloudEvent, where EventBridge has templates. */
export const CLOUD_EVENT_TEMPLATE = "<lambent.cloudevent>";

/** Rules that call functions, or the one that is named. */
export async function listRuleTriggers(client: Client, which: WhichFunction): Promise<RuleTrigger[]> {
  const all: RuleTrigger[] = [];
  for (const { Name: bus } of await listBuses(client)) {
    // Of a function that is there, the server knows its rules; of one that is gone, each rule is asked.
    const names = which.arn === undefined ? undefined : new Set(await ruleNamesOf(client, bus, which.arn));
    if (names?.size === 0) continue;
    for (const rule of await listRules(client, bus)) {
      if (names && !names.has(rule.Name)) continue;
      for (const target of await listTargets(client, bus, rule.Name)) if (isMeant(which, target.Arn)) all.push({ rule, target });
    }
  }
  return all;
}

/** Takes the function away from the rule, and the rule with its last target. */
export async function removeRuleTrigger(client: Client, { rule, target }: RuleTrigger): Promise<{ readonly ruleRemoved: boolean }> {
  const { EventBusName: bus, Name: name, Arn: arn } = rule;
  const others = (await listTargets(client, bus, name)).filter(({ Id }) => Id !== target.Id);
  await eventBridge(client, "RemoveTargets", { EventBusName: bus, Rule: name, Ids: [target.Id] });
  if (others.length === 0) await eventBridge(client, "DeleteRule", { EventBusName: bus, Name: name });
  if (!others.some(({ Arn }) => Arn === target.Arn))
    await disallowCaller(client, functionNameOf(functionOf(target.Arn)), await ruleCaller(bus, { name, arn }));
  return { ruleRemoved: others.length === 0 };
}

/** How the target gets events. */
export function formatOf({ Input, InputPath, InputTransformer }: TargetShape): EventFormat | "other" {
  if (InputTransformer) return InputTransformer.InputTemplate === CLOUD_EVENT_TEMPLATE ? "cloudevent" : "other";
  return Input === undefined && InputPath === undefined ? "aws" : "other";
}
