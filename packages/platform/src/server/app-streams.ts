import type {
  AppStreams,
  CurrentStream,
  CurrentStreamTrigger,
  NewStream,
  StreamTrigger,
  StreamTriggerNames,
  WantedStream,
} from "../apps/index.ts";
import { LambentError } from "../base/index.ts";
import { type Realm, realmKey } from "../model/index.ts";
import { parseQueueArn, queueArn, type Queues } from "../queues/index.ts";
import {
  checkStreamSettings,
  isStreamMapping,
  type Sources,
  type StartingPosition,
  type StreamMapping,
  type StreamMappingSettings,
  type WantedStart,
  type WantedStream as StreamToRead,
} from "../sources/index.ts";
import type { StreamRecord, Streams } from "../streams/index.ts";

export interface AppStreamParts {
  /** Opened with the first stream that is asked for. */
  readonly streams: () => Promise<Streams>;
  readonly sources: Pick<Sources, "list" | "result" | "settled" | "create" | "update" | "remove">;
  readonly queues: Pick<Queues, "find">;
}

type Options = StreamTrigger["options"];

/** What a stream is made with that does not say: as a topic is, and as Kinesis has it. */
const PARTITIONS_DEFAULT = 1;
const KINESIS_RETENTION_MS = 86_400_000;
/** The cluster that the function's event names: the broker in this server, at whatever address it listens. */
const CLUSTER = "cluster/lambent/broker";

/** Joins `apps/` to `streams/` and to the mappings of `sources/` that read them. */
export function createAppStreams({ streams, sources, queues }: AppStreamParts): AppStreams {
  const mappingOf = (realm: Realm, names: StreamTriggerNames): StreamMapping | undefined =>
    sources.list(realm).find((each): each is StreamMapping => isStreamMapping(each) && isNamed(each, names));
  /** The mapping once no change of it is under way. */
  const settled = async (realm: Realm, names: StreamTriggerNames): Promise<StreamMapping | undefined> => {
    await sources.settled(mappingOf(realm, names)?.uuid ?? "");
    return mappingOf(realm, names);
  };
  const shown = (realm: Realm, mapping: StreamMapping): CurrentStreamTrigger => triggerForm(realm, mapping, sources.result(mapping.uuid));
  return {
    async currentStream(realm, name) {
      const record = (await streams()).find(realm, name);
      return record && streamForm(record);
    },
    createStream: async (realm, stream) => streamForm(await createStream(await streams(), realm, stream)),
    updateStream: async (realm, stream) => updateStream(await streams(), realm, stream),
    currentStreamTrigger(realm, names) {
      const mapping = mappingOf(realm, names);
      return mapping && mapping.state.kind !== "deleting" ? shown(realm, mapping) : undefined;
    },
    listStreamTriggers: (realm) =>
      sources
        .list(realm)
        .filter(isStreamMapping)
        .map((mapping) => shown(realm, mapping)),
    checkStreamTrigger: (realm, { form, options }) => checkStreamSettings(settingsOf(realm, options), form),
    async putStreamTrigger(realm, trigger) {
      requireQueue(queues, realm, trigger.options.onFailure);
      const settings = settingsOf(realm, trigger.options);
      const { enabled } = trigger.options;
      const known = await settled(realm, trigger);
      if (known) return void (await sources.update(realm, known.uuid, { settings, enabled }));
      const [functionName = "", qualifier] = trigger.functionName.split(":");
      const { uuid } = await sources.create(realm, {
        functionName,
        qualifier,
        enabled,
        tags: {},
        stream: toRead(realm, trigger),
        settings,
      });
      await sources.settled(uuid);
    },
    async removeStreamTrigger(realm, names) {
      const known = await settled(realm, names);
      if (known) await sources.remove(realm, known.uuid);
    },
  };
}

function isNamed({ functionName, qualifier, source }: StreamMapping, names: StreamTriggerNames): boolean {
  const reference = qualifier === undefined ? functionName : `${functionName}:${qualifier}`;
  return reference === names.functionName && source.stream === names.streamName && source.form === names.form && !brokersOf(source);
}

/** Where the topic is, when it is not in this server. */
function brokersOf(source: StreamMapping["source"]): readonly string[] | undefined {
  return source.form === "kafka" && source.cluster.kind === "external" ? source.cluster.servers : undefined;
}

