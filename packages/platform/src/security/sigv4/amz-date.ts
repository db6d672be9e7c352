import type { Instant } from "../../base/index.ts";

/** `20150830T123600Z` for an instant. */
export function amzDateOf(now: Instant): string {
  return `${new Date(now).toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}Z`;
}

/** The instant of `20150830T123600Z`, or undefined when `text` is not of that form or names no real time. */
export function parseAmzDate(text: string): Instant | undefined {
  const parts = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/.exec(text);
  if (!parts) return undefined;
  const [year, month, day, hour, minute, second] = parts.slice(1).map(Number) as [number, number, number, number, number, number];
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const instant = Date.UTC(year, month - 1, day, hour, minute, second);
  // Date.UTC carries over: 31 February is 3 March, and the year 99 is 1999.
  const date = new Date(instant);
  const isReal = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return isReal ? instant : undefined;
}
