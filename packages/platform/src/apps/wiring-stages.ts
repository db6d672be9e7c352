/** All that calls functions of an application, of whatever kind: planned together, and applied in the stages that a deployment has. */
import type { Realm } from "../model/index.ts";
import type { Deployment } from "./apps.ts";
import { createdKeys, type EventChange, eventKeys, planBuses, planEventRemovals, planEventTriggers } from "./event-plan.ts";
import { applyEvents, checkEvents, currentEvents } from "./event-wiring.ts";
import { type CurrentFunction, defaultRoleArn, FUNCTION_DEFAULTS } from "./form.ts";
import type { AppRecord } from "./record.ts";
import {
  createdStreamTriggerKeys,
  planStreams,
  planStreamTriggerRemovals,
  planStreamTriggers,
  type StreamChange,
  streamTriggerKeys,
} from "./stream-plan.ts";
import { withPlainDestination } from "./stream-form.ts";
import { applyStreams, checkStreams, currentStreams } from "./stream-wiring.ts";
import { createdUploadKeys, planBuckets, planUploadRemovals, planUploads, type UploadChange, uploadKeys } from "./upload-plan.ts";
import { applyUploads, checkUploads, currentUploads } from "./upload-wiring.ts";
import {
  applyWindows,
  checkWindows,
  createdWindowKeys,
  planWindowRemovals,
  planWindows,
  type WindowChange,
  windowKeys,
} from "./window-form.ts";
import { type AppWiring, applyWiring, checkWiring, currentWiring } from "./wiring.ts";
import { triggerKey } from "./wiring-form.ts";
import { planQueues, planTriggerRemovals, planTriggers, type WiringChange } from "./wiring-plan.ts";

export type WholeChange = WiringChange | EventChange | UploadChange | StreamChange | WindowChange;

/** The changes of one kind of thing, by when they are applied. */
interface Stages<Change> {
  /** Triggers that go. */
  readonly removals: readonly Change[];
  /** Queues, buses, buckets and streams: before functions, which may be made to need them. */
  readonly holders: readonly Change[];
  /** What calls functions from there: needs both. */
  readonly triggers: readonly Change[];
}

export interface WiringStages {
  readonly queues: Stages<WiringChange>;
  readonly events: Stages<EventChange>;
  readonly uploads: Stages<UploadChange>;
  readonly streams: Stages<StreamChange>;
  readonly windows: Stages<WindowChange>;
}

/** What a plan is made of beside the document. */
interface Known {
  readonly record: AppRecord | undefined;
  /** Functions that are left alone. */
  readonly kept: readonly string[];
  readonly current: ReadonlyMap<string, CurrentFunction>;
}

/** Refuses what no plan can be made of. */
export function checkAllWiring(deployment: Deployment): void {
  checkWiring(deployment);
  checkEvents(deployment);
  checkUploads(deployment);
  checkStreams(deployment);
  checkWindows(deployment);
}

/** What calls functions that are left alone is left alone, too. */
export async function planAllWiring(port: AppWiring, realm: Realm, deployment: Deployment, known: Known): Promise<WiringStages> {
  const owned = ownedTriggers(known);
  const { onlyUntouched } = deployment;
  const uploads = { buckets: deployment.buckets, uploads: meant(deployment.uploads, known) };
  const foundUploads = currentUploads(port, realm, uploads, owned);
  return {
    queues: planQueueStages(port, realm, deployment, known, owned),
    events: await planEventStages(port, realm, deployment, known, owned),
    uploads: {
      removals: planUploadRemovals(foundUploads, uploads, { owned, onlyUntouched }),
      holders: planBuckets(foundUploads, uploads),
      triggers: planUploads(foundUploads, uploads, { owned, onlyUntouched }),
    },
    streams: await planStreamStages(port, realm, deployment, known, owned),
    windows: {
      removals: await planWindowRemovals(port, realm, deployment, { owned, onlyUntouched }),
      holders: [],
      triggers: await planWindows(port, realm, deployment, { owned, onlyUntouched }),
    },
  };
}

function planQueueStages(
  port: AppWiring,
  realm: Realm,
  { queues, functions, triggers, onlyUntouched }: Deployment,
  known: Known,
  owned: ReadonlySet<string>,
): Stages<WiringChange> {
  const wanted = { queues, triggers: meant(triggers, known) };
  const timeouts = new Map(functions.map(({ name, options }) => [name, options.timeoutMs ?? known.current.get(name)?.options.timeoutMs]));
  const timeoutMs = (name: string): number => timeouts.get(name) ?? FUNCTION_DEFAULTS.timeoutMs;
  const found = currentWiring(port, realm, wanted, owned);
  const rules = { owned, timeoutMs, onlyUntouched };
  return {
    removals: planTriggerRemovals(found, wanted, rules),
    holders: planQueues(found, wanted, rules),
    triggers: planTriggers(found, wanted, rules),
  };
}

