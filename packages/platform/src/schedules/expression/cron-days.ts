/** Which days of a month a cron expression means: by their numbers, or by days of the week. */
import { readValue, readValues, type ValueRange } from "./cron-values.ts";
import { dayOfWeek, daysInMonth } from "./local-time.ts";

export type DayRule =
  | { readonly kind: "dates"; readonly dates: readonly number[] }
  /** `L`. */
  | { readonly kind: "lastDate" }
  /** `15W`: the day from Monday to Friday that is nearest to the 15th, in the same month. */
  | { readonly kind: "nearWeekday"; readonly date: number }
  /** `LW`. */
  | { readonly kind: "lastWeekday" }
  | { readonly kind: "weekdays"; readonly weekdays: readonly number[] }
  /** `5L`: the last Thursday. */
  | { readonly kind: "lastOf"; readonly weekday: number }
  /** `3#2`: the second Tuesday. */
  | { readonly kind: "nthOf"; readonly weekday: number; readonly nth: number };

const DATE: ValueRange = { min: 1, max: 31, names: [], wraps: true };
const WEEKDAY: ValueRange = { min: 1, max: 7, names: ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"], wraps: true };
const SUNDAY = 1;
const SATURDAY = 7;

/** Exactly one of the two fields says something, the other one is `?`. */
export function readDayRule(dayOfMonth: string, weekday: string): DayRule | undefined {
  if ((dayOfMonth === "?") === (weekday === "?")) return undefined;
  return weekday === "?" ? readDates(dayOfMonth) : readWeekdays(weekday);
}

function readDates(text: string): DayRule | undefined {
  if (text === "L") return { kind: "lastDate" };
  if (text === "LW") return { kind: "lastWeekday" };
  if (text.endsWith("W")) {
    const date = readValue(text.slice(0, -1), DATE);
    return date === undefined ? undefined : { kind: "nearWeekday", date };
  }
  const dates = readValues(text, DATE);
  return dates && { kind: "dates", dates };
}

function readWeekdays(text: string): DayRule | undefined {
  // The week ends on Saturday.
  if (text === "L") return { kind: "weekdays", weekdays: [SATURDAY] };
  if (text.endsWith("L")) {
    const weekday = readValue(text.slice(0, -1), WEEKDAY);
    return weekday === undefined ? undefined : { kind: "lastOf", weekday };
  }
  const [day = "", nthText] = text.split("#", 2);
  if (nthText !== undefined) {
    const weekday = readValue(day, WEEKDAY);
    const nth = /^[1-5]$/.test(text.slice(day.length + 1)) ? Number(nthText) : undefined;
    return weekday === undefined || nth === undefined ? undefined : { kind: "nthOf", weekday, nth };
  }
  const weekdays = readValues(text, WEEKDAY);
  return weekdays && { kind: "weekdays", weekdays };
}

/** The days of one month that the rule means, in order. */
export function daysOf(rule: DayRule, year: number, month: number): readonly number[] {
  const last = daysInMonth(year, month);
  switch (rule.kind) {
    case "dates":
      return rule.dates.filter((date) => date <= last);
    case "lastDate":
      return [last];
    case "nearWeekday":
      return rule.date <= last ? [nearestWeekday(year, month, rule.date, last)] : [];
    case "lastWeekday":
      return [nearestWeekday(year, month, last, last)];
    case "weekdays":
      return datesOf(rule.weekdays, year, month, last);
    case "lastOf":
      return datesOf([rule.weekday], year, month, last).slice(-1);
    case "nthOf":
      return datesOf([rule.weekday], year, month, last).slice(rule.nth - 1, rule.nth);
  }
}

function datesOf(weekdays: readonly number[], year: number, month: number, last: number): number[] {
  const first = dayOfWeek(year, month, 1);
  return Array.from({ length: last }, (_, index) => index + 1).filter((date) => weekdays.includes(((first + date - 2) % 7) + 1));
}

/** Saturdays go to the Friday before and Sundays to the Monday after, unless that is another month. */
function nearestWeekday(year: number, month: number, date: number, last: number): number {
  const weekday = dayOfWeek(year, month, date);
  if (weekday === SATURDAY) return date === 1 ? date + 2 : date - 1;
  if (weekday === SUNDAY) return date === last ? date - 2 : date + 1;
  return date;
}
