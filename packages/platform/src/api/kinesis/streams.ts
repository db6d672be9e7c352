import type {
  CreateStreamInput,
  DeleteStreamInput,
  DescribeStreamInput,
  DescribeStreamOutput,
  DescribeStreamSummaryInput,
  DescribeStreamSummaryOutput,
  ListStreamsInput,
  ListStreamsOutput,
} from "@aws-sdk/client-kinesis";
import { type Clock, isLambentError, LambentError } from "../../base/index.ts";
import { shardIdOf, type Streams } from "../../streams/index.ts";
import { given, refuseUnbuilt } from "../given.ts";
import type { RequestContext } from "../operation.ts";
import { invalidArgument, invalidValue } from "./errors.ts";
import { foundStream, streamOf } from "./names.ts";
import { pageOf, startOf } from "./paging.ts";
import { encryptionShape, monitoringShape, retentionHours, shardShape, streamShape, summaryShape, visibleShards } from "./shard-shapes.ts";
import { withTags } from "./tags.ts";
import type { Tokens } from "./tokens.ts";

/** How long a stream that is made by Kinesis keeps its records, unless it is told otherwise. */
export const RETENTION_MS = 24 * 3_600_000;
/** Shards that a stream has which nobody counted. */
const ON_DEMAND_SHARDS = 4;
const KIB = 1_024;
const RECORD_KIB = 1_024;
/** Entries of one page where the caller asks for no other number. */
const PAGE = 100;

export interface StreamOperationParts {
  readonly streams: Streams;
  readonly tokens: Tokens;
  readonly clock: Clock;
}

/** Streams as such: made, found, described, removed. They are active at once. @see Kinesis API reference */
export function streamOperations({ streams, tokens, clock }: StreamOperationParts) {
  return {
    async CreateStream(input: CreateStreamInput, { realm }: RequestContext): Promise<void> {
      refuseUnbuilt(input, ["RecordDistributionStrategy"]);
      const name = given(input.StreamName, "StreamName");
      const mode = input.StreamModeDetails?.StreamMode === "ON_DEMAND" ? "onDemand" : "provisioned";
      const created = await createNamed(streams, realm, name, {
        shards: shardCount(input, mode),
        settings: { retentionMs: RETENTION_MS, recordBytesMax: (input.MaxRecordSizeInKiB ?? RECORD_KIB) * KIB },
        madeBy: "kinesis",
        mode,
        tags: withTags({}, input.Tags ?? {}, name),
      });
      const { WarmThroughputMiBps: warm } = input;
      if (warm === undefined) return;
      await streams.update(realm, name, (record) =>
        record.id === created.id ? { ...record, kinesis: { ...record.kinesis, warmThroughputMiBps: warm } } : record,
      );
    },

    async DeleteStream(input: DeleteStreamInput, context: RequestContext): Promise<void> {
      const reference = streamOf(context, input);
      const { realm, name, consumers } = foundStream(streams, reference);
      if (consumers.length > 0 && input.EnforceConsumerDeletion !== true)
        throw new LambentError(
          "Conflict",
          `Stream ${name} under account ${realm.account} has ${consumers.length} registered consumers; EnforceConsumerDeletion removes them with it.`,
        );
      await streams.remove(realm, name);
    },

    ListStreams(input: ListStreamsInput, { realm }: RequestContext): ListStreamsOutput {
      const { Limit: limit = PAGE, ExclusiveStartStreamName: after, NextToken: token } = input;
      const start = startOf(tokens, "streams", { after, token });
      const { page, last } = pageOf(streams.list(realm), { after: start, limit, keyOf: ({ name }) => name });
      return {
        StreamNames: page.map(({ name }) => name),
        HasMoreStreams: last !== undefined,
        ...(last === undefined ? {} : { NextToken: tokens.page({ list: "streams", last }) }),
        StreamSummaries: page.map(streamShape),
      };
    },

    async DescribeStream(input: DescribeStreamInput, context: RequestContext): Promise<DescribeStreamOutput> {
      const record = foundStream(streams, streamOf(context, input));
      const { Limit: limit = PAGE, ExclusiveStartShardId: after } = input;
      const visible = visibleShards(record, clock.now());
      const { page, last } = pageOf(visible, { after, limit, keyOf: ({ number }) => shardIdOf(number) });
      return {
        StreamDescription: {
          ...streamShape(record),
          Shards: await Promise.all(page.map((shard) => shardShape(streams, record, shard))),
          HasMoreShards: last !== undefined,
          RetentionPeriodHours: retentionHours(record),
          EnhancedMonitoring: monitoringShape(record),
          ...encryptionShape(record),
        },
      };
    },

    DescribeStreamSummary(input: DescribeStreamSummaryInput, context: RequestContext): DescribeStreamSummaryOutput {
      return { StreamDescriptionSummary: summaryShape(foundStream(streams, streamOf(context, input))) };
    },
  };
}

function shardCount({ ShardCount: count }: CreateStreamInput, mode: "provisioned" | "onDemand"): number {
  if (mode === "onDemand") {
    if (count !== undefined) throw invalidValue("ShardCount must not be given for a stream whose mode is ON_DEMAND.");
    return ON_DEMAND_SHARDS;
  }
  if (count === undefined) throw invalidArgument("ShardCount is required for a stream whose mode is PROVISIONED.");
  return count;
}

async function createNamed(streams: Streams, realm: RequestContext["realm"], name: string, made: Parameters<Streams["create"]>[2]) {
  try {
    return await streams.create(realm, name, made);
  } catch (error) {
    if (isLambentError(error, "AlreadyExists"))
      throw new LambentError("AlreadyExists", `Stream ${name} under account ${realm.account} already exists.`);
    throw error;
  }
}
