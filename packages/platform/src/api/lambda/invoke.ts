import type { InvocationRequest, InvokeWithResponseStreamRequest, InvokeWithResponseStreamResponse } from "@aws-sdk/client-lambda";
import { isLambentError, LambentError } from "../../base/index.ts";
import {
  functionArn,
  type FunctionDirectory,
  type FunctionReference,
  type Functions,
  parseFunctionReference,
} from "../../functions/index.ts";
import {
  answerOf,
  ASYNC_PAYLOAD_BYTES_MAX,
  type AsyncInvoker,
  type EndedCall,
  hopsOf,
  type InvokeOutcome,
  type Invoker,
  RECURSION_HOPS_MAX,
} from "../../invoker/index.ts";
import type { RequestContext } from "../operation.ts";
import { EventStreamAnswer } from "./event-stream-answer.ts";

/** Invoke and InvokeWithResponseStream. @see Lambda API reference */

/** AWS's limit for a synchronous payload, request and answer. @limit */
export const PAYLOAD_BYTES_MAX = 6_291_456;
/** AWS's limit for the client context header. @limit */
export const CLIENT_CONTEXT_CHARACTERS_MAX = 3_583;

interface InvokeOutput {
  readonly StatusCode: number;
  readonly FunctionError?: string | undefined;
  readonly LogResult?: string | undefined;
  readonly Payload?: Buffer;
  readonly ExecutedVersion?: string;
}

export interface InvokeDependencies {
  readonly functions: Pick<FunctionDirectory, "find"> & Pick<Functions, "asynchronous">;
  readonly invoker: Invoker;
  readonly asyncInvoker: Pick<AsyncInvoker, "accept">;
}

/** The operations that run a function. */
export function invocationOperations(dependencies: InvokeDependencies) {
  return {
    Invoke: (input: InvocationRequest, context: RequestContext) => invoke(dependencies, input, context),
    InvokeWithResponseStream: (input: InvokeWithResponseStreamRequest, context: RequestContext) =>
      invokeWithResponseStream(dependencies, input, context),
  };
}

/** Runs a function and waits for its answer; with `InvocationType=Event`, takes the event durably and answers 202. */
async function invoke(dependencies: InvokeDependencies, input: InvocationRequest, context: RequestContext): Promise<InvokeOutput> {
  const reference = parseFunctionReference(input.FunctionName ?? "", context.realm, input.Qualifier);
  if (input.InvocationType === "DryRun") {
    dependencies.functions.find(context.realm, reference.name, reference.qualifier);
    return { StatusCode: 204 };
  }
  if (input.InvocationType === "Event") {
    await dependencies.asyncInvoker.accept({
      realm: context.realm,
      functionName: reference.name,
      qualifier: reference.qualifier,
      payload: payloadOf(input.Payload, ASYNC_PAYLOAD_BYTES_MAX, "Event"),
      id: context.requestId,
      traceHeader: context.traceHeader,
      clientContext: clientContextOf(input.ClientContext),
    });
    return { StatusCode: 202 };
  }
  refuseCircle(dependencies, reference, context);
  const outcome = await dependencies.invoker.invoke({
    realm: context.realm,
    functionName: reference.name,
    qualifier: reference.qualifier,
    payload: payloadOf(input.Payload),
    requestId: context.requestId,
    traceId: context.traceHeader,
    clientContext: clientContextOf(input.ClientContext),
    stream: undefined,
    wantsTail: input.LogType === "Tail",
  });
  const call = endedOrThrow(outcome);
  const answer = answerOf(call.ending, context.requestId, call.version.timeoutMs);
  return {
    StatusCode: 200,
    FunctionError: answer.functionError,
    LogResult: input.LogType === "Tail" ? call.logTail.toString("base64") : undefined,
    Payload: answer.payload,
    ExecutedVersion: call.version.version,
  };
}

