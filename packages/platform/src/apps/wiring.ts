/** Queues and triggers of an application: compared with what is there, and applied. */
import type { Realm } from "../model/index.ts";
import type { CurrentQueue, QueueOptions, Trigger, TriggerOptions, WantedQueue } from "./wiring-form.ts";
import type { AppEvents } from "./event-form.ts";
import { refuseMany, refuseTwice } from "./event-wiring.ts";
import { triggerOfKey } from "./trigger-key.ts";
import type { AppStreams } from "./stream-form.ts";
import type { AppUploads } from "./upload-form.ts";
import type { AppWindows } from "./window-form.ts";
import { triggerKey } from "./wiring-form.ts";
import type { CurrentWiring, Wiring, WiringChange } from "./wiring-plan.ts";

/** Queues of one application (P7). */
export const APP_QUEUES_MAX = 200;
/** Triggers of one application (P7). */
export const APP_TRIGGERS_MAX = 400;

/** What an application needs of what calls functions: joined to their owners where the platform is put together. */
export interface AppWiring extends AppEvents, AppQueues, AppUploads, AppStreams, AppWindows {}

/** What an application needs of queues and triggers: joined to `queues/` and `sources/`. */
export interface AppQueues {
  /** Undefined when there is no such queue. */
  currentQueue(realm: Realm, name: string): CurrentQueue | undefined;
  createQueue(realm: Realm, name: string, options: Partial<QueueOptions>): Promise<void>;
  updateQueue(realm: Realm, name: string, options: Partial<QueueOptions>): Promise<void>;
  currentTrigger(realm: Realm, functionName: string, queueName: string): Trigger | undefined;
  createTrigger(realm: Realm, functionName: string, queueName: string, options: TriggerOptions): Promise<void>;
  updateTrigger(realm: Realm, functionName: string, queueName: string, options: TriggerOptions): Promise<void>;
  removeTrigger(realm: Realm, functionName: string, queueName: string): Promise<void>;
}

/** What is there of what the document names, and of what the application brought before. */
export function currentWiring(port: AppQueues, realm: Realm, wanted: Wiring, owned: ReadonlySet<string>): CurrentWiring {
  const queues = new Map<string, CurrentQueue>();
  for (const { name } of wanted.queues) {
    const found = port.currentQueue(realm, name);
    if (found) queues.set(name, found);
  }
  const triggers = new Map<string, Trigger>();
  for (const key of new Set([...wanted.triggers.map(triggerKey), ...owned])) {
    const trigger = triggerOfKey(key);
    const found = trigger.kind === "queue" ? port.currentTrigger(realm, trigger.functionName, trigger.queueName) : undefined;
    if (found) triggers.set(key, found);
  }
  return { queues, triggers };
}

/** Carries out `changes` from first to last and stops at the first that fails. */
export async function applyWiring(port: AppQueues, realm: Realm, changes: readonly WiringChange[]): Promise<void> {
  for (const change of changes) await applyOne(port, realm, change);
}

async function applyOne(port: AppQueues, realm: Realm, change: WiringChange): Promise<void> {
  switch (change.kind) {
    case "createQueue":
      return port.createQueue(realm, change.queueName, change.options);
    case "updateQueue":
      return port.updateQueue(realm, change.queueName, change.options);
    case "createTrigger":
      return port.createTrigger(realm, change.functionName, change.queueName, change.options);
    case "updateTrigger":
      return port.updateTrigger(realm, change.functionName, change.queueName, change.options);
    case "removeTrigger":
      return port.removeTrigger(realm, change.functionName, change.queueName);
  }
}

/** Refuses too many, and what is named twice. */
export function checkWiring({ queues, triggers }: Wiring): void {
  refuseMany(queues, APP_QUEUES_MAX, "queues");
  refuseMany(triggers, APP_TRIGGERS_MAX, "triggers");
  refuseTwice(queues.map(({ name }: WantedQueue) => `Queue ${name}`));
  refuseTwice(triggers.map((each) => `The trigger of ${each.functionName} by queue ${each.queueName}`));
}
