import type { GetRecordsInput, GetRecordsOutput, GetShardIteratorInput, GetShardIteratorOutput } from "@aws-sdk/client-kinesis";
import type { Clock } from "../../base/index.ts";
import { shardIdOf, streamArn, type StreamRecord, type Streams } from "../../streams/index.ts";
import { given, refuseUnbuilt } from "../given.ts";
import type { RequestContext } from "../operation.ts";
import { invalidArgument } from "./errors.ts";
import { foundShard, foundStream, referenceOf, streamNotFound, streamOf } from "./names.ts";
import { startingOffset } from "./positions.ts";
import { GET_RECORDS_BYTES_MAX, readPortion } from "./reading.ts";
import { childShards } from "./shard-shapes.ts";
import type { ShardPosition, Tokens } from "./tokens.ts";

/** Records of one answer. @limit */
export const GET_RECORDS_MAX = 10_000;

export interface IteratorOperationParts {
  readonly streams: Streams;
  readonly tokens: Tokens;
  readonly clock: Clock;
}

/** A shard is read step by step; nothing is kept here of who reads. @see Kinesis API reference */
export function iteratorOperations({ streams, tokens, clock }: IteratorOperationParts) {
  return {
    async GetShardIterator(input: GetShardIteratorInput, context: RequestContext): Promise<GetShardIteratorOutput> {
      refuseUnbuilt(input, ["DryRun"]);
      const record = foundStream(streams, streamOf(context, input));
      const shard = foundShard(record, input.ShardId);
      const partition = await streams.partition(record.realm, record.name, shard.number);
      const asked = { type: input.ShardIteratorType, sequenceNumber: input.StartingSequenceNumber, timestamp: input.Timestamp };
      const offset = await startingOffset(partition, shard, asked, clock.now());
      return { ShardIterator: tokens.iterator(positionIn(record, shard.number, offset)) };
    },

    async GetRecords(input: GetRecordsInput, context: RequestContext): Promise<GetRecordsOutput> {
      refuseUnbuilt(input, ["DryRun", "StreamId"]);
      const { givenAt, ...position } = tokens.positionOf(given(input.ShardIterator, "ShardIterator"));
      // Who has an iterator of another account's stream is held to what holds for its ARN.
      const reference = referenceOf(context, streamArn(position.realm, position.stream));
      if (input.StreamARN !== undefined && referenceOf(context, input.StreamARN).name !== reference.name)
        throw invalidArgument("Invalid ShardIterator: it is that of another stream.");
      tokens.requireFresh(givenAt);
      const record = foundStream(streams, reference);
      if (record.id !== position.streamId) throw streamNotFound(position.realm, position.stream);
      const shard = foundShard(record, shardIdOf(position.shard));
      const partition = await streams.partition(record.realm, record.name, shard.number);
      const bounds = { recordsMax: input.Limit ?? GET_RECORDS_MAX, bytesMax: GET_RECORDS_BYTES_MAX };
      const { records, next, behindMs } = await readPortion(partition, shard, position.offset, bounds, clock.now());
      const answer = { Records: [...records], MillisBehindLatest: behindMs };
      // Read anew: the shard may have been closed while it was read.
      const current = partition.stream;
      const isDone = current.shards[shard.number]?.closed !== undefined && next >= partition.end;
      if (isDone) return { ...answer, ChildShards: childShards(current, shard.number) };
      return { ...answer, NextShardIterator: tokens.iterator({ ...position, offset: next }) };
    },
  };
}

function positionIn({ realm, name, id }: StreamRecord, shard: number, offset: number): ShardPosition {
  return { realm, stream: name, streamId: id, shard, offset };
}
