/** Settings of schedules from the wire and back. */
import type { CreateScheduleInput, GetScheduleOutput, UpdateScheduleInput } from "@aws-sdk/client-scheduler";
import { invariant, LambentError } from "../../base/index.ts";
import type { Realm } from "../../model/index.ts";
import { DEFAULT_GROUP, type ScheduleRecord, scheduleArn, type ScheduleSettings, type ScheduleTarget } from "../../schedules/index.ts";
import { given } from "../given.ts";
import { type HasOperation, targetOf, targetShape } from "./targets.ts";

const MINUTE_MS = 60_000;

/** What is not given has its default, also where a schedule is changed: as on AWS, an update is the whole schedule. */
export async function settingsOf(input: CreateScheduleInput | UpdateScheduleInput, hasOperation: HasOperation): Promise<ScheduleSettings> {
  return {
    expression: given(input.ScheduleExpression, "scheduleExpression"),
    zone: input.ScheduleExpressionTimezone ?? "UTC",
    startAt: input.StartDate?.getTime(),
    endAt: input.EndDate?.getTime(),
    windowMs: windowOf(given(input.FlexibleTimeWindow, "flexibleTimeWindow")),
    state: input.State ?? "ENABLED",
    afterCompletion: input.ActionAfterCompletion ?? "NONE",
    description: input.Description,
    kmsKeyArn: input.KmsKeyArn,
    action: { kind: "target", target: await targetOf(given(input.Target, "target"), hasOperation) },
  };
}

function windowOf({ Mode, MaximumWindowInMinutes }: NonNullable<CreateScheduleInput["FlexibleTimeWindow"]>): number {
  if (Mode === "OFF") {
    if (MaximumWindowInMinutes === undefined) return 0;
    throw new LambentError("InvalidParameter", "MaximumWindowInMinutes must not be given when the mode of FlexibleTimeWindow is OFF.");
  }
  if (MaximumWindowInMinutes === undefined)
    throw new LambentError("InvalidParameter", "MaximumWindowInMinutes must be given when the mode of FlexibleTimeWindow is FLEXIBLE.");
  return MaximumWindowInMinutes * MINUTE_MS;
}

/** A schedule of a user's: those of rules are not shown. */
export function userTarget({ settings: { action }, name }: ScheduleRecord): ScheduleTarget {
  invariant(action.kind === "target", `${name} is no rule`);
  return action.target;
}

/** The schedule as GetSchedule shows it. */
export function scheduleShape(realm: Realm, group: string, record: ScheduleRecord): GetScheduleOutput {
  const { name, createdAt, modifiedAt, settings } = record;
  const { startAt, endAt, windowMs, description, kmsKeyArn } = settings;
  return {
    Arn: scheduleArn(realm, group, name),
    GroupName: group,
    Name: name,
    ScheduleExpression: settings.expression,
    ScheduleExpressionTimezone: settings.zone,
    ...(startAt === undefined ? {} : { StartDate: new Date(startAt) }),
    ...(endAt === undefined ? {} : { EndDate: new Date(endAt) }),
    ...(description === undefined ? {} : { Description: description }),
    ...(kmsKeyArn === undefined ? {} : { KmsKeyArn: kmsKeyArn }),
    State: settings.state,
    CreationDate: new Date(createdAt),
    LastModificationDate: new Date(modifiedAt),
    Target: targetShape(userTarget(record)),
    FlexibleTimeWindow: windowMs === 0 ? { Mode: "OFF" } : { Mode: "FLEXIBLE", MaximumWindowInMinutes: windowMs / MINUTE_MS },
    ActionAfterCompletion: settings.afterCompletion,
  };
}

export function groupOf({ GroupName }: { readonly GroupName?: string | undefined }): string {
  return GroupName ?? DEFAULT_GROUP;
}
