import type { AppQueues, AppWiring, CurrentQueue, QueueOptions, Trigger, TriggerOptions } from "../apps/index.ts";
import { realmKey, type Realm } from "../model/index.ts";
import { DEFAULT_QUEUE_SETTINGS, parseQueueArn, queueArn, type QueueRecord, type Queues, type QueueSettings } from "../queues/index.ts";
import { type AppEventParts, createAppEvents } from "./app-events.ts";
import { createAppStreams } from "./app-streams.ts";
import { type AppUploadParts, createAppUploads } from "./app-uploads.ts";
import { type AppWindowParts, createAppWindows } from "./app-windows.ts";
import { isStreamMapping, type MappingSettings, type QueueMapping, type Sources } from "../sources/index.ts";

/** Joins `apps/` to all that calls functions. */
export function createAppWiring({
  queues,
  sources,
  streams,
  windows,
  ...parts
}: { readonly queues: Queues; readonly sources: Sources } & AppEventParts & AppUploadParts & AppWindowParts): AppWiring {
  return {
    ...createAppQueues(queues, sources),
    ...createAppEvents(parts),
    ...createAppUploads(parts),
    ...createAppStreams({ streams, sources, queues }),
    ...createAppWindows({ windows, streams }),
  };
}

/** Joins `apps/` to `queues/` and `sources/`: an application's form in terms of their own changes. */
function createAppQueues(queues: Queues, sources: Sources): AppQueues {
  const mappingOf = (realm: Realm, functionName: string, queueName: string): QueueMapping | undefined =>
    sources
      .list(realm)
      .filter((each): each is QueueMapping => !isStreamMapping(each))
      .find((each) => each.functionName === functionName && each.qualifier === undefined && each.source.name === queueName);
  /** The mapping once no change of it is under way. */
  const settledMapping = async (realm: Realm, functionName: string, queueName: string): Promise<QueueMapping | undefined> => {
    await sources.settled(mappingOf(realm, functionName, queueName)?.uuid ?? "");
    return mappingOf(realm, functionName, queueName);
  };
  return {
    currentQueue(realm, name) {
      const record = queues.find(realm, name);
      return record && queueForm(realm, record);
    },
    async createQueue(realm, name, options) {
      const kind = name.endsWith(".fifo") ? "fifo" : "standard";
      const changed = settingsOf(realm, options);
      await queues.create(
        realm,
        name,
        { ...DEFAULT_QUEUE_SETTINGS, kind, ...changed },
        Object.keys(changed) as (keyof QueueSettings)[],
        {},
      );
    },
    updateQueue: (realm, name, options) =>
      queues.update(realm, name, ({ settings, tags }) => ({ tags, settings: { ...settings, ...settingsOf(realm, options) } })),
    currentTrigger(realm, functionName, queueName) {
      const mapping = mappingOf(realm, functionName, queueName);
      return mapping && mapping.state.kind !== "deleting" ? triggerForm(mapping) : undefined;
    },
    async createTrigger(realm, functionName, queueName, options) {
      const settings = mappingSettings(options);
      // One that was removed a moment ago has gone first.
      await settledMapping(realm, functionName, queueName);
      const { uuid } = await sources.create(realm, {
        functionName,
        qualifier: undefined,
        queueName,
        settings,
        enabled: options.enabled,
        tags: {},
      });
      await sources.settled(uuid);
    },
    async updateTrigger(realm, functionName, queueName, options) {
      const mapping = await settledMapping(realm, functionName, queueName);
      if (mapping) await sources.update(realm, mapping.uuid, { settings: mappingSettings(options), enabled: options.enabled });
    },
    async removeTrigger(realm, functionName, queueName) {
      const mapping = await settledMapping(realm, functionName, queueName);
      if (mapping) await sources.remove(realm, mapping.uuid);
    },
  };
}

function queueForm(realm: Realm, { name, settings }: QueueRecord): CurrentQueue {
  const { visibilityMs, retentionMs, delayMs, redrive, contentBasedDeduplication } = settings;
  const target = redrive && parseQueueArn(redrive.target);
  const own = target && realmKey(target.realm) === realmKey(realm);
  return {
    name,
    options: {
      visibilityMs,
      retentionMs,
      delayMs,
      deadLetter: redrive && own ? { queue: target.name, after: redrive.receivesMax } : undefined,
      contentDeduplication: contentBasedDeduplication,
    },
  };
}

function settingsOf(realm: Realm, options: Partial<QueueOptions>): Partial<QueueSettings> {
  const { visibilityMs, retentionMs, delayMs, deadLetter, contentDeduplication } = options;
  return {
    ...(visibilityMs === undefined ? {} : { visibilityMs }),
    ...(retentionMs === undefined ? {} : { retentionMs }),
    ...(delayMs === undefined ? {} : { delayMs }),
    ...(deadLetter === undefined ? {} : { redrive: { target: queueArn(realm, deadLetter.queue), receivesMax: deadLetter.after } }),
    ...(contentDeduplication === undefined ? {} : { contentBasedDeduplication: contentDeduplication }),
  };
}

function triggerForm({ functionName, source, settings, state }: QueueMapping): Trigger {
  const { batchSize, windowMs, concurrencyMax, filters, answers } = settings;
  const enabled = state.kind === "enabled" || state.kind === "enabling" || ("next" in state && state.next === "enabled");
  return {
    functionName,
    queueName: source.name,
    options: { batchSize, windowMs, concurrencyMax, filters, reportsFailures: answers === "reported", enabled },
  };
}

function mappingSettings({ batchSize, windowMs, concurrencyMax, filters, reportsFailures }: TriggerOptions): MappingSettings {
  return { batchSize, windowMs, concurrencyMax, filters, answers: reportsFailures ? "reported" : "whole" };
}
