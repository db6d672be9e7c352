/** Shards and streams as Kinesis shows them. */
import type {
  ChildShard,
  Consumer,
  EnhancedMetrics,
  MetricsName,
  Shard,
  StreamDescriptionSummary,
  StreamModeDetails,
  StreamSummary,
} from "@aws-sdk/client-kinesis";
import type { Instant } from "../../base/index.ts";
import {
  sequenceNumberOf,
  shardIdOf,
  type ShardRecord,
  streamArn,
  type StreamConsumer,
  type StreamRecord,
  type Streams,
} from "../../streams/index.ts";
import { consumerArn } from "./names.ts";

const HOUR_MS = 3_600_000;
/** A year: the longest that Kinesis can tell; topics may keep longer. */
export const RETENTION_HOURS_MAX = 8_760;

/** The shards that are still to be seen: one that takes no records any more goes with its last record. */
export function visibleShards({ shards, settings }: Pick<StreamRecord, "shards" | "settings">, now: Instant): readonly ShardRecord[] {
  const { retentionMs } = settings;
  return shards.filter(({ closed }) => !closed || retentionMs === -1 || closed.at + retentionMs > now);
}

/** The shards that take records. */
export function openShards({ shards }: Pick<StreamRecord, "shards">): readonly ShardRecord[] {
  return shards.filter(({ closed }) => !closed);
}

/** A shard with the sequence numbers that it begins and, where it takes no more, ends with. */
export async function shardShape(streams: Pick<Streams, "partition">, record: StreamRecord, shard: ShardRecord): Promise<Shard> {
  const [parent, adjacent] = shard.parents;
  return {
    ShardId: shardIdOf(shard.number),
    ...(parent === undefined ? {} : { ParentShardId: shardIdOf(parent) }),
    ...(adjacent === undefined ? {} : { AdjacentParentShardId: shardIdOf(adjacent) }),
    HashKeyRange: { StartingHashKey: shard.hashFrom, EndingHashKey: shard.hashTo },
    SequenceNumberRange: {
      StartingSequenceNumber: sequenceNumberOf(shard, 0),
      ...(shard.closed ? { EndingSequenceNumber: await endingOf(streams, record, shard) } : {}),
    },
  };
}

async function endingOf(streams: Pick<Streams, "partition">, { realm, name }: StreamRecord, shard: ShardRecord): Promise<string> {
  const { end } = await streams.partition(realm, name, shard.number);
  return sequenceNumberOf(shard, end);
}

/** What a shard that takes no more was split or merged into. */
export function childShards({ shards }: Pick<StreamRecord, "shards">, number: number): ChildShard[] {
  return shards
    .filter(({ parents }) => parents.includes(number))
    .map((shard) => ({
      ShardId: shardIdOf(shard.number),
      ParentShards: shard.parents.map(shardIdOf),
      HashKeyRange: { StartingHashKey: shard.hashFrom, EndingHashKey: shard.hashTo },
    }));
}

/** Whole hours, rounded up; what is kept for ever is told as the longest there is. */
export function retentionHours({ settings: { retentionMs } }: Pick<StreamRecord, "settings">): number {
  return retentionMs === -1 ? RETENTION_HOURS_MAX : Math.min(Math.max(1, Math.ceil(retentionMs / HOUR_MS)), RETENTION_HOURS_MAX);
}

export function modeShape({ mode }: Pick<StreamRecord, "mode">): StreamModeDetails {
  return { StreamMode: mode === "onDemand" ? "ON_DEMAND" : "PROVISIONED" };
}

/** Shard-level metrics that are switched on. */
export function monitoringShape({ kinesis }: Pick<StreamRecord, "kinesis">): EnhancedMetrics[] {
  return [{ ShardLevelMetrics: [...(kinesis?.metrics ?? [])] as MetricsName[] }];
}

/** What all descriptions of a stream begin with. */
export function streamShape(record: StreamRecord) {
  return {
    StreamName: record.name,
    StreamARN: streamArn(record.realm, record.name),
    StreamStatus: "ACTIVE",
    StreamModeDetails: modeShape(record),
    StreamCreationTimestamp: new Date(record.createdAt),
  } satisfies StreamSummary;
}

export function encryptionShape({ kinesis }: Pick<StreamRecord, "kinesis">) {
  const key = kinesis?.encryptionKey;
  return key === undefined ? ({ EncryptionType: "NONE" } as const) : ({ EncryptionType: "KMS", KeyId: key } as const);
}

export function summaryShape(record: StreamRecord): StreamDescriptionSummary {
  return {
    ...streamShape(record),
    RetentionPeriodHours: retentionHours(record),
    EnhancedMonitoring: monitoringShape(record),
    ...encryptionShape(record),
    OpenShardCount: openShards(record).length,
    ConsumerCount: record.consumers.length,
    MaxRecordSizeInKiB: Math.floor(record.settings.recordBytesMax / 1_024),
    ...(record.mode === "onDemand" ? { WarmThroughput: warmShape(record) } : {}),
  };
}

export function warmShape({ kinesis }: Pick<StreamRecord, "kinesis">) {
  const MiBps = kinesis?.warmThroughputMiBps ?? 0;
  return { TargetMiBps: MiBps, CurrentMiBps: MiBps };
}

export function consumerShape(record: Pick<StreamRecord, "realm" | "name">, consumer: StreamConsumer) {
  return {
    ConsumerName: consumer.name,
    ConsumerARN: consumerArn(record, consumer),
    ConsumerStatus: "ACTIVE",
    ConsumerCreationTimestamp: new Date(consumer.createdAt),
  } satisfies Consumer;
}
