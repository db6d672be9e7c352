/** What a schedule expression says, and reading one. AWS's dialect: `at(…)`, `rate(…)`, `cron(…)`. */
import { type CronFields, readCronFields } from "./cron-fields.ts";
import { localTime } from "./local-time.ts";

const MINUTE_MS = 60_000;

export type ScheduleExpression =
  /** Once, at a local time: milliseconds as if the zone were UTC. */
  | { readonly kind: "at"; readonly localMs: number }
  | { readonly kind: "rate"; readonly periodMs: number }
  | { readonly kind: "cron"; readonly fields: CronFields };

const AT = /^at\((\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})\)$/;
const RATE = /^rate\(([1-9]\d{0,8}) (minute|hour|day)(s?)\)$/;
const CRON = /^cron\(([^()]{1,250})\)$/;

const UNITS_MS: Readonly<Record<string, number>> = { minute: MINUTE_MS, hour: 60 * MINUTE_MS, day: 1_440 * MINUTE_MS };

/**
 * Reads an expression; undefined when it is none. A period of one has its unit in the singular, any other in the plural; of
 * day-of-month and day-of-week exactly one is `?`.
 *
 * @see EventBridge Scheduler User Guide, "Schedule types"
 */
export function parseExpression(text: string): ScheduleExpression | undefined {
  return readAt(text) ?? readRate(text) ?? readCron(text);
}

function readAt(text: string): ScheduleExpression | undefined {
  const parts = AT.exec(text)?.slice(1).map(Number);
  if (!parts) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts;
  const localMs = localTime({ year, month, day, hour, minute, second });
  return localMs === undefined ? undefined : { kind: "at", localMs };
}

function readRate(text: string): ScheduleExpression | undefined {
  const [, count = "", unit = "", plural] = RATE.exec(text) ?? [];
  const unitMs = UNITS_MS[unit];
  if (unitMs === undefined || (count === "1") !== (plural === "")) return undefined;
  return { kind: "rate", periodMs: Number(count) * unitMs };
}

function readCron(text: string): ScheduleExpression | undefined {
  const [, inside] = CRON.exec(text) ?? [];
  const fields = inside === undefined ? undefined : readCronFields(inside);
  return fields && { kind: "cron", fields };
}
