import { type Clock, type Random, randomBelow, type SecureRandom, timeOrderedId } from "../../src/base/index.ts";
import { busArn, type Buses, DEFAULT_BUS, type PublishedEvent, ruleArn, type RuleTarget } from "../../src/bus/index.ts";
import { scheduleArn, type ScheduleSettings, type ScheduleTarget } from "../../src/schedules/index.ts";
import { arnOfFunction, arnOfQueue, AUDIT_BUS, REALM, type Task } from "./application.ts";

/** Messages that come from rules are one group of the FIFO queue. */
const EVENT_GROUP = "amber";
const DETAIL = { kind: "path", path: "$.detail" } as const;
const UNDELIVERED = arnOfQueue("undelivered");

/** Where an event may ask to go: each of these is a rule of the default bus, whose only target this is. */
const TARGETS = {
  orders: { arn: arnOfFunction("orders"), input: DETAIL },
  jobs: { arn: arnOfQueue("jobs"), input: DETAIL },
  steps: { arn: arnOfQueue("steps.fifo"), input: DETAIL, messageGroupId: EVENT_GROUP },
  audit: { arn: busArn(REALM, AUDIT_BUS) },
  /** There is no such queue; somebody is named to get what it does not. */
  gone: { arn: arnOfQueue("gone"), deadLetter: UNDELIVERED },
  /** Nobody is. */
  lost: { arn: arnOfQueue("gone") },
  /** It never gets ready, so that every attempt is in vain. */
  asleep: { arn: arnOfFunction("asleep"), retriesMax: 1, deadLetter: UNDELIVERED },
} as const satisfies Readonly<Record<string, Omit<RuleTarget, "id">>>;
export type Route = keyof typeof TARGETS;

export const ROUTES = Object.keys(TARGETS) as readonly Route[];
export const ruleOf = (route: Route): string => ruleArn(REALM, DEFAULT_BUS, `to-${route}`);
/** The one rule of the second bus, which all it gets leads to a queue by. */
export const HEARD_RULE = ruleArn(REALM, AUDIT_BUS, "all");
/** Routes of most events; the others are seldom asked for. */
const USUAL: readonly Route[] = ["orders", "jobs", "steps", "audit"];

export async function makeBuses(buses: Buses): Promise<void> {
  await buses.create(REALM, { name: AUDIT_BUS, description: undefined, tags: {} });
  for (const route of ROUTES)
    await makeRule(buses, DEFAULT_BUS, `to-${route}`, { detail: { to: [route] } }, { id: route, ...TARGETS[route] });
  await makeRule(buses, AUDIT_BUS, "all", { account: [REALM.account] }, { id: "heard", arn: arnOfQueue("heard") });
}

async function makeRule(buses: Buses, bus: string, name: string, pattern: unknown, target: RuleTarget): Promise<void> {
  const said = { schedule: undefined, enabled: true, description: undefined, roleArn: undefined, tags: undefined };
  await buses.rules.put(REALM, { bus, name, pattern: JSON.stringify(pattern), ...said });
  await buses.rules.putTargets(REALM, bus, name, [target]);
}

/** Where an event asks to go: mostly to one or two, now and then to nobody. */
export function someRoutes(random: Random): readonly Route[] {
  const count = randomBelow(random, 4);
  const choices = random.next() < 0.6 ? USUAL : ROUTES;
  return [...new Set(Array.from({ length: count }, () => choices[randomBelow(random, choices.length)] as Route))];
}

/** What the task of an event says, with where it asks to go. */
export interface EventTask extends Task {
  readonly to: readonly Route[];
}

export function asEventTask(task: Task, to: readonly Route[]): EventTask {
  return { ...task, group: EVENT_GROUP, to };
}

/** As PutEvents makes one, for a caller whose requests carry no trace. */
export function newEvent(task: EventTask, clock: Clock, secureRandom: SecureRandom): PublishedEvent {
  const now = clock.now();
  return {
    event: {
      ...{
        id: timeOrderedId(clock, secureRandom),
        source: "simulation",
        type: "task",
        time: now,
        ingestedAt: now,
        ...REALM,
        resources: [],
      },
      ...{ dataContentType: "application/json", extensions: {}, data: { kind: "json", bytes: Buffer.from(JSON.stringify(task)) } },
    },
    ...{ traceHeader: undefined, cause: undefined, correlation: undefined, origin: undefined },
  };
}

export const BEAT = scheduleArn(REALM, "default", "beat");
export const BEAT_MS = 60_000;

/** Every minute until `endAt`, to a queue. */
export function beat(endAt: number): ScheduleSettings {
  const target = { arn: arnOfQueue("beats"), input: '{"due":"<aws.scheduler.scheduled-time>"}', event: undefined };
  return settingsOf("rate(1 minute)", endAt, target);
}

/** Once, at a whole second, to the default bus, whose rules lead on from there. */
export function once(at: number, task: EventTask): ScheduleSettings {
  const target = { arn: busArn(REALM, DEFAULT_BUS), input: JSON.stringify(task), event: { source: "simulation", detailType: "task" } };
  return settingsOf(`at(${new Date(at).toISOString().slice(0, 19)})`, undefined, target);
}

function settingsOf(
  expression: string,
  endAt: number | undefined,
  target: Pick<ScheduleTarget, "arn" | "input" | "event">,
): ScheduleSettings {
  const roleArn = "arn:aws:iam::000000000000:role/scheduler";
  const policy = { roleArn, retriesMax: 185, ageMsMax: 86_400_000, deadLetter: undefined, messageGroupId: undefined };
  return {
    ...{ expression, zone: "UTC", startAt: undefined, endAt, windowMs: 0, state: "ENABLED", afterCompletion: "NONE" },
    ...{ description: undefined, kmsKeyArn: undefined, action: { kind: "target", target: { ...policy, ...target } } },
  };
}
