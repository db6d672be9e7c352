/** The six fields of `cron(minutes hours day-of-month month day-of-week year)`. */
import { type DayRule, readDayRule } from "./cron-days.ts";
import { readValues, type ValueRange } from "./cron-values.ts";

export const YEAR_MIN = 1970;
export const YEAR_MAX = 2199;

/** All lists are in order and without repetition. */
export interface CronFields {
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly months: readonly number[];
  readonly years: readonly number[];
  readonly days: DayRule;
}

const MINUTE: ValueRange = { min: 0, max: 59, names: [], wraps: true };
const HOUR: ValueRange = { min: 0, max: 23, names: [], wraps: true };
const MONTH_NAMES = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const MONTH: ValueRange = { min: 1, max: 12, names: MONTH_NAMES, wraps: true };
const YEAR: ValueRange = { min: YEAR_MIN, max: YEAR_MAX, names: [], wraps: false };

/** Undefined when a field is out of its range or says nothing, or there are not six. */
export function readCronFields(text: string): CronFields | undefined {
  const fields = text.split(/ +/);
  if (fields.length !== 6) return undefined;
  const [minute = "", hour = "", dayOfMonth = "", month = "", dayOfWeek = "", year = ""] = fields;
  const minutes = readValues(minute, MINUTE);
  const hours = readValues(hour, HOUR);
  const days = readDayRule(dayOfMonth, dayOfWeek);
  const months = readValues(month, MONTH);
  const years = readValues(year, YEAR);
  return minutes && hours && days && months && years && { minutes, hours, days, months, years };
}
