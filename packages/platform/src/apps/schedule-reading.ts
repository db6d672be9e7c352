/** When a schedule is due, as people write it: `5 minutes`, a crontab's five fields, or AWS's own forms. */
import { isZone, nextAt, parseExpression, type ScheduleExpression } from "../schedules/index.ts";

export type ScheduleReading =
  | { readonly kind: "read"; readonly expression: string }
  /** What is wrong with it, and what to write instead: a sentence each. */
  | { readonly kind: "refused"; readonly why: string; readonly next: string };

const UNITS: Readonly<Record<string, "second" | "minute" | "hour" | "day">> = {
  ...{ s: "second", sec: "second", second: "second", m: "minute", min: "minute", minute: "minute" },
  ...{ h: "hour", hour: "hour", d: "day", day: "day" },
};
const EVERY = /^(\d{1,9})?\s*([a-z]{1,7})$/u;

/** `1 minute`, `5m`, `2 hours`, `day`, `rate(…)`. */
export function readEvery(text: string): ScheduleReading {
  const inside = /^rate\((.*)\)$/u.exec(text.trim())?.[1] ?? text.trim();
  const [, count = "1", word = ""] = EVERY.exec(inside.toLowerCase()) ?? [];
  const unit = unitOf(word) ?? (word.length > 3 && word.endsWith("s") ? unitOf(word.slice(0, -1)) : undefined);
  const number = Number(count);
  if (unit === undefined || number === 0)
    return refused(
      `${JSON.stringify(text)} is no period: a number from 1 and minutes, hours or days.`,
      "For example '5 minutes', '1 hour' or 2d.",
    );
  if (unit !== "second") return { kind: "read", expression: rate(number, unit) };
  if (number % 60 === 0) return { kind: "read", expression: rate(number / 60, "minute") };
  return refused(
    `${JSON.stringify(text)} is not a number of whole minutes, and a minute is the smallest unit of a schedule.`,
    "Say '1 minute'; for less, put messages with a delay on a queue: each calls the function when its delay ends.",
  );
}

/** AWS's six fields, with or without `cron(…)`, or the five of a crontab. */
export function readCron(text: string): ScheduleReading {
  const inside = /^cron\((.*)\)$/u.exec(text.trim())?.[1] ?? text.trim();
  const fields = inside.split(/\s+/u);
  if (fields.length === 5) return fromCrontab(text, fields);
  const expression = `cron(${fields.join(" ")})`;
  const parsed = parseExpression(expression);
  if (parsed) return comes(parsed) ? { kind: "read", expression } : neverComes(text);
  return refused(
    `${JSON.stringify(text)} is no cron expression: minute, hour, day, month, weekday and year, of day and weekday one has to be ?.`,
    "For example '0 3 * * ? *' is 3:00 every day; the five fields of a crontab are read, too.",
  );
}

/** What is wrong with the name of a time zone; undefined when nothing is. */
export function zoneFault(zone: string): string | undefined {
  return isZone(zone) ? undefined : `${JSON.stringify(zone)} is no time zone: they are named like Europe/Berlin.`;
}

function unitOf(word: string): (typeof UNITS)[string] | undefined {
  return Object.hasOwn(UNITS, word) ? UNITS[word] : undefined;
}

function rate(count: number, unit: string): string {
  return `rate(${count} ${unit}${count === 1 ? "" : "s"})`;
}

const DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"] as const;

/** Where a crontab counts weekdays from 0, AWS counts from 1: they become names. Day and weekday both given mean "or" there, which AWS cannot say. */
function fromCrontab(text: string, [minute = "", hour = "", day = "", month = "", weekday = ""]: readonly string[]): ScheduleReading {
  if (day !== "*" && weekday !== "*")
    return refused(
      `${JSON.stringify(text)} names a day of the month and a weekday, which a crontab takes as one or the other, and a schedule has only one.`,
      "Make two schedules, one for each.",
    );
  const weekdays = weekday === "*" ? "?" : weekdaysOf(weekday);
  const expression = weekdays === undefined ? "" : `cron(${minute} ${hour} ${weekday === "*" ? day : "?"} ${month} ${weekdays} *)`;
  const parsed = weekdays === undefined ? undefined : parseExpression(expression);
  if (parsed) return comes(parsed) ? { kind: "read", expression } : neverComes(text);
  return refused(
    `${JSON.stringify(text)} is no line of a crontab: minute, hour, day, month and weekday.`,
    "For example '0 3 * * 1-5' is 3:00 from Monday to Friday.",
  );
}

/** `1-5` is `MON-FRI`; what is more than one range is a list. */
function weekdaysOf(field: string): string | undefined {
  const days = new Set<number>();
  for (const part of field.split(",")) {
    const [, from = "", to, step] = /^(\*|[0-7]|[A-Za-z]{3})(?:-([0-7]|[A-Za-z]{3}))?(?:\/([1-7]))?$/u.exec(part) ?? [];
    const first = from === "*" ? 0 : dayOf(from);
    const last = from === "*" ? 6 : to === undefined ? (step === undefined ? first : 6) : dayOf(to);
    if (first === undefined || last === undefined || last < first) return undefined;
    for (let at = first; at <= last; at += Number(step ?? 1)) days.add(at % 7);
  }
  const sorted = [...days].sort((left, right) => left - right);
  const [first = 0, last = 0] = [sorted[0], sorted.at(-1)];
  if (sorted.length > 2 && last - first === sorted.length - 1) return `${DAYS[first]}-${DAYS[last]}`;
  return sorted.map((each) => DAYS[each]).join(",");
}

function dayOf(word: string): number | undefined {
  if (/^[0-7]$/u.test(word)) return Number(word);
  const found = DAYS.indexOf(word.toUpperCase() as (typeof DAYS)[number]);
  return found < 0 ? undefined : found;
}

/** Whether any year has such a day; whether all of them are past is known where the schedule is made. */
function comes(expression: ScheduleExpression): boolean {
  return nextAt(expression, { zone: "UTC", anchor: 0 }, 0) !== undefined;
}

function neverComes(text: string): ScheduleReading {
  return refused(
    `${JSON.stringify(text)} never comes: no year has such a day.`,
    "Choose a day that there is; L is the last one of a month.",
  );
}

const refused = (why: string, next: string): ScheduleReading => ({ kind: "refused", why, next });
