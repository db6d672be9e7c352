import type { Client } from "./client.ts";
import { findSchedule, listSchedules, type ScheduleShape } from "./schedule-api.ts";
import { isMeant, type WhichFunction } from "./which-function.ts";

/** Schedules that call functions, or the one that is named. */
export async function listScheduleTriggers(client: Client, which: WhichFunction): Promise<ScheduleShape[]> {
  const all: ScheduleShape[] = [];
  for (const { Name, Target } of await listSchedules(client)) {
    const schedule = isMeant(which, Target?.Arn ?? "") ? await findSchedule(client, Name) : undefined;
    if (schedule) all.push(schedule);
  }
  return all;
}

/** `rate(5 minutes)`, `cron(0 3 * * ? *) in Europe/Berlin`. */
export function scheduleText({ ScheduleExpression, ScheduleExpressionTimezone: zone }: ScheduleShape): string {
  return zone === undefined || ScheduleExpression.startsWith("rate(") ? ScheduleExpression : `${ScheduleExpression} in ${zone}`;
}
