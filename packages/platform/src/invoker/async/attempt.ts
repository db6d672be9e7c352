import { isLambentError, type Clock } from "../../base/index.ts";
import { functionArn } from "../../functions/index.ts";
import type { Attempt } from "../../ledger/index.ts";
import type { Realm, UsageRecord } from "../../model/index.ts";
import type { EndedCall, InvokeOutcome, Invoker } from "../invoker.ts";
import { answerOf } from "../record.ts";
import { withEvent, withHop } from "../trace-header.ts";
import type { AsyncEvent } from "./event.ts";

/** Nobody waits for an answer, so a call waits longer for an instance than a synchronous one: instances come free one after the other. */
const ADMISSION_WAIT_MS = 60_000;

/** What asynchronous events need of the invoker. */
export type CallPart = Pick<Invoker, "invoke" | "free" | "onceFree">;

/** How one attempt went. */
export type Attempted =
  | {
      readonly kind: "tried";
      readonly attempt: Attempt;
      /** Undefined when the function never ran. */
      readonly response: { readonly version: string; readonly functionError: string | undefined; readonly payload: Buffer } | undefined;
      readonly usage: UsageRecord | undefined;
      /** What a destination's own call is a part of. */
      readonly traceHeader: string;
    }
  /** The function, or the version or alias it was to be called by, is no more. */
  | { readonly kind: "gone" };

/** Calls the function with the event, once. */
export async function attemptEvent(
  calls: CallPart,
  of: { readonly realm: Realm; readonly name: string; readonly onTrouble: (error: unknown) => void },
  event: AsyncEvent,
  clock: Clock,
): Promise<Attempted> {
  const at = clock.now();
  const traceHeader = withEvent(event.traceHeader, event.id, event.correlation);
  const notRun = (result: "throttled" | "unavailable", error: string): Attempted => {
    const attempt: Attempt = { at, durationMs: 0, requestId: event.id, version: undefined, result, error };
    return { kind: "tried", attempt, response: undefined, usage: undefined, traceHeader };
  };
  try {
    const outcome = await calls.invoke({
      realm: of.realm,
      functionName: of.name,
      qualifier: event.qualifier,
      payload: event.payload,
      requestId: event.id,
      traceId: traceHeader,
      clientContext: event.clientContext,
      stream: undefined,
      wantsTail: false,
      admissionWaitMs: ADMISSION_WAIT_MS,
      usage: "returned",
    });
    return triedWith(outcome, event, { at, traceHeader: withHop(traceHeader, functionArn(of.realm, of.name)), notRun });
  } catch (error) {
    if (isLambentError(error, "NotFound")) return { kind: "gone" };
    if (!isLambentError(error)) of.onTrouble(error);
    return notRun("unavailable", error instanceof Error ? error.message : String(error));
  }
}

function triedWith(
  outcome: InvokeOutcome,
  event: AsyncEvent,
  known: {
    readonly at: number;
    readonly traceHeader: string;
    readonly notRun: (result: "throttled" | "unavailable", error: string) => Attempted;
  },
): Attempted {
  switch (outcome.kind) {
    case "throttled":
      return known.notRun("throttled", outcome.reason);
    case "unavailable":
      return known.notRun("unavailable", outcome.what);
    case "ended":
      return ran(outcome, event, known);
  }
}

function ran(call: EndedCall, event: AsyncEvent, { at, traceHeader }: { readonly at: number; readonly traceHeader: string }): Attempted {
  const { payload, functionError } = answerOf(call.ending, event.id, call.version.timeoutMs);
  const result = call.ending.kind === "handled" ? "ok" : call.ending.kind === "timedOut" ? "timeout" : "functionError";
  const { version } = call.version;
  const error = result === "ok" ? undefined : errorText(payload);
  const attempt: Attempt = { at, durationMs: call.durationMs, requestId: event.id, version, result, error };
  return { kind: "tried", attempt, response: { version, functionError, payload }, usage: call.usage, traceHeader };
}

/** `<type>: <message>` of what the runtime said of an error. */
function errorText(payload: Buffer): string {
  try {
    const { errorType, errorMessage } = JSON.parse(payload.toString("utf8")) as { errorType?: unknown; errorMessage?: unknown };
    return [errorType, errorMessage].filter((part) => typeof part === "string" && part !== "").join(": ");
  } catch {
    return payload.toString("utf8", 0, 256);
  }
}
