/** Schedules: what is due when, and the delivery or the record that comes of it. */
export { openSchedules, Schedules } from "./schedules.ts";
export type { SchedulesOptions } from "./schedules.ts";
export type { DueRules, KeptSchedule } from "./group.ts";
export type { GroupRecord } from "./group-record.ts";
export type { Creation } from "./editing.ts";
export { SCHEDULE_AGE_MS_MAX, SCHEDULE_RETRIES_MAX } from "./schedule.ts";
export type { Due, Progress, ScheduleAction, ScheduleRecord, ScheduleSettings, ScheduleTarget } from "./schedule.ts";
export { RuleTimers } from "./rule-timers.ts";
export type { RuleTimer } from "./rule-timers.ts";
export { parcelOfAttempt } from "./event.ts";
export { DEFAULT_GROUP, groupArn, parseGroupArn, scheduleArn, SCHEDULES_CELL_KIND } from "./names.ts";
export { parseExpression } from "./expression/expression.ts";
export type { ScheduleExpression } from "./expression/expression.ts";
export { nextAt } from "./expression/next.ts";
export type { Course } from "./expression/next.ts";
export { isZone } from "./expression/zone.ts";
