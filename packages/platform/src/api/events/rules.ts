import type {
  DeleteRuleRequest,
  DescribeRuleRequest,
  DescribeRuleResponse,
  DisableRuleRequest,
  EnableRuleRequest,
  ListRuleNamesByTargetRequest,
  ListRuleNamesByTargetResponse,
  ListRulesRequest,
  ListRulesResponse,
  PutRuleRequest,
  PutRuleResponse,
  Rule,
} from "@aws-sdk/client-eventbridge";
import { type Buses, busNameOf, ruleArn, type RuleRecord } from "../../bus/index.ts";
import type { Realm } from "../../model/index.ts";
import { given } from "../given.ts";
import type { RequestContext } from "../operation.ts";
import { paged } from "./paging.ts";
import { tagsOf } from "./tags.ts";

/** Who manages the rules of archives, in EventBridge's words. */
const ARCHIVES = "prod.vhs.events.aws.internal";

/** Rules of buses. @see EventBridge API reference */
export function ruleOperations(buses: Buses) {
  const { rules } = buses;
  const named = (realm: Realm, input: { Name?: string | undefined; EventBusName?: string | undefined }): readonly [string, string] => [
    busNameOf(input.EventBusName, realm),
    given(input.Name, "Name"),
  ];
  return {
    async PutRule(input: PutRuleRequest, { realm }: RequestContext): Promise<PutRuleResponse> {
      const [bus, name] = named(realm, input);
      await rules.put(realm, {
        ...{ bus, name, pattern: input.EventPattern, schedule: input.ScheduleExpression },
        enabled: input.State !== "DISABLED",
        description: input.Description,
        roleArn: input.RoleArn,
        tags: input.Tags && tagsOf(input.Tags),
      });
      return { RuleArn: ruleArn(realm, bus, name) };
    },

    async DeleteRule(input: DeleteRuleRequest, { realm }: RequestContext): Promise<void> {
      await rules.remove(realm, ...named(realm, input));
    },

    DescribeRule(input: DescribeRuleRequest, { realm }: RequestContext): DescribeRuleResponse {
      return { ...shapeOf(realm, rules.get(realm, ...named(realm, input))), CreatedBy: realm.account };
    },

    async EnableRule(input: EnableRuleRequest, { realm }: RequestContext): Promise<void> {
      await rules.setEnabled(realm, ...named(realm, input), true);
    },

    async DisableRule(input: DisableRuleRequest, { realm }: RequestContext): Promise<void> {
      await rules.setEnabled(realm, ...named(realm, input), false);
    },

    ListRules(input: ListRulesRequest, { realm }: RequestContext): ListRulesResponse {
      const { name: bus } = buses.get(realm, busNameOf(input.EventBusName, realm));
      const { page, next } = paged(rules.list(realm, bus, input.NamePrefix ?? ""), ({ name }) => name, input);
      return { Rules: page.map((rule) => shapeOf(realm, rule)), NextToken: next };
    },

    ListRuleNamesByTarget(input: ListRuleNamesByTargetRequest, { realm }: RequestContext): ListRuleNamesByTargetResponse {
      const { name: bus } = buses.get(realm, busNameOf(input.EventBusName, realm));
      const arn = given(input.TargetArn, "TargetArn");
      const found = rules.list(realm, bus, "").filter(({ targets }) => targets.some((target) => target.arn === arn));
      const { page, next } = paged(found, ({ name }) => name, input);
      return { RuleNames: page.map(({ name }) => name), NextToken: next };
    },
  };
}

function shapeOf(realm: Realm, { bus, name, pattern, schedule, enabled, description, roleArn, managed }: RuleRecord): Rule {
  return {
    ...{ Name: name, Arn: ruleArn(realm, bus, name), EventBusName: bus, State: enabled ? "ENABLED" : "DISABLED" },
    ...{ EventPattern: pattern, ScheduleExpression: schedule, Description: description, RoleArn: roleArn },
    ...(managed ? { ManagedBy: ARCHIVES } : {}),
  };
}