function streamForm({ name, shards, settings }: StreamRecord): CurrentStream {
  return { name, options: { partitions: openShards(shards), retentionMs: settings.retentionMs } };
}

function openShards(shards: StreamRecord["shards"]): number {
  return shards.filter(({ closed }) => closed === undefined).length;
}

function createStream(streams: Streams, realm: Realm, { name, madeBy, options }: NewStream): Promise<StreamRecord> {
  const { partitions = PARTITIONS_DEFAULT, retentionMs = madeBy === "kinesis" ? KINESIS_RETENTION_MS : undefined } = options;
  return streams.create(realm, name, { shards: partitions, madeBy, ...(retentionMs === undefined ? {} : { settings: { retentionMs } }) });
}

async function updateStream(streams: Streams, realm: Realm, { name, options }: WantedStream): Promise<void> {
  const { partitions, retentionMs } = options;
  if (retentionMs !== undefined)
    await streams.update(realm, name, (record) => ({ ...record, settings: { ...record.settings, retentionMs } }));
  const { shards } = streams.get(realm, name);
  const open = openShards(shards);
  // Partitions that were split count on among those that there ever were.
  if (partitions !== undefined && partitions > open) await streams.addPartitions(realm, name, shards.length + partitions - open);
}

function triggerForm(realm: Realm, mapping: StreamMapping, result: ReturnType<Sources["result"]>): CurrentStreamTrigger {
  const { uuid, functionName, qualifier, source, settings, state } = mapping;
  const { batchSize, windowMs, parallelization, bisects, retriesMax, recordAgeMsMax, onFailure, tumblingMs, filters, answers } = settings;
  const enabled = state.kind === "enabled" || state.kind === "enabling" || ("next" in state && state.next === "enabled");
  return {
    ...{ uuid, functionName: qualifier === undefined ? functionName : `${functionName}:${qualifier}` },
    ...{ streamName: source.stream, form: source.form, from: fromText(source.start), brokers: brokersOf(source) },
    options: {
      ...{ batchSize, windowMs, parallelization, bisects, retriesMax, recordAgeMsMax, tumblingMs, filters, enabled },
      ...{ onFailure: onFailure === undefined ? undefined : destinationText(realm, onFailure), reportsFailures: answers === "reported" },
    },
    state: state.kind.charAt(0).toUpperCase() + state.kind.slice(1),
    result: result && (result.kind === "ok" ? "OK" : `PROBLEM: ${result.what}`),
  };
}

function settingsOf(realm: Realm, { reportsFailures, enabled: _enabled, onFailure, ...settings }: Options): StreamMappingSettings {
  return { ...settings, onFailure: onFailure && destinationArn(realm, onFailure), answers: reportsFailures ? "reported" : "whole" };
}

const QUEUE = "queue:";

function destinationArn(realm: Realm, text: string): string {
  return text.startsWith(QUEUE) ? queueArn(realm, text.slice(QUEUE.length)) : text;
}

function destinationText(realm: Realm, arn: string): string {
  const queue = parseQueueArn(arn);
  return queue && realmKey(queue.realm) === realmKey(realm) ? QUEUE + queue.name : arn;
}

/** One that is missing would be found out with the first records that are given up, and those would be told to nobody. */
function requireQueue(queues: Pick<Queues, "find">, realm: Realm, onFailure: string | undefined): void {
  const name = onFailure?.startsWith(QUEUE) ? onFailure.slice(QUEUE.length) : undefined;
  if (name !== undefined && !queues.find(realm, name))
    throw new LambentError("InvalidParameter", `There is no queue ${name}, which was to be told of records that were given up.`);
}

function toRead({ region, account }: Realm, { streamName: stream, form, from }: StreamTrigger): StreamToRead {
  const start = startOf(from);
  if (form !== "kafka") return { kind: "stream", stream, form, start };
  return { kind: "stream", stream, form, start, cluster: { kind: "managed", arn: `arn:aws:kafka:${region}:${account}:${CLUSTER}` } };
}

function startOf(from = "latest"): WantedStart {
  if (from === "latest") return { kind: "latest" };
  return from === "start" ? { kind: "trimHorizon" } : { kind: "at", time: Date.parse(from) };
}

function fromText(start: StartingPosition): string {
  switch (start.kind) {
    case "trimHorizon":
      return "start";
    case "latest":
      return "latest";
    case "at":
      return new Date(start.time).toISOString();
  }
}
