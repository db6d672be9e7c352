import type { InvocationOutcome } from "../invoker/index.ts";

/**
 * What AWS tells a destination of an asynchronous invocation, as JSON. Event and answer are put in as the bytes they are, so that numbers
 * and the order of members stay as they were.
 *
 * @see Lambda Developer Guide, "Capturing records of Lambda asynchronous invocations"
 */
export function destinationRecord(outcome: InvocationOutcome): string {
  const { requestId, functionArn, condition, invokeCount, response } = outcome;
  const requestContext = JSON.stringify({ requestId, functionArn, condition, approximateInvokeCount: invokeCount });
  const responseContext = response
    ? JSON.stringify({ statusCode: 200, executedVersion: response.version, functionError: response.functionError })
    : "null";
  return (
    `{"version":"1.0","timestamp":${JSON.stringify(new Date(outcome.at).toISOString())},"requestContext":${requestContext}` +
    `,"requestPayload":${asJson(outcome.request)},"responseContext":${responseContext},"responsePayload":${asJson(response?.payload)}}`
  );
}

/** A custom runtime may answer with anything: what is no JSON becomes a text. */
function asJson(bytes: Buffer | undefined): string {
  if (bytes === undefined || bytes.length === 0) return "null";
  const text = bytes.toString("utf8");
  try {
    JSON.parse(text);
    return text;
  } catch {
    return JSON.stringify(text);
  }
}
