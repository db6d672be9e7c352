import { parseFunctionReference } from "../../functions/index.ts";
import type { AsyncInvoker, InvocationOutcome } from "../../invoker/index.ts";
import type { Realm } from "../../model/index.ts";
import type { Parcel } from "../../outbox/index.ts";
import { destinationRecord } from "../destination-record.ts";
import type { Authorize, TargetKind } from "../handing.ts";

export interface FunctionTargetParts {
  readonly authorize: Authorize;
  readonly functionPolicy: (realm: Realm, name: string, qualifier: string | undefined) => string | undefined;
  /** Throws `NotFound`. */
  readonly requireFunction: (realm: Realm, name: string, qualifier: string | undefined) => void;
  readonly functions: () => Pick<AsyncInvoker, "accept">;
}

/** Functions take an event as an asynchronous invocation, under the handing's id, and keep its record from there on. */
export function functionTarget({ authorize, functionPolicy, requireFunction, functions }: FunctionTargetParts): TargetKind {
  const admitted = ({ sender, target }: Pick<Parcel, "sender" | "target">) => {
    const { realm } = sender;
    const { name, qualifier } = parseFunctionReference(target, realm, undefined);
    const resourcePolicy = functionPolicy(realm, name, qualifier);
    authorize({ sender, action: "lambda:InvokeFunction", resource: target, resourcePolicy });
    return { realm, name, qualifier };
  };
  return {
    takes: (target) => /^arn:aws[a-z-]{0,20}:lambda:/.test(target),
    async admit(sender, target) {
      const { realm, name, qualifier } = admitted({ sender, target });
      requireFunction(realm, name, qualifier);
    },
    async handOver([{ id, parcel, from, again, once }]) {
      const { payload, traceHeader } = parcel;
      const { realm, name, qualifier } = admitted(parcel);
      const { source, origin, subject, dueAt, cause, correlation } = from;
      await functions().accept({
        ...{ realm, functionName: name, qualifier, payload, traceHeader, source, origin, subject, dueAt },
        // The outcome of another function's invocation is an event of its own.
        ...(once ? { delivery: once } : { id, again }),
        published: { cause, correlation },
      });
      return [{ kind: "taken", recorded: once === undefined }];
    },
    outcome: (outcome) => ({ payload: eventOf(outcome), options: {} }),
  };
}

/** An outcome as the event of the function that is its destination; a dead letter is the event itself. */
function eventOf(outcome: InvocationOutcome): Buffer {
  return outcome.form === "destination" ? Buffer.from(destinationRecord(outcome)) : outcome.request;
}
