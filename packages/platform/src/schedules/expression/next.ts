/** When a schedule is due next: pure, whatever the clock says (P10). */
import type { Instant } from "../../base/index.ts";
import { daysOf } from "./cron-days.ts";
import type { CronFields } from "./cron-fields.ts";
import type { ScheduleExpression } from "./expression.ts";
import { DAY_MS } from "./local-time.ts";
import { firstInstant, localAt } from "./zone.ts";

const MINUTE_MS = 60_000;

export interface Course {
  /** An IANA name. Rates do not depend on it. */
  readonly zone: string;
  /** The first occurrence of a rate; the others follow at its period, whatever clocks do. */
  readonly anchor: Instant;
  /** Occurrences of `rate` and `cron` from here on; those of `at` do not look at it. */
  readonly startAt?: Instant | undefined;
  /** None of `rate` and `cron` behind it. */
  readonly endAt?: Instant | undefined;
}

/**
 * The first occurrence behind `after`; undefined when none comes any more.
 *
 * A local time that clocks are put forward over has no occurrence; one that they show twice has one, the first time.
 */
export function nextAt(expression: ScheduleExpression, course: Course, after: Instant): Instant | undefined {
  switch (expression.kind) {
    case "at": {
      const at = firstInstant(course.zone, expression.localMs);
      return at !== undefined && at > after ? at : undefined;
    }
    case "rate":
      return within(course, nextOfRate(expression.periodMs, course, after));
    case "cron":
      return within(course, nextOfCron(expression.fields, course, Math.max(after, (course.startAt ?? after + 1) - 1)));
  }
}

function within({ endAt }: Course, at: Instant | undefined): Instant | undefined {
  return at !== undefined && (endAt === undefined || at <= endAt) ? at : undefined;
}

function nextOfRate(periodMs: number, { anchor, startAt }: Course, after: Instant): Instant {
  const behind = Math.max(after, (startAt ?? anchor) - 1);
  return anchor + Math.max(0, Math.floor((behind - anchor) / periodMs) + 1) * periodMs;
}

/** Local times in their order: the first times that clocks show them have the same order. */
function nextOfCron(fields: CronFields, course: Course, after: Instant): Instant | undefined {
  for (const localMs of localTimes(fields, localAt(course.zone, after))) {
    const at = firstInstant(course.zone, localMs);
    if (at !== undefined && at > after) return at;
  }
  return undefined;
}

/** The local times the fields mean, from the minute of `fromMs` on. */
function* localTimes({ years, months, days, hours, minutes }: CronFields, fromMs: number): Generator<number> {
  const from = new Date(fromMs);
  const [fromYear, fromMonth] = [from.getUTCFullYear(), from.getUTCMonth() + 1];
  const fromDayMs = Math.floor(fromMs / DAY_MS) * DAY_MS;
  const fromMinuteMs = Math.floor(fromMs / MINUTE_MS) * MINUTE_MS;
  for (const year of years) {
    if (year < fromYear) continue;
    for (const month of months) {
      if (year === fromYear && month < fromMonth) continue;
      for (const day of daysOf(days, year, month)) {
        const dayMs = Date.UTC(year, month - 1, day);
        if (dayMs >= fromDayMs) yield* timesOfDay(dayMs, hours, minutes, fromMinuteMs);
      }
    }
  }
}

function* timesOfDay(dayMs: number, hours: readonly number[], minutes: readonly number[], fromMs: number): Generator<number> {
  for (const hour of hours) {
    const hourMs = dayMs + hour * 60 * MINUTE_MS;
    if (hourMs + 60 * MINUTE_MS <= fromMs) continue;
    for (const minute of minutes) {
      const localMs = hourMs + minute * MINUTE_MS;
      if (localMs >= fromMs) yield localMs;
    }
  }
}
