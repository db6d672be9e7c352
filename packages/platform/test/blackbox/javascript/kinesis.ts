import assert from "node:assert/strict";
import {
  InvalidArgumentException,
  LimitExceededException,
  ResourceInUseException,
  ResourceNotFoundException,
  ValidationException,
  waitUntilStreamNotExists,
} from "@aws-sdk/client-kinesis";
import type { OperationCase } from "./cases.ts";
import { kinesisSettingCases } from "./kinesis-settings.ts";
import {
  arnOf,
  shardId,
  HALF,
  often,
  bytes,
  nowhere,
  uniform,
  made,
  put,
  iterator,
  texts,
  summary,
  consumer,
  openShards,
} from "./kinesis-stage.ts";

const streamCases = {
  CreateStream: {
    async does(stage) {
      await stage.js.kinesis.createStream({ StreamName: "created", ShardCount: 2, Tags: { a: "1" } });
      assert.equal((await summary(stage, "created")).OpenShardCount, 2);
    },
    refuses: [({ js }) => js.kinesis.createStream({ StreamName: "created", ShardCount: 1 }), ResourceInUseException, 400],
  },
  DeleteStream: {
    async does(stage) {
      const StreamName = await made(stage, "deleted");
      await stage.js.kinesis.deleteStream({ StreamName });
      await waitUntilStreamNotExists({ ...often, client: stage.stage.kinesis }, { StreamName });
    },
    refuses: [({ js }) => js.kinesis.deleteStream(nowhere), ResourceNotFoundException, 400],
  },
  DescribeStream: {
    async does(stage) {
      const { StreamDescription } = await stage.js.kinesis.describeStream({ StreamName: await made(stage, "described", 2) });
      assert.deepEqual(
        StreamDescription?.Shards?.map(({ ShardId }) => ShardId),
        [shardId(0), shardId(1)],
      );
    },
    refuses: [({ js }) => js.kinesis.describeStream(nowhere), ResourceNotFoundException, 400],
  },
  DescribeStreamSummary: {
    async does(stage) {
      const { StreamDescriptionSummary: shown } = await stage.js.kinesis.describeStreamSummary({
        StreamName: await made(stage, "summarised"),
      });
      assert.deepEqual([shown?.StreamStatus, shown?.RetentionPeriodHours, shown?.MaxRecordSizeInKiB], ["ACTIVE", 24, 1_024]);
    },
    refuses: [({ js }) => js.kinesis.describeStreamSummary(nowhere), ResourceNotFoundException, 400],
  },
  ListStreams: {
    async does(stage) {
      await made(stage, "aaa-listed");
      const { StreamNames, HasMoreStreams } = await stage.js.kinesis.listStreams({ Limit: 1 });
      assert.deepEqual([StreamNames, HasMoreStreams], [["aaa-listed"], true]);
    },
    refuses: [({ js }) => js.kinesis.listStreams({ Limit: 10_001 }), ValidationException, 400],
  },
  DescribeLimits: {
    async does(stage) {
      await made(stage, "counted");
      assert.ok(((await stage.recorded({ region: "eu-west-1" }).kinesis.describeLimits()).OpenShardCount ?? -1) === 0);
    },
    refuses: [
      ({ recorded }) => recorded({ credentials: { accessKeyId: "AKIANOBODYNOBODYNOBO", secretAccessKey: "x" } }).kinesis.describeLimits(),
      "UnrecognizedClientException",
      403,
    ],
  },
  DescribeAccountSettings: {
    async does({ js }) {
      assert.equal((await js.kinesis.describeAccountSettings()).MinimumThroughputBillingCommitment?.Status, "DISABLED");
    },
    refuses: [
      ({ recorded }) =>
        recorded({ credentials: { accessKeyId: "AKIANOBODYNOBODYNOBO", secretAccessKey: "x" } }).kinesis.describeAccountSettings(),
      "UnrecognizedClientException",
      403,
    ],
  },
  UpdateAccountSettings: {
    does: ({ js }) => js.kinesis.updateAccountSettings({ MinimumThroughputBillingCommitment: { Status: "DISABLED" } }),
    refuses: [
      ({ js }) => js.kinesis.updateAccountSettings({ MinimumThroughputBillingCommitment: { Status: "ENABLED" } }),
      "NotImplemented",
      501,
    ],
  },
} as const satisfies Readonly<Record<string, OperationCase>>;

