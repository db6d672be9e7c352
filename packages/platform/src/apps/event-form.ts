/** What of buses and schedules an application wants: buses, rules that call functions, schedules that do. */
import type { Realm } from "../model/index.ts";

export interface WantedBus {
  readonly name: string;
  /** Undefined: left as it is. */
  readonly description: string | undefined;
}

export interface CurrentBus {
  readonly name: string;
  readonly description: string | undefined;
}

/** How a function gets the events of a rule: as AWS sends them, or as CloudEvents. */
export type EventFormat = "aws" | "cloudevent";

export interface RuleOptions {
  /** JSON text without spaces between. */
  readonly pattern: string;
  readonly format: EventFormat;
  readonly enabled: boolean;
}

/** A rule that calls a function. It is declared whole: what a document leaves out is the default. */
export interface RuleTrigger {
  readonly functionName: string;
  readonly busName: string;
  readonly ruleName: string;
  readonly options: RuleOptions;
}

export interface CurrentRule extends Omit<RuleTrigger, "options"> {
  readonly options: {
    readonly pattern: string | undefined;
    /** `other`: a template or a path of somebody's own. */
    readonly format: EventFormat | "other";
    readonly enabled: boolean;
  };
  /** Whether the function lets the rule call it. */
  readonly permitted: boolean;
}

export interface ScheduleOptions {
  /** AWS's form: `rate(…)` or `cron(…)`. */
  readonly expression: string;
  /** IANA name. */
  readonly zone: string;
  /** JSON text the function is called with; undefined: a notification that names the schedule. */
  readonly input: string | undefined;
  readonly enabled: boolean;
}

/** A schedule of the default group that calls a function; declared whole, too. */
export interface ScheduleTrigger {
  readonly functionName: string;
  readonly scheduleName: string;
  readonly options: ScheduleOptions;
}

/** A schedule as it is, with the role in whose name it calls. */
export interface CurrentSchedule extends ScheduleTrigger {
  readonly roleArn: string;
}

export interface EventWiring {
  readonly buses: readonly WantedBus[];
  readonly rules: readonly RuleTrigger[];
  readonly schedules: readonly ScheduleTrigger[];
}

export interface CurrentEventWiring {
  /** By name. */
  readonly buses: ReadonlyMap<string, CurrentBus>;
  /** By `ruleKey`. */
  readonly rules: ReadonlyMap<string, CurrentRule>;
  /** By `scheduleKey`. */
  readonly schedules: ReadonlyMap<string, CurrentSchedule>;
}

/** What an application needs of buses and schedules: joined to `bus/` and `schedules/` where the platform is put together. */
export interface AppEvents {
  /** Undefined when there is no such bus. */
  currentBus(realm: Realm, name: string): CurrentBus | undefined;
  createBus(realm: Realm, bus: WantedBus): Promise<void>;
  updateBus(realm: Realm, bus: WantedBus): Promise<void>;
  /** Undefined when there is no such rule, or it does not call the function. */
  currentRule(realm: Realm, rule: Pick<RuleTrigger, "functionName" | "busName" | "ruleName">): CurrentRule | undefined;
  /** Makes the rule, its target and the function's permission what they shall be. Throws `Conflict` when others get what the rule matches. */
  putRule(realm: Realm, rule: RuleTrigger): Promise<void>;
  /** The rule itself goes when it calls nothing else. */
  removeRule(realm: Realm, rule: Pick<RuleTrigger, "functionName" | "busName" | "ruleName">): Promise<void>;
  /** Undefined when there is no such schedule, or it does not call the function. */
  currentSchedule(realm: Realm, functionName: string, scheduleName: string): Promise<CurrentSchedule | undefined>;
  /** It runs in the name of the function's role. */
  createSchedule(realm: Realm, schedule: ScheduleTrigger): Promise<void>;
  updateSchedule(realm: Realm, schedule: ScheduleTrigger): Promise<void>;
  removeSchedule(realm: Realm, scheduleName: string): Promise<void>;
}

/** By which an application remembers a rule: none of these names has a space, and a queue's trigger has two words. */
export function ruleKey({ functionName, busName, ruleName }: Pick<RuleTrigger, "functionName" | "busName" | "ruleName">): string {
  return `${functionName} rule ${busName} ${ruleName}`;
}

/** By which an application remembers a schedule. */
export function scheduleKey({ functionName, scheduleName }: Pick<ScheduleTrigger, "functionName" | "scheduleName">): string {
  return `${functionName} schedule ${scheduleName}`;
}
