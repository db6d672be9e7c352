/** What becomes of a schedule that is made, changed or removed: pure, given what there is. */
import { LambentError, type Instant } from "../base/index.ts";
import type { KeptSchedule } from "./group.ts";
import { checkSettings, dueBehind, expressionOf, firstBehind, type ScheduleRecord, type ScheduleSettings } from "./schedule.ts";

/** When it is edited, and the chance of 0 to 1 that places the next occurrence in its window. */
export interface EditTime {
  readonly now: Instant;
  readonly chance: number;
}

/** What a request by its token wants to make: it comes again when its answer was lost. */
export interface Creation {
  readonly name: string;
  readonly settings: ScheduleSettings;
  readonly token: string;
  /** Of everything that was asked for. */
  readonly digest: string;
}

/** A schedule of that name; refuses when there is one that this request did not make. */
export function created(
  known: KeptSchedule | undefined,
  { name, settings, token, digest }: Creation,
  { now, chance }: EditTime,
): KeptSchedule {
  if (known?.record.created?.token === token && known.record.created.digest === digest) return known;
  if (known) throw new LambentError("AlreadyExists", `Schedule ${name} already exists.`);
  checkSettings(settings, now);
  const record: ScheduleRecord = { name, settings, createdAt: now, modifiedAt: now, anchor: now, created: { token, digest } };
  return scheduled(record, undefined, { now, chance });
}

/**
 * The schedule with other settings. A rate goes on as it was, unless its expression or start is another one: then it begins anew. An occurrence
 * that passed and was not claimed yet, or still has time in its window, is not lost over a change that leaves its times as they were (P2).
 */
export function updated(
  known: KeptSchedule | undefined,
  name: string,
  settings: ScheduleSettings,
  { now, chance }: EditTime,
): KeptSchedule {
  if (!known) throw scheduleGone(name);
  const before = known.record.settings;
  checkSettings(settings, now, before);
  const isSameCourse = settings.expression === before.expression && settings.startAt === before.startAt;
  const anchor = isSameCourse ? known.record.anchor : now;
  const isSameTimes = isSameCourse && settings.zone === before.zone;
  const open = isSameTimes ? known.progress.next?.dueAt : undefined;
  return scheduled({ ...known.record, settings, modifiedAt: now, anchor }, known.progress.last, { now, chance }, open);
}

/** The timer of a rule: its first occurrence is a period from now, and it keeps its course while its expression stays. */
export function asRule(known: KeptSchedule | undefined, name: string, settings: ScheduleSettings, { now, chance }: EditTime): KeptSchedule {
  const before = known?.record.settings;
  if (known && before?.expression === settings.expression && before.state === settings.state) return known;
  checkSettings(settings, now);
  const expression = expressionOf(settings);
  const periodMs = expression.kind === "rate" ? expression.periodMs : 0;
  const anchor = known && before?.expression === settings.expression ? known.record.anchor : now + periodMs;
  const record: ScheduleRecord = { name, settings, createdAt: known?.record.createdAt ?? now, modifiedAt: now, anchor, created: undefined };
  return scheduled(record, known?.progress.last, { now, chance });
}

export function scheduleGone(name: string): LambentError {
  return new LambentError("NotFound", `Schedule ${name} does not exist.`);
}

/** `open` is the occurrence that was to come and may have passed. */
function scheduled(record: ScheduleRecord, last: Instant | undefined, { now, chance }: EditTime, open?: Instant): KeptSchedule {
  const behind = Math.min(firstBehind(expressionOf(record.settings), now, last), (open ?? Number.POSITIVE_INFINITY) - 1);
  return { record, progress: { last, next: dueBehind(record, behind, chance) } };
}
