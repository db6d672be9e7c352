/** A schedule as it is kept, and what of it is checked whoever made it. */
import { invariant, LambentError, type Instant } from "../base/index.ts";
import { parseExpression, type ScheduleExpression } from "./expression/expression.ts";
import { type Course, nextAt } from "./expression/next.ts";
import { isZone } from "./expression/zone.ts";

/** Attempts behind the first one, where the schedule says nothing. @limit */
export const SCHEDULE_RETRIES_MAX = 185;
/** How long a target is tried, where the schedule says nothing. @limit */
export const SCHEDULE_AGE_MS_MAX = 86_400_000;
/** How far in the past a schedule may begin. @limit */
const START_PAST_MS_MAX = 300_000;
/** An `at` that was past by less than this when it was created is still due: AWS's own precision. @limit */
const AT_PAST_MS_MAX = 60_000;

export interface ScheduleTarget {
  readonly arn: string;
  readonly roleArn: string;
  /** Undefined: the target gets a notification that names the schedule. */
  readonly input: string | undefined;
  readonly retriesMax: number;
  readonly ageMsMax: number;
  /** ARN of a queue. */
  readonly deadLetter: string | undefined;
  /** FIFO queues. */
  readonly messageGroupId: string | undefined;
  /** Buses: the input is the detail of an event. */
  readonly event: { readonly source: string; readonly detailType: string } | undefined;
  /** Streams: what chooses the shard. */
  readonly partitionKey?: string | undefined;
}

/** What is done at an occurrence. */
export type ScheduleAction =
  | { readonly kind: "target"; readonly target: ScheduleTarget }
  /** Whoever keeps the rule of this ARN says what. */
  | { readonly kind: "rule"; readonly arn: string };

export interface ScheduleSettings {
  readonly expression: string;
  /** IANA name. */
  readonly zone: string;
  readonly startAt: Instant | undefined;
  readonly endAt: Instant | undefined;
  /** Occurrences are spread over this long behind their time; 0: they are not. */
  readonly windowMs: number;
  readonly state: "ENABLED" | "DISABLED";
  /** Whether the schedule goes with its last occurrence. */
  readonly afterCompletion: "NONE" | "DELETE";
  readonly description: string | undefined;
  /** Stored and read back; schedules lie in the data folder as they are. */
  readonly kmsKeyArn: string | undefined;
  readonly action: ScheduleAction;
}

export interface ScheduleRecord {
  readonly name: string;
  readonly settings: ScheduleSettings;
  readonly createdAt: Instant;
  readonly modifiedAt: Instant;
  /** The first occurrence of a rate without a start. */
  readonly anchor: Instant;
  /** The token it was created with, and what it was created as: a request that comes again is answered as the first one. */
  readonly created: { readonly token: string; readonly digest: string } | undefined;
}

/** An occurrence that is to come. */
export interface Due {
  /** What the expression says. */
  readonly dueAt: Instant;
  /** When it is done: later than `dueAt` by a part of the window. */
  readonly fireAt: Instant;
}

/** What was and what will be. */
export interface Progress {
  /** The occurrence that was done, or missed, last. */
  readonly last: Instant | undefined;
  readonly next: Due | undefined;
}

/** The expression of settings that were checked. */
export function expressionOf({ expression }: Pick<ScheduleSettings, "expression">): ScheduleExpression {
  const parsed = parseExpression(expression);
  invariant(parsed, `${expression} was checked before it was kept`);
  return parsed;
}

export function courseOf({ settings: { zone, startAt, endAt }, anchor }: Pick<ScheduleRecord, "settings" | "anchor">): Course {
  return { zone, startAt, endAt, anchor: startAt ?? anchor };
}

/** Refuses what is no expression, or none that will ever be due, in a zone that is none, or in the wrong time. `known` are the settings before. */
export function checkSettings(settings: ScheduleSettings, now: Instant, known?: ScheduleSettings): void {
  const { expression, zone, startAt, endAt } = settings;
  if (!isZone(zone)) throw new LambentError("InvalidParameter", `Invalid Schedule Expression Timezone ${zone}.`);
  const parsed = parseExpression(expression);
  if (!parsed || neverComes(parsed, zone, now)) throw new LambentError("InvalidParameter", `Invalid Schedule Expression ${expression}.`);
  if (parsed.kind === "at") return;
  if (startAt !== undefined && startAt < now - START_PAST_MS_MAX && startAt !== known?.startAt)
    throw new LambentError("InvalidParameter", "The StartDate you specify cannot be earlier than 5 minutes ago.");
  if (endAt !== undefined && endAt <= now && endAt !== known?.endAt)
    throw new LambentError("InvalidParameter", "The EndDate you specify cannot be in the past.");
  if (startAt !== undefined && endAt !== undefined && endAt <= startAt)
    throw new LambentError("InvalidParameter", "The EndDate you specify cannot be earlier than the StartDate.");
}

/** An `at` may be past; one at a local time that its zone's clocks never show is a mistake, as is a date that no year has. */
function neverComes(expression: ScheduleExpression, zone: string, now: Instant): boolean {
  return nextAt(expression, { zone, anchor: now }, expression.kind === "at" ? Number.NEGATIVE_INFINITY : now) === undefined;
}

/** Behind when the first occurrence of a schedule that is made or changed now may be. An occurrence that was done does not come again. */
export function firstBehind(expression: ScheduleExpression, now: Instant, last: Instant | undefined): Instant {
  const from = expression.kind === "at" ? now - AT_PAST_MS_MAX : now - 1;
  return Math.max(from, last ?? Number.NEGATIVE_INFINITY);
}

/** The next occurrence behind `after`. `chance` of 0 to 1 places it in its window. */
export function dueBehind(record: ScheduleRecord, after: Instant, chance: number): Due | undefined {
  if (record.settings.state === "DISABLED") return undefined;
  const dueAt = nextAt(expressionOf(record.settings), courseOf(record), after);
  return dueAt === undefined ? undefined : { dueAt, fireAt: dueAt + Math.floor(chance * record.settings.windowMs) };
}
