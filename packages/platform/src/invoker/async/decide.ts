/**
 * What becomes of an asynchronous invocation: pure, so that every wait is a test on the manual clock. The figures are AWS's
 * ("Asynchronous invocation", "How Lambda handles errors and retries").
 */
import { unreachable, type Instant } from "../../base/index.ts";
import type { Outcome } from "../../ledger/index.ts";

/** Waits after the first and the second attempt that ended in a function error. @limit */
export const FUNCTION_ERROR_WAITS_MS: readonly number[] = [60_000, 120_000];
/** Wait after the first throttle or system error; doubled by each further one. @limit */
export const SYSTEM_ERROR_WAIT_MS_MIN = 1_000;
/** @limit */
export const SYSTEM_ERROR_WAIT_MS_MAX = 300_000;

export interface RetrySettings {
  /** 0–2. */
  readonly retriesMax: number;
  readonly ageMsMax: number;
  /** What waits between attempts are multiplied with: `LAMBENT_RETRY_TIME_FACTOR`. */
  readonly timeFactor: number;
}

/** What is remembered of an event from attempt to attempt. */
export interface Tried {
  /** Attempts in which the function ran and failed. */
  readonly functionErrors: number;
  /** Throttles and system errors in a row. */
  readonly systemErrors: number;
}

export const NOT_TRIED: Tried = { functionErrors: 0, systemErrors: 0 };

export type AttemptResult = "ok" | "functionError" | "timeout" | "throttled" | "unavailable";

/** Why an event ended, in AWS's words where it has them. */
export type Condition = "Success" | "RetriesExhausted" | "EventAgeExceeded" | "ZeroReservedConcurrency" | "RecursiveInvocation";

export type Step =
  | { readonly kind: "again"; readonly at: Instant; readonly tried: Tried }
  | { readonly kind: "end"; readonly condition: Condition; readonly tried: Tried };

/** Whether an event ends without being tried (again). */
export function beforeAttempt(
  event: { readonly acceptedAt: Instant; readonly hops: number },
  rules: { readonly ageMsMax: number; readonly hopsMax: number; readonly reservedConcurrency: number | undefined },
  now: Instant,
): Condition | undefined {
  if (rules.reservedConcurrency === 0) return "ZeroReservedConcurrency";
  if (event.hops >= rules.hopsMax) return "RecursiveInvocation";
  return now >= event.acceptedAt + rules.ageMsMax ? "EventAgeExceeded" : undefined;
}

/** What follows from how an attempt ended. A throttle or a system error does not count against the retries. */
export function afterAttempt(
  settings: RetrySettings,
  event: { readonly acceptedAt: Instant; readonly tried: Tried },
  result: AttemptResult,
  now: Instant,
): Step {
  switch (result) {
    case "ok":
      return { kind: "end", condition: "Success", tried: event.tried };
    case "functionError":
    case "timeout": {
      const tried = { functionErrors: event.tried.functionErrors + 1, systemErrors: 0 };
      if (tried.functionErrors > settings.retriesMax) return { kind: "end", condition: "RetriesExhausted", tried };
      return againOrTooOld(settings, event.acceptedAt, tried, FUNCTION_ERROR_WAITS_MS[tried.functionErrors - 1] ?? 0, now);
    }
    case "throttled":
    case "unavailable": {
      const tried = { ...event.tried, systemErrors: event.tried.systemErrors + 1 };
      const waitMs = Math.min(SYSTEM_ERROR_WAIT_MS_MAX, SYSTEM_ERROR_WAIT_MS_MIN * 2 ** (tried.systemErrors - 1));
      return againOrTooOld(settings, event.acceptedAt, tried, waitMs, now);
    }
    default:
      return unreachable(result);
  }
}

/** An event that would be too old at its next attempt ends now: nothing could become of it. */
function againOrTooOld(settings: RetrySettings, acceptedAt: Instant, tried: Tried, waitMs: number, now: Instant): Step {
  const at = now + Math.ceil(waitMs * settings.timeFactor);
  if (at >= acceptedAt + settings.ageMsMax) return { kind: "end", condition: "EventAgeExceeded", tried };
  return { kind: "again", at, tried };
}

/** What the ledger says of an event that ended this way; `target` is where its failure goes, undefined where nobody is named. */
export function outcomeOf(condition: Condition, target: string | undefined): Outcome {
  switch (condition) {
    case "Success":
      return { kind: "handled" };
    case "EventAgeExceeded":
      return target === undefined ? { kind: "expired" } : { kind: "deadLettered", target, reason: "expired" };
    case "RetriesExhausted":
      return failed("retriesExhausted", target);
    case "RecursiveInvocation":
      return failed("recursion", target);
    case "ZeroReservedConcurrency":
      return failed("zeroConcurrency", target);
    default:
      return unreachable(condition);
  }
}

function failed(reason: "retriesExhausted" | "recursion" | "zeroConcurrency", target: string | undefined): Outcome {
  return target === undefined ? { kind: "discarded", reason } : { kind: "deadLettered", target, reason };
}
