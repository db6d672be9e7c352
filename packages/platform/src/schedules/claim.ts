/** What is done of a schedule that is due: pure, so that every hour of being down is a test (P10). */
import type { Instant } from "../base/index.ts";
import { nextAt } from "./expression/next.ts";
import { courseOf, type Due, expressionOf, SCHEDULE_AGE_MS_MAX, type ScheduleRecord } from "./schedule.ts";

/** Missed occurrences of one schedule that are recorded in one commit. */
export const MISSED_PER_COMMIT_MAX = 28;
/**
 * Missed occurrences of one schedule that have a record each: of those of the last day all, which are no more than this, and of those before as
 * many. If there were more before, they share one record. @limit
 */
export const MISSED_RECORDED_MAX = 1_440;
const MISSED_RECORDED_MS = 86_400_000;

export interface ClaimStep {
  /** Occurrences that passed while nobody looked, each for the ledger. */
  readonly missed: readonly Instant[];
  /** Too many passed: those from here until before `until`, which is the next one when there is one, share a record. */
  readonly shared: { readonly from: Instant; readonly until: Instant } | undefined;
  /** The occurrence that is done now, and since when it could have been: its age counts from there. */
  readonly fire: { readonly dueAt: Instant; readonly since: Instant } | undefined;
  /** What is due next, maybe already. Undefined: the schedule is complete. */
  readonly next: Due | undefined;
}

/**
 * Of the occurrences that have passed, the last one is done if it is younger than the target's maximum age; the others are missed. What
 * cannot be recorded in one commit is left to the next step.
 */
export function claim(record: ScheduleRecord, due: Due, now: Instant, chance: number): ClaimStep {
  const { settings } = record;
  const expression = expressionOf(settings);
  const course = courseOf(record);
  const behind = (after: Instant): Instant | undefined => nextAt(expression, course, after);
  // One whose window is still open is not missed.
  const isPast = (at: Instant | undefined): at is Instant => at !== undefined && at + settings.windowMs <= now;
  const nextOf = (at: Instant | undefined): Due | undefined =>
    at === undefined ? undefined : { dueAt: at, fireAt: isPast(at) ? at : at + Math.floor(chance * settings.windowMs) };

  const shared = sharedPast(due, now, behind);
  if (shared) return { missed: [], shared, fire: undefined, next: nextOf(behind(shared.until - 1)) };

  const passed = [due.dueAt];
  let at = behind(due.dueAt);
  while (isPast(at) && passed.length < MISSED_PER_COMMIT_MAX) {
    passed.push(at);
    at = behind(at);
  }
  if (isPast(at)) return { missed: passed, shared: undefined, fire: undefined, next: nextOf(at) };
  const last = passed.at(-1) ?? due.dueAt;
  const since = last === due.dueAt ? due.fireAt : last;
  const isYoung = now - since < ageMsMax(record);
  return {
    missed: isYoung ? passed.slice(0, -1) : passed,
    shared: undefined,
    fire: isYoung ? { dueAt: last, since } : undefined,
    next: nextOf(at),
  };
}

export function ageMsMax({ settings: { action } }: ScheduleRecord): number {
  return action.kind === "target" ? action.target.ageMsMax : SCHEDULE_AGE_MS_MAX;
}

/** What is too much to be recorded one by one; undefined where it is not. */
function sharedPast({ dueAt }: Due, now: Instant, behind: (after: Instant) => Instant | undefined): ClaimStep["shared"] {
  const recordedFrom = now - MISSED_RECORDED_MS;
  let at: Instant | undefined = dueAt;
  for (let count = 0; at !== undefined && at < recordedFrom; count += 1) {
    // One that came to its end before has no next: it is no less too much.
    if (count === MISSED_RECORDED_MAX) return { from: dueAt, until: behind(recordedFrom - 1) ?? recordedFrom };
    at = behind(at);
  }
  return undefined;
}
