import {
  rulePermissionId,
  type AppEvents,
  type CurrentRule,
  type CurrentSchedule,
  type RuleTrigger,
  type ScheduleTrigger,
} from "../apps/index.ts";
import { isLambentError, LambentError } from "../base/index.ts";
import { type Buses, ruleArn, type RuleTarget } from "../bus/index.ts";
import { functionArn, type Functions, type ResourceStatement } from "../functions/index.ts";
import type { Realm } from "../model/index.ts";
import { DEFAULT_GROUP, SCHEDULE_AGE_MS_MAX, SCHEDULE_RETRIES_MAX, type Schedules, type ScheduleSettings } from "../schedules/index.ts";

export interface AppEventParts {
  readonly buses: Buses;
  readonly schedules: Pick<Schedules, "read" | "create" | "update" | "delete">;
  readonly functions: Pick<Functions, "policies" | "reading">;
}

/** Of requests that nobody repeats by it. */
const TOKEN = "application";

type RuleNames = Pick<RuleTrigger, "functionName" | "busName" | "ruleName">;

/** Joins `apps/` to `bus/` and `schedules/`: an application's form in terms of their own changes. */
export function createAppEvents(parts: AppEventParts): AppEvents {
  const { buses, schedules } = parts;
  return {
    currentBus(realm, name) {
      const bus = buses.find(realm, name);
      return bus && { name, description: bus.description };
    },
    async createBus(realm, { name, description }) {
      await buses.create(realm, { name, description, tags: {} });
    },
    async updateBus(realm, { name, description }) {
      await buses.update(realm, name, () => ({ description }));
    },
    currentRule: (realm, names) => currentRule(parts, realm, names),
    putRule: (realm, rule) => putRule(parts, realm, rule),
    removeRule: (realm, names) => removeRule(parts, realm, names),
    currentSchedule: (realm, functionName, scheduleName) => currentSchedule(schedules, realm, functionName, scheduleName),
    createSchedule(realm, schedule) {
      const settings = settingsOf(parts, realm, schedule);
      return schedules.create(realm, DEFAULT_GROUP, {
        name: schedule.scheduleName,
        settings,
        token: TOKEN,
        digest: JSON.stringify(settings),
      });
    },
    updateSchedule: (realm, schedule) => schedules.update(realm, DEFAULT_GROUP, schedule.scheduleName, settingsOf(parts, realm, schedule)),
    removeSchedule: (realm, scheduleName) => schedules.delete(realm, DEFAULT_GROUP, scheduleName, TOKEN),
  };
}

function currentRule({ buses, functions }: AppEventParts, realm: Realm, names: RuleNames): CurrentRule | undefined {
  const rule = buses.rules.find(realm, names.busName, names.ruleName);
  const target = rule && targetOf(rule.targets, realm, names);
  if (!target) return undefined;
  return {
    ...names,
    options: { pattern: rule.pattern && withoutSpaces(rule.pattern), format: formatOf(target), enabled: rule.enabled },
    permitted: statementsOf(functions, realm, names).length > 0,
  };
}

async function putRule({ buses, functions }: AppEventParts, realm: Realm, rule: RuleTrigger): Promise<void> {
  const { functionName, busName, ruleName, options } = rule;
  const { pattern, format, enabled } = options;
  const known = buses.rules.find(realm, busName, ruleName);
  const target = known && targetOf(known.targets, realm, rule);
  const others = (known?.targets ?? []).filter((each) => each !== target);
  if (known && others.length > 0 && (known.enabled !== enabled || known.pattern === undefined || withoutSpaces(known.pattern) !== pattern))
    throw new LambentError(
      "Conflict",
      `Rule ${ruleName} of bus ${busName} is another one already, which sends events to ${others.map(({ arn }) => arn).join(", ")}.`,
    );
  const { description, roleArn, schedule } = known ?? {};
  await buses.rules.put(realm, { bus: busName, name: ruleName, pattern, enabled, description, roleArn, schedule, tags: undefined });
  const { input: _before, ...kept } = target ?? { id: freeId(others, functionName), arn: functionArn(realm, functionName) };
  const wanted: RuleTarget = { ...kept, ...(format === "cloudevent" ? { input: { kind: "event", form: "cloudevent" } } : {}) };
  const [fault] = await buses.rules.putTargets(realm, busName, ruleName, [wanted]);
  if (fault) throw new LambentError("InvalidParameter", fault.message);
  if (statementsOf(functions, realm, rule).length === 0)
    await functions.policies.add(realm, functionName, undefined, statementFor(realm, rule), undefined);
}

