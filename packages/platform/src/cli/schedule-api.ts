import type { Client } from "./client.ts";
import { orMissing } from "./event-api.ts";

/** EventBridge Scheduler's schedules of the default group as the command line uses them: AWS's operations. */

export interface ScheduleShape {
  readonly Name: string;
  readonly ScheduleExpression: string;
  readonly ScheduleExpressionTimezone?: string;
  readonly State?: "ENABLED" | "DISABLED";
  readonly FlexibleTimeWindow: { readonly Mode: string; readonly MaximumWindowInMinutes?: number };
  readonly Target: { readonly Arn: string; readonly RoleArn: string; readonly Input?: string };
}

interface ScheduleSummary {
  readonly Name: string;
  readonly Target?: { readonly Arn: string };
}

/** Pages one list may have (P7). */
const PAGES_MAX = 1_000;
const GROUP = "default";

/** Members of an answer that no request has. */
const READ_ONLY = ["Arn", "GroupName", "CreationDate", "LastModificationDate"] as const;

function schedulePath(name: string, query = ""): string {
  return `/schedules/${encodeURIComponent(name)}${query}`;
}

export function findSchedule(client: Client, name: string): Promise<ScheduleShape | undefined> {
  return orMissing(client.json({ service: "scheduler", method: "GET", path: schedulePath(name, `?groupName=${GROUP}`) }));
}

/** Names of the schedules, with what they call. */
export async function listSchedules(client: Client): Promise<ScheduleSummary[]> {
  const all: ScheduleSummary[] = [];
  const query = new URLSearchParams({ ScheduleGroup: GROUP });
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const answer = await client.json<{ readonly Schedules?: ScheduleSummary[]; readonly NextToken?: string }>({
      service: "scheduler",
      method: "GET",
      path: `/schedules?${query.toString()}`,
    });
    all.push(...(answer.Schedules ?? []));
    if (answer.NextToken === undefined) break;
    query.set("NextToken", answer.NextToken);
  }
  return all;
}

export async function createSchedule(client: Client, { Name, ...schedule }: ScheduleShape): Promise<void> {
  await client.json({ service: "scheduler", method: "POST", path: schedulePath(Name), body: schedule });
}

/** All of it: what an update leaves out goes back to its default. */
export async function updateSchedule(client: Client, schedule: ScheduleShape): Promise<void> {
  const { Name, ...body } = Object.fromEntries(
    Object.entries(schedule).filter(([member]) => !(READ_ONLY as readonly string[]).includes(member)),
  ) as Partial<ScheduleShape>;
  await client.json({ service: "scheduler", method: "PUT", path: schedulePath(Name ?? ""), body });
}

export async function deleteSchedule(client: Client, name: string): Promise<void> {
  await client.json({ service: "scheduler", method: "DELETE", path: schedulePath(name, `?groupName=${GROUP}`) });
}
