/** Buses, rules and schedules of an application: compared with what is there, and applied. */
import { LambentError } from "../base/index.ts";
import type { Realm } from "../model/index.ts";
import {
  type AppEvents,
  type CurrentBus,
  type CurrentEventWiring,
  type CurrentRule,
  type CurrentSchedule,
  type EventWiring,
} from "./event-form.ts";
import { busesOf, type EventChange, eventKeys } from "./event-plan.ts";
import { triggerOfKey } from "./trigger-key.ts";

/** Buses of one application (P7). */
const APP_BUSES_MAX = 100;
/** Rules, and schedules, of one application (P7). */
const APP_EVENT_TRIGGERS_MAX = 400;

/** What is there of what the document names, and of what the application brought before. */
export async function currentEvents(
  port: AppEvents,
  realm: Realm,
  wanted: EventWiring,
  owned: ReadonlySet<string>,
): Promise<CurrentEventWiring> {
  const buses = new Map<string, CurrentBus>();
  const rules = new Map<string, CurrentRule>();
  const schedules = new Map<string, CurrentSchedule>();
  for (const { name } of busesOf(wanted)) keep(buses, name, port.currentBus(realm, name));
  for (const key of new Set([...eventKeys(wanted), ...owned])) {
    const trigger = triggerOfKey(key);
    if (trigger.kind === "rule") keep(rules, key, port.currentRule(realm, trigger));
    else if (trigger.kind === "schedule")
      keep(schedules, key, await port.currentSchedule(realm, trigger.functionName, trigger.scheduleName));
  }
  return { buses, rules, schedules };
}

/** Carries out `changes` from first to last and stops at the first that fails. */
export async function applyEvents(port: AppEvents, realm: Realm, changes: readonly EventChange[]): Promise<void> {
  for (const change of changes) await applyOne(port, realm, change);
}

async function applyOne(port: AppEvents, realm: Realm, change: EventChange): Promise<void> {
  switch (change.kind) {
    case "createBus":
      return port.createBus(realm, change.bus);
    case "updateBus":
      return port.updateBus(realm, change.bus);
    case "createRule":
    case "updateRule":
      return port.putRule(realm, change.rule);
    case "removeRule":
      return port.removeRule(realm, change.rule);
    case "createSchedule":
      return port.createSchedule(realm, change.schedule);
    case "updateSchedule":
      return port.updateSchedule(realm, change.schedule);
    case "removeSchedule":
      return port.removeSchedule(realm, change.schedule.scheduleName);
  }
}

/** Refuses too many, and what is named twice. */
export function checkEvents({ buses, rules, schedules }: EventWiring): void {
  refuseMany(buses, APP_BUSES_MAX, "buses");
  refuseMany(rules, APP_EVENT_TRIGGERS_MAX, "rules");
  refuseMany(schedules, APP_EVENT_TRIGGERS_MAX, "schedules");
  refuseTwice(rules.map(({ busName, ruleName }) => `Rule ${ruleName} of bus ${busName}`));
  refuseTwice(schedules.map(({ scheduleName }) => `Schedule ${scheduleName}`));
}

/** Refuses more than an application may have. */
export function refuseMany(all: readonly unknown[], max: number, what: string): void {
  if (all.length > max) throw new LambentError("LimitExceeded", `The application has ${all.length} ${what}; at most ${max} are allowed.`);
}

/** Refuses names that are there twice. */
export function refuseTwice(names: readonly string[]): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) throw new LambentError("InvalidParameter", `${name} is named twice.`);
    seen.add(name);
  }
}

function keep<T>(all: Map<string, T>, key: string, found: T | undefined): void {
  if (found !== undefined) all.set(key, found);
}
