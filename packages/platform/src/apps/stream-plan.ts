import { LambentError } from "../base/index.ts";
import { difference, type FieldChange } from "./difference.ts";
import type { EventRules } from "./event-plan.ts";
import type {
  CurrentStream,
  CurrentStreamTrigger,
  CurrentStreamWiring,
  NewStream,
  StreamTrigger,
  StreamTriggerNames,
  StreamWiring,
  WantedStream,
} from "./stream-form.ts";
import { streamTriggerKey } from "./stream-form.ts";
import { triggerOfKey } from "./trigger-key.ts";

/** One difference between the streams and their triggers that are wanted and those that are there. */
export type StreamChange =
  | { readonly kind: "createStream"; readonly stream: NewStream }
  | { readonly kind: "updateStream"; readonly stream: WantedStream; readonly fields: readonly FieldChange[] }
  | { readonly kind: "createStreamTrigger"; readonly streamTrigger: StreamTrigger }
  | { readonly kind: "updateStreamTrigger"; readonly streamTrigger: StreamTrigger; readonly fields: readonly FieldChange[] }
  | { readonly kind: "removeStreamTrigger"; readonly streamTrigger: StreamTriggerNames };

export type StreamRules = Pick<EventRules, "owned" | "onlyUntouched">;

/** Streams that are missing: those that are named, and those that only a trigger names. None is ever removed: it holds records. */
export function planStreams(current: CurrentStreamWiring, wanted: StreamWiring, rules: StreamRules): StreamChange[] {
  return streamsOf(wanted).flatMap((stream): StreamChange[] => {
    const known = current.streams.get(stream.name);
    if (!known) return [{ kind: "createStream", stream }];
    const fields = rules.onlyUntouched ? [] : streamDifference(known, stream);
    return fields.length === 0 ? [] : [{ kind: "updateStream", stream: { name: stream.name, options: stream.options }, fields }];
  });
}

/** What has to happen with triggers once streams and functions are there. Throws `Conflict` for one that was to begin elsewhere. */
export function planStreamTriggers(current: CurrentStreamWiring, wanted: StreamWiring, rules: StreamRules): StreamChange[] {
  return wanted.streamTriggers.flatMap((streamTrigger): StreamChange[] => {
    const key = streamTriggerKey(streamTrigger);
    const known = current.triggers.get(key);
    if (!known) return rules.onlyUntouched && rules.owned.has(key) ? [] : [{ kind: "createStreamTrigger", streamTrigger }];
    if (rules.onlyUntouched) return [];
    requireSameFrom(known, streamTrigger);
    const fields = triggerDifference(known, streamTrigger);
    return fields.length === 0 ? [] : [{ kind: "updateStreamTrigger", streamTrigger, fields }];
  });
}

/** Triggers this application brought and no longer names. */
export function planStreamTriggerRemovals(current: CurrentStreamWiring, wanted: StreamWiring, rules: StreamRules): StreamChange[] {
  const named = new Set(streamTriggerKeys(wanted));
  return [...rules.owned]
    .filter((key) => !named.has(key) && current.triggers.has(key))
    .toSorted()
    .flatMap((key): StreamChange[] => {
      const trigger = triggerOfKey(key);
      return trigger.kind === "stream" ? [{ kind: "removeStreamTrigger", streamTrigger: trigger }] : [];
    });
}

/** All such triggers of a document, as an application remembers them. */
export function streamTriggerKeys({ streamTriggers }: Pick<StreamWiring, "streamTriggers">): string[] {
  return streamTriggers.map(streamTriggerKey);
}

/** Of changes, the triggers that were made. */
export function createdStreamTriggerKeys(changes: readonly StreamChange[]): string[] {
  return changes.flatMap((change) => (change.kind === "createStreamTrigger" ? [streamTriggerKey(change.streamTrigger)] : []));
}

/** Streams that are named with their own words, and those that only a trigger names. */
export function streamsOf({ streams, streamTriggers }: StreamWiring): NewStream[] {
  const all = new Map<string, NewStream>(streams.map((stream) => [stream.name, { ...stream, madeBy: "lambent" }]));
  for (const { streamName: name, source } of streamTriggers) if (!all.has(name)) all.set(name, { name, options: {}, madeBy: source });
  return [...all.values()];
}

/** Where reading begins is decided when a trigger is made: what was read since is not read again by a changed word. */
export function requireSameFrom(
  { functionName, streamName, from: began }: Pick<CurrentStreamTrigger, "functionName" | "streamName" | "from">,
  { from }: Pick<StreamTrigger, "from">,
): void {
  if (from === undefined || from === began) return;
  throw new LambentError(
    "Conflict",
    `The trigger of ${functionName} by stream ${streamName} is there and began at ${began}; where it begins, which was to be ${from}, is decided when it is made. Without it nothing is to be changed; to read anew, remove the trigger first.`,
  );
}

const TRIGGER_FIELDS = [
  ...(["batchSize", "windowMs", "parallelization", "bisects", "retriesMax", "recordAgeMsMax"] as const),
  ...(["onFailure", "tumblingMs", "filters", "reportsFailures", "enabled"] as const),
];

function triggerDifference({ options: known }: CurrentStreamTrigger, { options: wanted }: StreamTrigger): FieldChange[] {
  return TRIGGER_FIELDS.flatMap((field) => difference(field, known[field], wanted[field]));
}

const STREAM_FIELDS = ["partitions", "retentionMs"] as const;

function streamDifference({ name, options: known }: CurrentStream, { options: wanted }: WantedStream): FieldChange[] {
  if (wanted.partitions !== undefined && wanted.partitions < known.partitions)
    throw new LambentError(
      "InvalidParameter",
      `Stream ${name} has ${known.partitions} partitions, and ${wanted.partitions} are wanted: partitions hold records and are only added.`,
    );
  return STREAM_FIELDS.flatMap((field) => (wanted[field] === undefined ? [] : difference(field, known[field], wanted[field])));
}