const recordCases = {
  PutRecord: {
    async does(stage) {
      const StreamName = await made(stage, "put");
      const { ShardId } = await stage.js.kinesis.putRecord({ StreamName, PartitionKey: "a", Data: bytes("hello") });
      assert.deepEqual([ShardId, await texts(stage, StreamName)], [shardId(0), ["hello"]]);
    },
    refuses: [({ js }) => js.kinesis.putRecord({ ...nowhere, PartitionKey: "a", Data: bytes("") }), ResourceNotFoundException, 400],
  },
  PutRecords: {
    async does(stage) {
      const StreamName = await made(stage, "put-many", 2);
      const Records = ["a", "b"].map((PartitionKey) => ({ PartitionKey, Data: bytes(PartitionKey) }));
      assert.equal((await stage.js.kinesis.putRecords({ StreamName, Records })).FailedRecordCount, 0);
      assert.deepEqual([await texts(stage, StreamName, 0), await texts(stage, StreamName, 1)], [["a"], ["b"]]);
    },
    refuses: [({ js }) => js.kinesis.putRecords({ ...nowhere, Records: [] }), ValidationException, 400],
  },
  GetShardIterator: {
    async does(stage) {
      const StreamName = await made(stage, "iterated");
      const [, second = ""] = await put(stage, StreamName, "one", "two");
      const { ShardIterator } = await stage.js.kinesis.getShardIterator({
        ...{ StreamName, ShardId: shardId(0), ShardIteratorType: "AT_SEQUENCE_NUMBER" },
        StartingSequenceNumber: second,
      });
      const { Records } = await stage.stage.kinesis.getRecords({ ShardIterator });
      assert.deepEqual(
        Records?.map(({ Data }) => Buffer.from(Data ?? []).toString()),
        ["two"],
      );
    },
    refuses: [
      ({ js }) => js.kinesis.getShardIterator({ StreamName: "iterated", ShardId: shardId(0), ShardIteratorType: "AT_TIMESTAMP" }),
      InvalidArgumentException,
      400,
    ],
  },
  GetRecords: {
    async does(stage) {
      const StreamName = await made(stage, "got");
      const numbers = await put(stage, StreamName, "one", "two");
      const answer = await stage.js.kinesis.getRecords({ ShardIterator: await iterator(stage, StreamName), Limit: 10 });
      assert.deepEqual(
        answer.Records?.map(({ SequenceNumber }) => SequenceNumber),
        numbers,
      );
      assert.equal(answer.MillisBehindLatest, 0);
    },
    refuses: [({ js }) => js.kinesis.getRecords({ ShardIterator: "none" }), InvalidArgumentException, 400],
  },
} as const satisfies Readonly<Record<string, OperationCase>>;

const shardCases = {
  ListShards: {
    async does(stage) {
      const { Shards, NextToken } = await stage.js.kinesis.listShards({ StreamName: await made(stage, "sharded", 3), MaxResults: 2 });
      assert.equal(Shards?.length, 2);
      assert.equal((await stage.stage.kinesis.listShards({ NextToken })).Shards?.length, 1);
    },
    refuses: [({ js }) => js.kinesis.listShards(nowhere), ResourceNotFoundException, 400],
  },
  SplitShard: {
    async does(stage) {
      const StreamName = await made(stage, "split");
      await stage.js.kinesis.splitShard({ StreamName, ShardToSplit: shardId(0), NewStartingHashKey: HALF });
      assert.deepEqual(await openShards(stage, StreamName), [shardId(1), shardId(2)]);
    },
    refuses: [
      ({ js }) => js.kinesis.splitShard({ StreamName: "split", ShardToSplit: shardId(0), NewStartingHashKey: HALF }),
      InvalidArgumentException,
      400,
    ],
  },
  MergeShards: {
    async does(stage) {
      const StreamName = await made(stage, "merged", 2);
      await stage.js.kinesis.mergeShards({ StreamName, ShardToMerge: shardId(0), AdjacentShardToMerge: shardId(1) });
      assert.deepEqual(await openShards(stage, StreamName), [shardId(2)]);
    },
    refuses: [
      ({ js }) => js.kinesis.mergeShards({ ...nowhere, ShardToMerge: shardId(0), AdjacentShardToMerge: shardId(1) }),
      ResourceNotFoundException,
      400,
    ],
  },
  UpdateShardCount: {
    async does(stage) {
      const StreamName = await made(stage, "rescaled", 2);
      await stage.js.kinesis.updateShardCount({ StreamName, TargetShardCount: 4, ...uniform });
      assert.equal((await openShards(stage, StreamName)).length, 4);
    },
    refuses: [
      ({ js }) => js.kinesis.updateShardCount({ StreamName: "rescaled", TargetShardCount: 100, ...uniform }),
      InvalidArgumentException,
      400,
    ],
  },
} as const satisfies Readonly<Record<string, OperationCase>>;

