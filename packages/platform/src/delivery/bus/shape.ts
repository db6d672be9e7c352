import type { InvocationOutcome } from "../../invoker/index.ts";
import type { ParcelOptions } from "../../outbox/index.ts";
import { destinationRecord } from "../destination-record.ts";

/**
 * An outcome as the event a bus gets that is the destination of a function.
 *
 * @see Lambda Developer Guide, "Capturing records of Lambda asynchronous invocations": EventBridge
 */
export function outcomeEvent(outcome: InvocationOutcome, target: string): { readonly payload: Buffer; readonly options: ParcelOptions } {
  const detailType = `Lambda Function Invocation Result - ${outcome.condition === "Success" ? "Success" : "Failure"}`;
  return {
    payload: Buffer.from(destinationRecord(outcome)),
    options: { event: { source: "lambda", detailType, resources: [target, outcome.functionArn] } },
  };
}
