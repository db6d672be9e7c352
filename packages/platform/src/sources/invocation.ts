/** What became of one invocation with a batch, as a mapping sees it. */
import { isLambentError, LambentError, unreachable } from "../base/index.ts";
import type { InvokeOutcome } from "../invoker/index.ts";
import type { Attempt } from "../ledger/index.ts";

export type Verdict<A> =
  /** The function ran to its end, and this is what it says of the batch. */
  | { readonly kind: "answered"; readonly answer: A; readonly version: string; readonly durationMs: number }
  /** It ran and failed as a whole. */
  | {
      readonly kind: "failed";
      readonly result: Extract<Attempt["result"], "functionError" | "timeout" | "unavailable">;
      readonly error: string;
      readonly version: string;
      readonly durationMs: number;
    }
  /** It did not run. */
  | { readonly kind: "refused"; readonly result: Extract<Attempt["result"], "throttled" | "unavailable">; readonly error: string };

/** What a function says of a batch is not of the form it has to have: the batch failed. */
export interface Unreadable {
  readonly kind: "unreadable";
  readonly why: string;
}

/** Bytes of a function's error that are read for the record. */
const ERROR_BYTES_MAX = 64 * 1024;

/** Reads an outcome; `read` says what the function's answer means for the batch. */
export function verdictOf<A extends object>(outcome: InvokeOutcome, read: (payload: Buffer) => A | Unreadable): Verdict<A> {
  if (outcome.kind === "throttled") return { kind: "refused", result: "throttled", error: outcome.reason };
  if (outcome.kind === "unavailable") return { kind: "refused", result: "unavailable", error: outcome.what };
  const { ending, durationMs } = outcome;
  const { version } = outcome.version;
  const failed = (result: "functionError" | "timeout" | "unavailable", error: string): Verdict<A> => ({
    kind: "failed",
    result,
    error,
    version,
    durationMs,
  });
  switch (ending.kind) {
    case "handled": {
      const answer = read(ending.payload);
      return isUnreadable(answer) ? failed("functionError", answer.why) : { kind: "answered", answer, version, durationMs };
    }
    case "functionError":
      return failed("functionError", errorText(ending.payload));
    case "timedOut":
      return failed("timeout", `Task timed out after ${(outcome.version.timeoutMs / 1_000).toFixed(2)} seconds`);
    case "instanceLost":
      return failed("unavailable", `The instance ended under the call: ${ending.departure.kind}`);
    default:
      return unreachable(ending);
  }
}

/** A call that was refused with an error: the function is gone, or not ready, or the server is busy or stopping. */
export function refusedBy(error: unknown): Extract<Verdict<never>, { readonly kind: "refused" }> {
  if (!(error instanceof LambentError)) throw error;
  return { kind: "refused", result: isLambentError(error, "Throttled", "StorageBusy") ? "throttled" : "unavailable", error: error.message };
}

function isUnreadable(answer: object): answer is Unreadable {
  return "kind" in answer && answer.kind === "unreadable";
}

/** `Error: no more paper`, of `{"errorType","errorMessage"}`. */
function errorText(payload: Buffer): string {
  try {
    const { errorType, errorMessage } = JSON.parse(payload.subarray(0, ERROR_BYTES_MAX).toString("utf8")) as {
      readonly errorType?: unknown;
      readonly errorMessage?: unknown;
    };
    return [errorType, errorMessage].filter((each) => typeof each === "string").join(": ");
  } catch {
    return "the function failed";
  }
}