/** As `invoke`, with the answer passed on as an event stream of `PayloadChunk`s and one `InvokeComplete`. */
async function invokeWithResponseStream(
  dependencies: InvokeDependencies,
  input: InvokeWithResponseStreamRequest,
  context: RequestContext,
): Promise<InvokeWithResponseStreamResponse> {
  const reference = parseFunctionReference(input.FunctionName ?? "", context.realm, input.Qualifier);
  refuseCircle(dependencies, reference, context);
  const stream = new EventStreamAnswer();
  context.onCallerGone(() => stream.leave());
  const running = dependencies.invoker.invoke({
    realm: context.realm,
    functionName: reference.name,
    qualifier: reference.qualifier,
    payload: payloadOf(input.Payload),
    requestId: context.requestId,
    traceId: context.traceHeader,
    clientContext: clientContextOf(input.ClientContext),
    stream,
    wantsTail: input.LogType === "Tail",
  });
  // Refusals (unknown function, throttles) are answers of their own; once bytes flow or the call ended, the stream is the answer.
  const ended = running.then(endedOrThrow).then((call) => stream.end(call, context.requestId, input.LogType === "Tail"));
  await Promise.race([stream.begun, ended]);
  ended.catch((error: unknown) => stream.fail(told(error, context)));
  return {
    StatusCode: 200,
    ExecutedVersion: reference.qualifier ?? "$LATEST",
    EventStream: stream.events(),
  };
}

/** Told here, where it is met, and not by whoever reads the stream, who may have left: once, and in any case. */
function told(error: unknown, context: RequestContext): LambentError {
  if (isLambentError(error)) return error;
  context.reportDefect(error);
  return new LambentError("InternalError", "a defect in Lambent; its log has the details under the request id");
}

function endedOrThrow(outcome: InvokeOutcome): EndedCall {
  switch (outcome.kind) {
    case "ended":
      return outcome;
    case "throttled":
      throw new LambentError("Throttled", "Rate Exceeded.", { Reason: outcome.reason });
    case "unavailable":
      throw new LambentError("RuntimeUnavailable", outcome.what);
  }
}

/** Functions that call each other in a circle are stopped, unless the one called is set to let them. */
function refuseCircle(
  { functions }: InvokeDependencies,
  { name, qualifier }: FunctionReference,
  { realm, traceHeader }: RequestContext,
): void {
  if (traceHeader === undefined || hopsOf(traceHeader, functionArn(realm, name)) < RECURSION_HOPS_MAX) return;
  if (functions.asynchronous.settings(realm, name, qualifier)?.recursion !== "Terminate") return;
  throw new LambentError("RecursionStopped", `Lambda has detected ${name} being invoked in a recursive loop and stopped it.`);
}

/** An empty payload is an empty event, as on AWS; anything else must be JSON. */
function payloadOf(payload: Uint8Array | undefined, bytesMax: number = PAYLOAD_BYTES_MAX, type = "RequestResponse"): Buffer {
  if (payload === undefined || payload.length === 0) return Buffer.from("{}");
  if (payload.length > bytesMax) {
    throw new LambentError(
      "RequestTooLarge",
      `${payload.length} byte payload is too large for the ${type} invocation type (limit ${bytesMax} bytes)`,
    );
  }
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  try {
    JSON.parse(bytes.toString("utf8"));
  } catch (error) {
    throw new LambentError(
      "MalformedRequest",
      `Could not parse request body into json: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  return bytes;
}

function clientContextOf(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  if (header.length > CLIENT_CONTEXT_CHARACTERS_MAX) {
    throw new LambentError(
      "InvalidParameter",
      `ClientContext has ${header.length} characters; at most ${CLIENT_CONTEXT_CHARACTERS_MAX} are taken`,
    );
  }
  const text = Buffer.from(header, "base64").toString("utf8");
  try {
    JSON.parse(text);
  } catch {
    throw new LambentError("InvalidParameter", "ClientContext is not the base64 of a JSON document");
  }
  return text;
}
