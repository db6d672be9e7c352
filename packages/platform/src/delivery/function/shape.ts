import type { InvocationOutcome } from "../../invoker/index.ts";
import { destinationRecord } from "../shape.ts";

/** An outcome as the event of the function that is its destination; a dead letter is the event itself. */
export function functionEvent(outcome: InvocationOutcome): Buffer {
  return outcome.form === "destination" ? Buffer.from(destinationRecord(outcome)) : outcome.request;
}