async function removeRule({ buses, functions }: AppEventParts, realm: Realm, names: RuleNames): Promise<void> {
  const { functionName, busName, ruleName } = names;
  const rule = buses.rules.find(realm, busName, ruleName);
  const target = rule && targetOf(rule.targets, realm, names);
  if (!target) return;
  await buses.rules.removeTargets(realm, busName, ruleName, [target.id]);
  if (rule.targets.length === 1) await buses.rules.remove(realm, busName, ruleName);
  for (const { Sid } of statementsOf(functions, realm, names))
    if (Sid === rulePermissionId(busName, ruleName)) await functions.policies.remove(realm, functionName, undefined, Sid, undefined);
}

function targetOf(targets: readonly RuleTarget[], realm: Realm, { functionName }: RuleNames): RuleTarget | undefined {
  return targets.find(({ arn }) => arn === functionArn(realm, functionName));
}

/** A target is named after its function, unless something else is. */
function freeId(others: readonly RuleTarget[], functionName: string): string {
  const taken = new Set(others.map(({ id }) => id));
  let id = functionName;
  for (let next = 2; taken.has(id); next += 1) id = `${functionName.slice(0, 60)}-${next}`;
  return id;
}

function formatOf({ input }: RuleTarget): CurrentRule["options"]["format"] {
  if (!input) return "aws";
  return input.kind === "event" ? input.form : "other";
}

/** Statements by which the function lets exactly this rule call it. */
function statementsOf(
  functions: AppEventParts["functions"],
  realm: Realm,
  { functionName, busName, ruleName }: RuleNames,
): ResourceStatement[] {
  const arn = ruleArn(realm, busName, ruleName);
  const statements = functions.policies.find(realm, functionName, undefined)?.statements ?? [];
  return statements.filter(({ Condition }) => Condition?.["ArnLike"]?.["AWS:SourceArn"] === arn);
}

function statementFor(realm: Realm, { functionName, busName, ruleName }: RuleNames): ResourceStatement {
  return {
    Sid: rulePermissionId(busName, ruleName),
    Effect: "Allow",
    Principal: { Service: "events.amazonaws.com" },
    Action: "lambda:InvokeFunction",
    Resource: functionArn(realm, functionName),
    Condition: { ArnLike: { "AWS:SourceArn": ruleArn(realm, busName, ruleName) } },
  };
}

async function currentSchedule(
  schedules: AppEventParts["schedules"],
  realm: Realm,
  functionName: string,
  scheduleName: string,
): Promise<CurrentSchedule | undefined> {
  try {
    const { settings } = (await schedules.read(realm, DEFAULT_GROUP, scheduleName)).record;
    const { action, expression, zone, state } = settings;
    if (action.kind !== "target" || action.target.arn !== functionArn(realm, functionName)) return undefined;
    return {
      functionName,
      scheduleName,
      options: { expression, zone, input: action.target.input, enabled: state === "ENABLED" },
      roleArn: action.target.roleArn,
    };
  } catch (error) {
    if (isLambentError(error, "NotFound")) return undefined;
    throw error;
  }
}

/** Called in the name of the function's own role, as `lambent trigger --every` does it. */
function settingsOf({ functions }: AppEventParts, realm: Realm, { functionName, options }: ScheduleTrigger): ScheduleSettings {
  const { version } = functions.reading.get(realm, functionName, undefined);
  const { expression, zone, input, enabled } = options;
  return {
    ...{ expression, zone, startAt: undefined, endAt: undefined, windowMs: 0, afterCompletion: "NONE" },
    ...{ description: undefined, kmsKeyArn: undefined, state: enabled ? "ENABLED" : "DISABLED" },
    action: {
      kind: "target",
      target: {
        ...{ arn: functionArn(realm, functionName), roleArn: version.roleArn, input },
        ...{ retriesMax: SCHEDULE_RETRIES_MAX, ageMsMax: SCHEDULE_AGE_MS_MAX },
        ...{ deadLetter: undefined, messageGroupId: undefined, event: undefined },
      },
    },
  };
}

function withoutSpaces(pattern: string): string {
  return JSON.stringify(JSON.parse(pattern));
}
