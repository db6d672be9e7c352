import type {
  ListShardsInput,
  ListShardsOutput,
  MergeShardsInput,
  ShardFilter,
  SplitShardInput,
  UpdateShardCountInput,
  UpdateShardCountOutput,
} from "@aws-sdk/client-kinesis";
import { type Clock, type Instant, LambentError } from "../../base/index.ts";
import type { Realm } from "../../model/index.ts";
import { shardIdOf, type ShardRecord, streamArn, type StreamRecord, type StreamReference, type Streams } from "../../streams/index.ts";
import { given, refuseUnbuilt } from "../given.ts";
import type { RequestContext } from "../operation.ts";
import { invalidArgument, invalidValue } from "./errors.ts";
import { foundShard, foundStream, placeOf, shardNumberOf, streamOf } from "./names.ts";
import { pageOf } from "./paging.ts";
import { nextStep } from "./resharding.ts";
import { openShards, shardShape, visibleShards } from "./shard-shapes.ts";
import type { Tokens } from "./tokens.ts";

const PAGE = 1_000;
/** Steps of one change of a stream's number of shards; more than any needs. */
const STEPS_MAX = 100_000;

export interface ShardOperationParts {
  readonly streams: Streams;
  /** Whether groups of Kafka's have positions in a stream: those are of partitions, and know nothing of children. */
  readonly hasGroups: (realm: Realm, stream: string) => Promise<boolean>;
  readonly tokens: Tokens;
  readonly clock: Clock;
}

/** Shards: listed, split, merged. @see Kinesis API reference */
export function shardOperations(parts: ShardOperationParts) {
  const { streams } = parts;
  const changing = new Set<string>();
  return {
    ListShards: (input: ListShardsInput, context: RequestContext) => listShards(parts, input, context),

    async SplitShard(input: SplitShardInput, context: RequestContext): Promise<void> {
      const reference = streamOf(context, input);
      await alone(changing, reference, async () => {
        const record = await reshardable(parts, reference);
        const shard = openShard(record, input.ShardToSplit);
        const at = given(input.NewStartingHashKey, "NewStartingHashKey");
        requireWithin(record, shard, at);
        await streams.split(record.realm, record.name, shard.number, at);
      });
    },

    async MergeShards(input: MergeShardsInput, context: RequestContext): Promise<void> {
      const reference = streamOf(context, input);
      await alone(changing, reference, async () => {
        const record = await reshardable(parts, reference);
        const [shard, adjacent] = [openShard(record, input.ShardToMerge), openShard(record, input.AdjacentShardToMerge)];
        if (!isBeside(shard, adjacent) && !isBeside(adjacent, shard))
          throw invalidArgument(
            `Shards ${shardIdOf(shard.number)} and ${shardIdOf(adjacent.number)} in stream ${record.name} under account ${record.realm.account} are not an adjacent pair of shards eligible for merging`,
          );
        await streams.merge(record.realm, record.name, shard.number, adjacent.number);
      });
    },

    async UpdateShardCount(input: UpdateShardCountInput, context: RequestContext): Promise<UpdateShardCountOutput> {
      const reference = streamOf(context, input);
      const target = given(input.TargetShardCount, "TargetShardCount");
      const current = await alone(changing, reference, async () => {
        const record = await reshardable(parts, reference);
        const { length } = openShards(record);
        if (target > 2 * length || target < length / 2)
          throw invalidArgument(
            `UpdateShardCount cannot scale stream ${record.name} from ${length} to ${target} shards: at most twice and at least half as many are possible at once.`,
          );
        await reshard(streams, record, target);
        return length;
      });
      const { realm, name } = reference;
      return { StreamName: name, CurrentShardCount: current, TargetShardCount: target, StreamARN: streamArn(realm, name) };
    },
  };
}

/** Each step is a commit of its own: what a crash leaves is a stream with other shards, which the next call brings to the number. */
async function reshard(streams: Streams, { realm, name }: StreamRecord, count: number): Promise<void> {
  for (let steps = 0; steps < STEPS_MAX; steps += 1) {
    const step = nextStep(openShards(foundStream(streams, { realm, name })), count);
    if (!step) return;
    if (step.kind === "split") await streams.split(realm, name, step.shard, step.at);
    else await streams.merge(realm, name, step.shard, step.adjacent);
  }
}

async function listShards(
  { streams, tokens, clock }: ShardOperationParts,
  input: ListShardsInput,
  context: RequestContext,
): Promise<ListShardsOutput> {
  const { NextToken: token, MaxResults: limit = PAGE, ExclusiveStartShardId, ShardFilter: filter } = input;
  const asked = token === undefined ? undefined : readPage(tokens, input, token);
  const record = foundStream(streams, asked?.stream ?? streamOf(context, input));
  if (asked && asked.id !== record.id) throw invalidArgument("Invalid NextToken: the stream is another one now.");
  const applied = asked ? asked.filter : filter;
  const shards = filtered(record, applied, clock.now());
  const after = asked?.after ?? ExclusiveStartShardId;
  const { page, last } = pageOf(shards, { after, limit, keyOf: ({ number }) => shardIdOf(number) });
  return {
    Shards: await Promise.all(page.map((shard) => shardShape(streams, record, shard))),
    ...(last === undefined ? {} : { NextToken: tokens.page(pageFor(record, applied, last)) }),
  };
}

