import type { InvocationOutcome } from "../../invoker/index.ts";

/**
 * Where the record of a failed invocation lies in its bucket. Its last part is random on AWS; here it is the invocation's id, so that what is sent
 * again after a crash is the same object.
 *
 * @see Lambda Developer Guide, "Capturing records of Lambda asynchronous invocations"
 */
export function outcomeKey({ functionArn, requestId, at }: Pick<InvocationOutcome, "functionArn" | "requestId" | "at">): string {
  const [, , , , , , functionName = ""] = functionArn.split(":");
  const [date = "", time = ""] = new Date(at).toISOString().split("T");
  return `aws/lambda/async/${functionName}/${date.replaceAll("-", "/")}/${date}T${time.slice(0, 8).replaceAll(":", ".")}-${requestId}`;
}
