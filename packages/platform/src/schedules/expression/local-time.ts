/** Local times as numbers: milliseconds since 1970 as if the zone were UTC. The calendar is the Gregorian one. */

export const DAY_MS = 86_400_000;

export interface LocalFields {
  readonly year: number;
  /** 1–12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

/** The local time with these fields; undefined when the calendar or the clock has none. */
export function localTime({ year, month, day, hour, minute, second }: LocalFields): number | undefined {
  if (year < 1970 || month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return undefined;
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

export function daysInMonth(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}

/** 1 is Sunday, 7 is Saturday, as AWS counts. */
export function dayOfWeek(year: number, month: number, day: number): number {
  return new Date(Date.UTC(year, month - 1, day)).getUTCDay() + 1;
}