async function planEventStages(
  port: AppWiring,
  realm: Realm,
  { buses, functions, onlyUntouched, ...deployment }: Deployment,
  known: Known,
  owned: ReadonlySet<string>,
): Promise<Stages<EventChange>> {
  const roles = new Map(functions.map(({ name, options }) => [name, options.roleArn ?? known.current.get(name)?.options.roleArn]));
  const wanted = { buses, rules: meant(deployment.rules, known), schedules: meant(deployment.schedules, known) };
  const roleArn = (name: string): string => roles.get(name) ?? defaultRoleArn(realm.account);
  const rules = { owned, roleArn, onlyUntouched };
  const found = await currentEvents(port, realm, wanted, owned);
  return {
    removals: planEventRemovals(found, wanted, rules),
    holders: planBuses(found, wanted, rules),
    triggers: planEventTriggers(found, wanted, rules),
  };
}

async function planStreamStages(
  port: AppWiring,
  realm: Realm,
  { streams, streamTriggers, onlyUntouched }: Deployment,
  known: Known,
  owned: ReadonlySet<string>,
): Promise<Stages<StreamChange>> {
  const wanted = { streams, streamTriggers: meant(streamTriggers, known).map((trigger) => withPlainDestination(realm, trigger)) };
  // Before anything is made: what is refused then is half of an application.
  for (const trigger of wanted.streamTriggers) port.checkStreamTrigger(realm, trigger);
  const found = await currentStreams(port, realm, wanted, owned);
  const rules = { owned, onlyUntouched };
  return {
    removals: planStreamTriggerRemovals(found, wanted, rules),
    holders: planStreams(found, wanted, rules),
    triggers: planStreamTriggers(found, wanted, rules),
  };
}

function meant<Trigger extends { readonly functionName: string }>(triggers: readonly Trigger[], { kept }: Known): readonly Trigger[] {
  return triggers.filter(({ functionName }) => !kept.includes(functionName));
}

function ownedTriggers({ record, kept }: Known): ReadonlySet<string> {
  return new Set((record?.triggers ?? []).filter((key) => !kept.some((name) => key.startsWith(`${name} `))));
}

/** All changes, in the order in which they are applied. */
export function wiringOf({ queues, events, uploads, streams, windows }: WiringStages): WholeChange[] {
  const all: readonly Stages<WholeChange>[] = [queues, events, uploads, streams, windows];
  return (["removals", "holders", "triggers"] as const).flatMap((stage) => all.flatMap((each) => each[stage]));
}

/** What is applied before the functions are. */
export async function applyWiringBefore(port: AppWiring, realm: Realm, stages: WiringStages): Promise<void> {
  const { queues, events, uploads, streams, windows } = stages;
  await applyWiring(port, realm, [...queues.removals, ...queues.holders]);
  await applyEvents(port, realm, [...events.removals, ...events.holders]);
  await applyUploads(port, realm, [...uploads.removals, ...uploads.holders]);
  await applyStreams(port, realm, [...streams.removals, ...streams.holders]);
  await applyWindows(port, realm, windows.removals);
}

/** What is applied once the functions are there. */
export async function applyWiringBehind(port: AppWiring, realm: Realm, stages: WiringStages): Promise<void> {
  const { queues, events, uploads, streams, windows } = stages;
  await applyWiring(port, realm, queues.triggers);
  await applyEvents(port, realm, events.triggers);
  await applyUploads(port, realm, uploads.triggers);
  await applyStreams(port, realm, streams.triggers);
  await applyWindows(port, realm, windows.triggers);
}

/** Of a plan, the triggers that it makes, by their keys. */
export function madeTriggers({ queues, events, uploads, streams, windows }: WiringStages): string[] {
  const made = queues.triggers.flatMap((change) => (change.kind === "createTrigger" ? [triggerKey(change)] : []));
  return [
    ...made,
    ...createdKeys(events.triggers),
    ...createdUploadKeys(uploads.triggers),
    ...createdStreamTriggerKeys(streams.triggers),
    ...createdWindowKeys(windows.triggers),
  ];
}

/** All triggers of a document, by their keys. */
export function namedTriggers(deployment: Deployment): string[] {
  const ofQueues = deployment.triggers.map(triggerKey);
  return [...ofQueues, ...eventKeys(deployment), ...uploadKeys(deployment), ...streamTriggerKeys(deployment), ...windowKeys(deployment)];
}
