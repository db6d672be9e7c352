import type { InvocationOutcome } from "../../invoker/index.ts";
import type { MessageAttribute } from "../../queues/index.ts";
import { destinationRecord } from "../destination-record.ts";

/** Characters of the error a dead-letter queue is told: 1 KB. */
const ERROR_MESSAGE_LENGTH_MAX = 1_024;

/** An outcome as a message: a record for a destination; for a dead-letter queue the event itself, and why it is there in its attributes. */
export function queueMessage(outcome: InvocationOutcome): {
  readonly body: string;
  readonly attributes: Readonly<Record<string, MessageAttribute>>;
} {
  if (outcome.form === "destination") return { body: destinationRecord(outcome), attributes: {} };
  const { code, message } = errorOf(outcome);
  const attributes = {
    RequestID: { type: "String", value: outcome.requestId },
    ErrorCode: { type: "Number", value: String(code) },
    ErrorMessage: { type: "String", value: message.slice(0, ERROR_MESSAGE_LENGTH_MAX) },
  };
  return { body: outcome.request.toString("utf8"), attributes };
}

/** An answer with an error in it is a 200, as on AWS; what kept the function from being called has the status of its own. */
function errorOf({ condition, response }: InvocationOutcome): { readonly code: number; readonly message: string } {
  switch (condition) {
    case "ZeroReservedConcurrency":
      return { code: 429, message: "The function was not called: its reserved concurrency is 0." };
    case "RecursiveInvocation":
      return { code: 400, message: "The function was not called: it called itself in a circle." };
    default:
      return response ? { code: 200, message: errorMessage(response.payload) } : { code: 429, message: "Rate Exceeded." };
  }
}

function errorMessage(payload: Buffer): string {
  const text = payload.toString("utf8");
  try {
    const { errorMessage: message } = JSON.parse(text) as { errorMessage?: unknown };
    if (typeof message === "string" && message !== "") return message;
  } catch {
    // Not JSON: a custom runtime's own words.
  }
  return text === "" ? "The function failed." : text;
}
