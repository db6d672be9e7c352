import { difference, type FieldChange } from "./difference.ts";
import type {
  CurrentEventWiring,
  CurrentRule,
  CurrentSchedule,
  EventWiring,
  RuleTrigger,
  ScheduleTrigger,
  WantedBus,
} from "./event-form.ts";
import { ruleKey, scheduleKey } from "./event-form.ts";
import { triggerOfKey } from "./trigger-key.ts";

/** One difference between the buses, rules and schedules that are wanted and those that are there. */
export type EventChange =
  | { readonly kind: "createBus"; readonly bus: WantedBus }
  | { readonly kind: "updateBus"; readonly bus: WantedBus; readonly fields: readonly FieldChange[] }
  | { readonly kind: "createRule"; readonly rule: RuleTrigger }
  | { readonly kind: "updateRule"; readonly rule: RuleTrigger; readonly fields: readonly FieldChange[] }
  | { readonly kind: "removeRule"; readonly rule: Pick<RuleTrigger, "functionName" | "busName" | "ruleName"> }
  | { readonly kind: "createSchedule"; readonly schedule: ScheduleTrigger }
  | { readonly kind: "updateSchedule"; readonly schedule: ScheduleTrigger; readonly fields: readonly FieldChange[] }
  | { readonly kind: "removeSchedule"; readonly schedule: Pick<ScheduleTrigger, "functionName" | "scheduleName"> };

export interface EventRules {
  /** Triggers that this application brought and may therefore remove, by their keys. */
  readonly owned: ReadonlySet<string>;
  /** The role of a function once the document is applied: its schedules call it by that. */
  readonly roleArn: (functionName: string) => string;
  /** Leaves what is there as it is, and what a person took away, away. */
  readonly onlyUntouched: boolean;
}

/** The bus every realm has. */
const DEFAULT_BUS = "default";

/** Buses that shall be there: those that are named with their own words, and those that only a rule names. None is ever removed: others may use it. */
export function planBuses(current: CurrentEventWiring, wanted: EventWiring, rules: EventRules): EventChange[] {
  return busesOf(wanted).flatMap((bus): EventChange[] => {
    const known = current.buses.get(bus.name);
    if (!known) return [{ kind: "createBus", bus }];
    const fields = bus.description === undefined ? [] : difference("description", known.description, bus.description);
    return fields.length === 0 || rules.onlyUntouched ? [] : [{ kind: "updateBus", bus, fields }];
  });
}

/** What has to happen with rules and schedules once buses and functions are there. */
export function planEventTriggers(current: CurrentEventWiring, wanted: EventWiring, rules: EventRules): EventChange[] {
  const isWantedAnew = (key: string): boolean => !(rules.onlyUntouched && rules.owned.has(key));
  const ofRules = wanted.rules.flatMap((rule): EventChange[] => {
    const known = current.rules.get(ruleKey(rule));
    if (!known) return isWantedAnew(ruleKey(rule)) ? [{ kind: "createRule", rule }] : [];
    const fields = ruleDifference(known, rule);
    return fields.length === 0 || rules.onlyUntouched ? [] : [{ kind: "updateRule", rule, fields }];
  });
  const ofSchedules = wanted.schedules.flatMap((schedule): EventChange[] => {
    const known = current.schedules.get(scheduleKey(schedule));
    if (!known) return isWantedAnew(scheduleKey(schedule)) ? [{ kind: "createSchedule", schedule }] : [];
    const fields = scheduleDifference(known, schedule, rules.roleArn(schedule.functionName));
    return fields.length === 0 || rules.onlyUntouched ? [] : [{ kind: "updateSchedule", schedule, fields }];
  });
  return [...ofRules, ...ofSchedules];
}

/** Rules and schedules this application brought and no longer names. */
export function planEventRemovals(current: CurrentEventWiring, wanted: EventWiring, rules: EventRules): EventChange[] {
  const named = new Set(eventKeys(wanted));
  return [...rules.owned]
    .filter((key) => !named.has(key) && (current.rules.has(key) || current.schedules.has(key)))
    .toSorted()
    .flatMap((key): EventChange[] => {
      const trigger = triggerOfKey(key);
      if (trigger.kind === "rule") return [{ kind: "removeRule", rule: trigger }];
      return trigger.kind === "schedule" ? [{ kind: "removeSchedule", schedule: trigger }] : [];
    });
}

/** All rules and schedules of a document, as an application remembers them. */
export function eventKeys({ rules, schedules }: Pick<EventWiring, "rules" | "schedules">): string[] {
  return [...rules.map(ruleKey), ...schedules.map(scheduleKey)];
}

/** Of changes, the triggers that were made. */
export function createdKeys(changes: readonly EventChange[]): string[] {
  return changes.flatMap((change) => {
    if (change.kind === "createRule") return [ruleKey(change.rule)];
    return change.kind === "createSchedule" ? [scheduleKey(change.schedule)] : [];
  });
}

/** Buses that are named with their own words, and those that only a rule names. */
export function busesOf({ buses, rules }: EventWiring): WantedBus[] {
  const named = new Set(buses.map(({ name }) => name));
  const further = new Set(rules.map(({ busName }) => busName).filter((name) => name !== DEFAULT_BUS && !named.has(name)));
  return [...buses, ...[...further].map((name) => ({ name, description: undefined }))];
}

function ruleDifference({ options, permitted }: CurrentRule, { options: wanted }: RuleTrigger): FieldChange[] {
  return [
    ...difference("pattern", options.pattern, wanted.pattern),
    ...difference("format", options.format, wanted.format),
    ...difference("enabled", options.enabled, wanted.enabled),
    ...difference("permission", permitted ? "given" : "missing", "given"),
  ];
}

const SCHEDULE_FIELDS = ["expression", "zone", "input", "enabled"] as const;

function scheduleDifference(known: CurrentSchedule, { options: wanted }: ScheduleTrigger, roleArn: string): FieldChange[] {
  const fields = SCHEDULE_FIELDS.flatMap((field) => difference(field, known.options[field], wanted[field]));
  return [...fields, ...difference("roleArn", known.roleArn, roleArn)];
}
