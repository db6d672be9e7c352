/** Streams of an application and their triggers: compared with what is there, and applied. */
import type { Realm } from "../model/index.ts";
import { refuseMany, refuseTwice } from "./event-wiring.ts";
import type { AppStreams, CurrentStream, CurrentStreamTrigger, CurrentStreamWiring, StreamWiring } from "./stream-form.ts";
import { type StreamChange, streamsOf, streamTriggerKeys } from "./stream-plan.ts";
import { triggerOfKey } from "./trigger-key.ts";

/** Streams of one application (P7). */
const APP_STREAMS_MAX = 200;
/** Triggers by streams of one application (P7). */
const APP_STREAM_TRIGGERS_MAX = 400;

/** What is there of what the document names, and of what the application brought before. */
export async function currentStreams(
  port: AppStreams,
  realm: Realm,
  wanted: StreamWiring,
  owned: ReadonlySet<string>,
): Promise<CurrentStreamWiring> {
  const streams = new Map<string, CurrentStream>();
  for (const { name } of streamsOf(wanted)) {
    const found = await port.currentStream(realm, name);
    if (found) streams.set(name, found);
  }
  const triggers = new Map<string, CurrentStreamTrigger>();
  for (const key of new Set([...streamTriggerKeys(wanted), ...owned])) {
    const trigger = triggerOfKey(key);
    const found = trigger.kind === "stream" ? port.currentStreamTrigger(realm, trigger) : undefined;
    if (found) triggers.set(key, found);
  }
  return { streams, triggers };
}

/** Carries out `changes` from first to last and stops at the first that fails. */
export async function applyStreams(port: AppStreams, realm: Realm, changes: readonly StreamChange[]): Promise<void> {
  for (const change of changes) await applyOne(port, realm, change);
}

async function applyOne(port: AppStreams, realm: Realm, change: StreamChange): Promise<void> {
  switch (change.kind) {
    case "createStream":
      await port.createStream(realm, change.stream);
      return;
    case "updateStream":
      return port.updateStream(realm, change.stream);
    case "createStreamTrigger":
    case "updateStreamTrigger":
      return port.putStreamTrigger(realm, change.streamTrigger);
    case "removeStreamTrigger":
      return port.removeStreamTrigger(realm, change.streamTrigger);
  }
}

/** Refuses too many, and what is named twice. */
export function checkStreams({ streams, streamTriggers }: StreamWiring): void {
  refuseMany(streams, APP_STREAMS_MAX, "streams");
  refuseMany(streamTriggers, APP_STREAM_TRIGGERS_MAX, "triggers by streams");
  refuseTwice(streams.map(({ name }) => `Stream ${name}`));
  refuseTwice(
    streamTriggers.map(({ functionName, streamName, form }) => `The trigger of ${functionName} by stream ${streamName} (${form})`),
  );
}