const consumerCases = {
  RegisterStreamConsumer: {
    async does(stage) {
      const StreamARN = arnOf(await made(stage, "fanned"));
      const { Consumer } = await stage.js.kinesis.registerStreamConsumer({ StreamARN, ConsumerName: "one" });
      assert.equal(Consumer?.ConsumerStatus, "ACTIVE");
      for (let number = 0; number < 19; number += 1)
        await stage.stage.kinesis.registerStreamConsumer({ StreamARN, ConsumerName: `c${number}` });
    },
    refuses: [
      ({ js }) => js.kinesis.registerStreamConsumer({ StreamARN: arnOf("fanned"), ConsumerName: "twenty-first" }),
      LimitExceededException,
      400,
    ],
  },
  DeregisterStreamConsumer: {
    async does(stage) {
      const ConsumerARN = await consumer(stage, "unfanned");
      await stage.js.kinesis.deregisterStreamConsumer({ ConsumerARN });
      assert.equal((await summary(stage, "unfanned")).ConsumerCount, 0);
    },
    refuses: [
      ({ js }) => js.kinesis.deregisterStreamConsumer({ StreamARN: arnOf("unfanned"), ConsumerName: "c" }),
      ResourceNotFoundException,
      400,
    ],
  },
  DescribeStreamConsumer: {
    async does(stage) {
      const ConsumerARN = await consumer(stage, "fan-shown");
      const { ConsumerDescription } = await stage.js.kinesis.describeStreamConsumer({ ConsumerARN });
      assert.deepEqual([ConsumerDescription?.ConsumerName, ConsumerDescription?.StreamARN], ["c", arnOf("fan-shown")]);
    },
    refuses: [
      ({ js }) => js.kinesis.describeStreamConsumer({ StreamARN: arnOf("fan-shown"), ConsumerName: "d" }),
      ResourceNotFoundException,
      400,
    ],
  },
  ListStreamConsumers: {
    async does(stage) {
      await consumer(stage, "fans-listed");
      const { Consumers } = await stage.js.kinesis.listStreamConsumers({ StreamARN: arnOf("fans-listed") });
      assert.deepEqual(
        Consumers?.map(({ ConsumerName }) => ConsumerName),
        ["c"],
      );
    },
    refuses: [({ js }) => js.kinesis.listStreamConsumers({ StreamARN: arnOf("nowhere") }), ResourceNotFoundException, 400],
  },
  SubscribeToShard: {
    async does(stage) {
      const ConsumerARN = await consumer(stage, "pushed");
      await put(stage, "pushed", "one", "two");
      // A shard that takes no more is a subscription that ends.
      await stage.stage.kinesis.splitShard({ StreamName: "pushed", ShardToSplit: shardId(0), NewStartingHashKey: HALF });
      const from = { ConsumerARN, ShardId: shardId(0), StartingPosition: { Type: "TRIM_HORIZON" as const } };
      const { EventStream } = await stage.js.kinesis.subscribeToShard(from);
      const events = await Array.fromAsync(EventStream ?? []);
      const records = events.flatMap(({ SubscribeToShardEvent }) => SubscribeToShardEvent?.Records ?? []);
      assert.deepEqual(
        records.map(({ Data }) => Buffer.from(Data ?? []).toString()),
        ["one", "two"],
      );
      assert.equal(events.at(-1)?.SubscribeToShardEvent?.ChildShards?.length, 2);
    },
    refuses: [
      ({ js }) =>
        js.kinesis.subscribeToShard({
          ConsumerARN: `${arnOf("pushed")}/consumer/nobody:1`,
          ShardId: shardId(0),
          StartingPosition: { Type: "LATEST" },
        }),
      ResourceNotFoundException,
      400,
    ],
  },
} as const satisfies Readonly<Record<string, OperationCase>>;

/** Every operation of Kinesis that is built; what only prepares goes by HTTP/2, as the SDK has it. */
export const kinesisCases = {
  ...streamCases,
  ...recordCases,
  ...shardCases,
  ...kinesisSettingCases,
  ...consumerCases,
} as const satisfies Readonly<Record<string, OperationCase>>;
