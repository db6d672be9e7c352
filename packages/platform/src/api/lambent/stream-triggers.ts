import { isDeepStrictEqual } from "node:util";
import type { AppStreams, CurrentStream } from "../../apps/index.ts";
import { LambentError } from "../../base/index.ts";
import type { Realm } from "../../model/index.ts";
import type { RequestContext } from "../operation.ts";
import { changedOptions, streamTriggerShape } from "./stream-forms.ts";
import type {
  ListStreamTriggersRequest,
  ListStreamTriggersResponse,
  PutStreamTriggerRequest,
  PutStreamTriggerResponse,
} from "./stream-schema.ts";

export interface StreamTriggerParts {
  readonly streamTriggers: () => Promise<AppStreams>;
  /** Throws `NotFound` when there is no such function. */
  readonly requireFunction: (realm: Realm, name: string) => void;
}

/** Triggers by streams: event source mappings, with what AWS has no word for, and the stream with its trigger. */
export function streamTriggerOperations({ streamTriggers, requireFunction }: StreamTriggerParts) {
  return {
    async PutStreamTrigger(input: PutStreamTriggerRequest, { realm }: RequestContext): Promise<PutStreamTriggerResponse> {
      // Loaded with the first trigger: nobody waits for it before.
      const { readFrom, requireSameFrom, STREAM_TRIGGER_DEFAULTS, withPlainDestination } = await import("../../apps/index.ts");
      const [functionName = ""] = input.FunctionName.split(":");
      requireFunction(realm, functionName);
      const port = await streamTriggers();
      const names = { functionName: input.FunctionName, streamName: input.StreamName, form: input.Form };
      const wanted = {
        ...names,
        source: input.Source,
        from: input.From === undefined ? undefined : (readFrom(input.From) ?? refuseFrom(input.From)),
      };
      const known = port.currentStreamTrigger(realm, names);
      const given = changedOptions(known?.options ?? STREAM_TRIGGER_DEFAULTS, input);
      const { options } = withPlainDestination(realm, { options: given });
      port.checkStreamTrigger(realm, { form: wanted.form, options });
      const created = await requireStream(port, realm, input);
      if (known) requireSameFrom(known, wanted);
      const isSame = known !== undefined && isDeepStrictEqual(known.options, options);
      if (!isSame) await port.putStreamTrigger(realm, { ...wanted, options });
      const trigger = port.currentStreamTrigger(realm, names);
      if (!trigger)
        throw new LambentError("NotFound", `The trigger of ${input.FunctionName} by stream ${input.StreamName} was removed meanwhile.`);
      return {
        Trigger: streamTriggerShape(trigger),
        Change: isSame ? "none" : known ? "changed" : "created",
        ...(created && { CreatedStream: createdShape(created) }),
      };
    },

    async ListStreamTriggers({ FunctionName }: ListStreamTriggersRequest, { realm }: RequestContext): Promise<ListStreamTriggersResponse> {
      const all = (await streamTriggers()).listStreamTriggers(realm);
      // Without a qualifier, those of versions and aliases too, as event source mappings are listed.
      const isMeant = (name: string): boolean => FunctionName === undefined || name === FunctionName || name.startsWith(`${FunctionName}:`);
      return { StreamTriggers: all.filter(({ functionName }) => isMeant(functionName)).map(streamTriggerShape) };
    },
  };
}

/** The stream when it was missing and is made. */
async function requireStream(port: AppStreams, realm: Realm, input: PutStreamTriggerRequest): Promise<CurrentStream | undefined> {
  const { StreamName: name, Source: madeBy, CreateStream = true } = input;
  if (await port.currentStream(realm, name)) return undefined;
  if (!CreateStream) throw new LambentError("NotFound", `There is no ${madeBy === "kafka" ? "topic" : "stream"} ${name}.`);
  return port.createStream(realm, { name, options: {}, madeBy });
}

function createdShape({ name, options }: CurrentStream): NonNullable<PutStreamTriggerResponse["CreatedStream"]> {
  return { StreamName: name, Partitions: options.partitions, RetentionMs: options.retentionMs };
}

function refuseFrom(text: string): never {
  throw new LambentError("InvalidParameter", `From is ${JSON.stringify(text)}; it has to be start, latest, or a time.`);
}