/** The whole list in the token: whoever has one gives nothing else. */
function pageFor({ realm, name, id }: StreamRecord, filter: ShardFilter | undefined, last: string) {
  const { Type, ShardId, Timestamp } = filter ?? {};
  return { list: JSON.stringify(["shards", realm.account, realm.region, name, id, Type, ShardId, Timestamp?.getTime()]), last };
}

function readPage(tokens: Tokens, input: ListShardsInput, token: string) {
  refuseUnbuilt(input, ["StreamId"]);
  for (const member of ["StreamName", "StreamARN", "ExclusiveStartShardId", "StreamCreationTimestamp"] as const)
    if (input[member] !== undefined) throw invalidArgument(`NextToken and ${member} cannot be provided together.`);
  return shardPage(tokens, token);
}

/** The list of shards that a token goes on with. */
export function shardPage(tokens: Tokens, token: string) {
  const { list, last } = tokens.pageOf(token);
  if (!list.startsWith('["shards"')) throw invalidArgument("Invalid NextToken: it is that of another list.");
  const [, account, region, name, id, type, shardId, time] = JSON.parse(list) as (string | number | null)[];
  const filter =
    type === null || type === undefined
      ? undefined
      : {
          Type: type as ShardFilter["Type"],
          ...(shardId === null ? {} : { ShardId: String(shardId) }),
          ...(time === null ? {} : { Timestamp: new Date(Number(time)) }),
        };
  return { stream: { realm: { account: String(account), region: String(region) }, name: String(name) }, id, filter, after: last };
}

/** @see Kinesis API reference, ShardFilter */
function filtered(record: StreamRecord, filter: ShardFilter | undefined, now: Instant): readonly ShardRecord[] {
  const visible = visibleShards(record, now);
  const { retentionMs } = record.settings;
  const horizon = Math.max(record.createdAt, retentionMs === -1 ? 0 : now - retentionMs);
  switch (filter?.Type) {
    case undefined:
    case "FROM_TRIM_HORIZON":
      return visible;
    case "AFTER_SHARD_ID": {
      const number = shardNumberOf(required(filter.ShardId, "ShardId", filter));
      return visible.filter((shard) => number !== undefined && shard.number > number);
    }
    case "AT_LATEST":
      return openShards(record);
    case "AT_TRIM_HORIZON":
      return visible.filter(openAt(horizon));
    case "AT_TIMESTAMP":
      return visible.filter(openAt(Math.max(horizon, timeOf(filter, now))));
    case "FROM_TIMESTAMP": {
      const from = Math.max(horizon, timeOf(filter, now));
      return visible.filter(({ closed }) => !closed || closed.at >= from);
    }
    default:
      throw invalidArgument(`ShardFilter of the type ${String(filter?.Type)} is none of Kinesis.`);
  }
}

function openAt(time: Instant): (shard: ShardRecord) => boolean {
  return ({ openedAt, closed }) => openedAt <= time && (!closed || closed.at > time);
}

function timeOf(filter: ShardFilter, now: Instant): Instant {
  const time = required(filter.Timestamp, "Timestamp", filter).getTime();
  if (time > now) throw invalidArgument(`The timestamp ${new Date(time).toISOString()} of ShardFilter is in the future.`);
  return time;
}

function required<T>(value: T | undefined, member: string, { Type }: ShardFilter): T {
  if (value === undefined) throw invalidArgument(`ShardFilter of the type ${Type} needs a ${member}.`);
  return value;
}

/** As on AWS, a stream whose shards change at the moment is in use. */
async function alone<T>(changing: Set<string>, { realm, name }: StreamReference, change: () => Promise<T>): Promise<T> {
  const key = `${realm.account}/${realm.region}/${name}`;
  if (changing.has(key))
    throw new LambentError("Conflict", `Stream ${name} under account ${realm.account} not ACTIVE, instead in state UPDATING`);
  changing.add(key);
  try {
    return await change();
  } finally {
    changing.delete(key);
  }
}

/** A stream whose shards may change. */
async function reshardable({ streams, hasGroups }: ShardOperationParts, reference: StreamReference): Promise<StreamRecord> {
  const record = foundStream(streams, reference);
  if (record.mode === "onDemand")
    throw invalidValue(
      `Stream ${record.name} under account ${record.realm.account} is in ON_DEMAND mode; its shards are not changed by hand.`,
    );
  if (await hasGroups(record.realm, record.name))
    throw new LambentError(
      "Conflict",
      `Consumer groups of Kafka read stream ${record.name}: their positions are of partitions, and cannot follow shards that are split or merged. Delete the groups first, or add partitions by Kafka.`,
    );
  return record;
}

function openShard(record: StreamRecord, shardId: string | undefined): ShardRecord {
  const shard = foundShard(record, shardId);
  if (shard.closed) throw invalidArgument(`The ${placeOf(record, shard)} is closed: it was split or merged.`);
  return shard;
}

function requireWithin(record: StreamRecord, shard: ShardRecord, at: string): void {
  const [key, from, to] = [BigInt(at), BigInt(shard.hashFrom), BigInt(shard.hashTo)];
  if (key <= from + 1n || key >= to)
    throw invalidArgument(
      `NewStartingHashKey ${at} used in SplitShard() on ${placeOf(record, shard)} is not both greater than one plus the shard's StartingHashKey ${shard.hashFrom} and less than the shard's EndingHashKey ${shard.hashTo}.`,
    );
}

function isBeside(left: ShardRecord, right: ShardRecord): boolean {
  return BigInt(left.hashTo) + 1n === BigInt(right.hashFrom);
}
