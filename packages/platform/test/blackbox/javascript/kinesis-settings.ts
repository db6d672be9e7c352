import assert from "node:assert/strict";
import { InvalidArgumentException, ResourceNotFoundException, ValidationException } from "@aws-sdk/client-kinesis";
import { ACCOUNT } from "../../support/javascript-clients.ts";
import type { OperationCase, Stage } from "./cases.ts";
import { arnOf, nowhere, made, summary, consumer } from "./kinesis-stage.ts";

const settingCases = {
  IncreaseStreamRetentionPeriod: {
    async does(stage) {
      await stage.js.kinesis.increaseStreamRetentionPeriod({ StreamName: await made(stage, "kept-longer"), RetentionPeriodHours: 48 });
      assert.equal((await summary(stage, "kept-longer")).RetentionPeriodHours, 48);
    },
    refuses: [
      ({ js }) => js.kinesis.increaseStreamRetentionPeriod({ StreamName: "kept-longer", RetentionPeriodHours: 24 }),
      InvalidArgumentException,
      400,
    ],
  },
  DecreaseStreamRetentionPeriod: {
    async does(stage) {
      const StreamName = await made(stage, "kept-shorter");
      await stage.stage.kinesis.increaseStreamRetentionPeriod({ StreamName, RetentionPeriodHours: 72 });
      await stage.js.kinesis.decreaseStreamRetentionPeriod({ StreamName, RetentionPeriodHours: 48 });
      assert.equal((await summary(stage, StreamName)).RetentionPeriodHours, 48);
    },
    refuses: [
      ({ js }) => js.kinesis.decreaseStreamRetentionPeriod({ StreamName: "kept-shorter", RetentionPeriodHours: 1 }),
      InvalidArgumentException,
      400,
    ],
  },
  UpdateStreamMode: {
    async does(stage) {
      const StreamARN = arnOf(await made(stage, "remade"));
      await stage.js.kinesis.updateStreamMode({ StreamARN, StreamModeDetails: { StreamMode: "ON_DEMAND" } });
      assert.equal((await summary(stage, "remade")).StreamModeDetails?.StreamMode, "ON_DEMAND");
    },
    refuses: [
      ({ js }) => js.kinesis.updateStreamMode({ StreamARN: arnOf("nowhere"), StreamModeDetails: { StreamMode: "ON_DEMAND" } }),
      ResourceNotFoundException,
      400,
    ],
  },
  UpdateMaxRecordSize: {
    async does(stage) {
      const StreamARN = arnOf(await made(stage, "larger"));
      await stage.js.kinesis.updateMaxRecordSize({ StreamARN, MaxRecordSizeInKiB: 2_048 });
      await stage.stage.kinesis.putRecord({ StreamARN, PartitionKey: "a", Data: Buffer.alloc(2_000_000) });
    },
    refuses: [
      ({ js }) => js.kinesis.updateMaxRecordSize({ StreamARN: arnOf("larger"), MaxRecordSizeInKiB: 10_241 }),
      ValidationException,
      400,
    ],
  },
  UpdateStreamWarmThroughput: {
    async does(stage) {
      await stage.stage.kinesis.createStream({ StreamName: "warm", StreamModeDetails: { StreamMode: "ON_DEMAND" } });
      await stage.js.kinesis.updateStreamWarmThroughput({ StreamName: "warm", WarmThroughputMiBps: 5 });
      assert.equal((await summary(stage, "warm")).WarmThroughput?.TargetMiBps, 5);
    },
    refuses: [({ js }) => js.kinesis.updateStreamWarmThroughput({ ...nowhere, WarmThroughputMiBps: 5 }), ResourceNotFoundException, 400],
  },
  StartStreamEncryption: {
    async does(stage) {
      const StreamName = await made(stage, "encrypted");
      await stage.js.kinesis.startStreamEncryption({ StreamName, EncryptionType: "KMS", KeyId: "alias/aws/kinesis" });
      assert.equal((await summary(stage, StreamName)).KeyId, "alias/aws/kinesis");
    },
    refuses: [
      ({ js }) => js.kinesis.startStreamEncryption({ StreamName: "encrypted", EncryptionType: "NONE", KeyId: "k" }),
      InvalidArgumentException,
      400,
    ],
  },
  StopStreamEncryption: {
    async does(stage) {
      const [StreamName, key] = [await made(stage, "decrypted"), { EncryptionType: "KMS", KeyId: "k" } as const];
      await stage.stage.kinesis.startStreamEncryption({ StreamName, ...key });
      await stage.js.kinesis.stopStreamEncryption({ StreamName, ...key });
      assert.equal((await summary(stage, StreamName)).EncryptionType, "NONE");
    },
    refuses: [
      ({ js }) => js.kinesis.stopStreamEncryption({ ...nowhere, EncryptionType: "KMS", KeyId: "k" }),
      ResourceNotFoundException,
      400,
    ],
  },
  EnableEnhancedMonitoring: {
    async does(stage) {
      const StreamName = await made(stage, "watched");
      await stage.js.kinesis.enableEnhancedMonitoring({ StreamName, ShardLevelMetrics: ["IncomingBytes"] });
      assert.deepEqual((await summary(stage, StreamName)).EnhancedMonitoring, [{ ShardLevelMetrics: ["IncomingBytes"] }]);
    },
    refuses: [({ js }) => js.kinesis.enableEnhancedMonitoring({ ...nowhere, ShardLevelMetrics: ["ALL"] }), ResourceNotFoundException, 400],
  },
  DisableEnhancedMonitoring: {
    async does(stage) {
      const StreamName = await made(stage, "unwatched");
      await stage.stage.kinesis.enableEnhancedMonitoring({ StreamName, ShardLevelMetrics: ["ALL"] });
      await stage.js.kinesis.disableEnhancedMonitoring({ StreamName, ShardLevelMetrics: ["ALL"] });
      assert.deepEqual((await summary(stage, StreamName)).EnhancedMonitoring, [{ ShardLevelMetrics: [] }]);
    },
    refuses: [({ js }) => js.kinesis.disableEnhancedMonitoring({ ...nowhere, ShardLevelMetrics: ["ALL"] }), ResourceNotFoundException, 400],
  },
} as const satisfies Readonly<Record<string, OperationCase>>;

const tags = async ({ stage }: Stage, StreamName: string) => (await stage.kinesis.listTagsForStream({ StreamName })).Tags;

const tagCases = {
  AddTagsToStream: {
    async does(stage) {
      await stage.js.kinesis.addTagsToStream({ StreamName: await made(stage, "tagged"), Tags: { a: "1" } });
      assert.deepEqual(await tags(stage, "tagged"), [{ Key: "a", Value: "1" }]);
    },
    refuses: [({ js }) => js.kinesis.addTagsToStream({ ...nowhere, Tags: { a: "1" } }), ResourceNotFoundException, 400],
  },
  RemoveTagsFromStream: {
    async does(stage) {
      const StreamName = await made(stage, "untagged");
      await stage.stage.kinesis.addTagsToStream({ StreamName, Tags: { a: "1", b: "2" } });
      await stage.js.kinesis.removeTagsFromStream({ StreamName, TagKeys: ["a"] });
      assert.deepEqual(await tags(stage, StreamName), [{ Key: "b", Value: "2" }]);
    },
    refuses: [({ js }) => js.kinesis.removeTagsFromStream({ ...nowhere, TagKeys: ["a"] }), ResourceNotFoundException, 400],
  },
  ListTagsForStream: {
    async does(stage) {
      const StreamName = await made(stage, "tags-shown");
      await stage.stage.kinesis.addTagsToStream({ StreamName, Tags: { a: "1", b: "2" } });
      const { Tags, HasMoreTags } = await stage.js.kinesis.listTagsForStream({ StreamName, Limit: 1 });
      assert.deepEqual([Tags, HasMoreTags], [[{ Key: "a", Value: "1" }], true]);
    },
    refuses: [({ js }) => js.kinesis.listTagsForStream(nowhere), ResourceNotFoundException, 400],
  },
  TagResource: {
    async does(stage) {
      await stage.js.kinesis.tagResource({ ResourceARN: arnOf(await made(stage, "tagged-by-arn")), Tags: { a: "1" } });
      assert.deepEqual(await tags(stage, "tagged-by-arn"), [{ Key: "a", Value: "1" }]);
    },
    refuses: [({ js }) => js.kinesis.tagResource({ ResourceARN: arnOf("nowhere"), Tags: { a: "1" } }), ResourceNotFoundException, 400],
  },
  UntagResource: {
    async does(stage) {
      const StreamName = await made(stage, "untagged-by-arn");
      await stage.stage.kinesis.addTagsToStream({ StreamName, Tags: { a: "1" } });
      await stage.js.kinesis.untagResource({ ResourceARN: arnOf(StreamName), TagKeys: ["a"] });
      assert.deepEqual(await tags(stage, StreamName), []);
    },
    refuses: [({ js }) => js.kinesis.untagResource({ ResourceARN: arnOf("nowhere"), TagKeys: ["a"] }), ResourceNotFoundException, 400],
  },
  ListTagsForResource: {
    async does(stage) {
      const ResourceARN = await consumer(stage, "tagged-consumer");
      await stage.stage.kinesis.tagResource({ ResourceARN, Tags: { a: "1" } });
      assert.deepEqual((await stage.js.kinesis.listTagsForResource({ ResourceARN })).Tags, [{ Key: "a", Value: "1" }]);
    },
    refuses: [({ js }) => js.kinesis.listTagsForResource({ ResourceARN: arnOf("nowhere") }), ResourceNotFoundException, 400],
  },
} as const satisfies Readonly<Record<string, OperationCase>>;

const policy = (ResourceARN: string): string =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      { Effect: "Allow", Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: "kinesis:PutRecord", Resource: ResourceARN },
    ],
  });

const policyCases = {
  PutResourcePolicy: {
    async does(stage) {
      const ResourceARN = arnOf(await made(stage, "ruled"));
      await stage.js.kinesis.putResourcePolicy({ ResourceARN, Policy: policy(ResourceARN) });
      assert.equal((await stage.stage.kinesis.getResourcePolicy({ ResourceARN })).Policy, policy(ResourceARN));
    },
    refuses: [({ js }) => js.kinesis.putResourcePolicy({ ResourceARN: arnOf("ruled"), Policy: "{}" }), InvalidArgumentException, 400],
  },
  GetResourcePolicy: {
    async does(stage) {
      const ResourceARN = arnOf(await made(stage, "rules-shown"));
      await stage.stage.kinesis.putResourcePolicy({ ResourceARN, Policy: policy(ResourceARN) });
      assert.equal((await stage.js.kinesis.getResourcePolicy({ ResourceARN })).Policy, policy(ResourceARN));
    },
    refuses: [({ js }) => js.kinesis.getResourcePolicy({ ResourceARN: arnOf("nowhere") }), ResourceNotFoundException, 400],
  },
  DeleteResourcePolicy: {
    async does(stage) {
      const ResourceARN = arnOf(await made(stage, "unruled"));
      await stage.stage.kinesis.putResourcePolicy({ ResourceARN, Policy: policy(ResourceARN) });
      await stage.js.kinesis.deleteResourcePolicy({ ResourceARN });
      await assert.rejects(stage.stage.kinesis.getResourcePolicy({ ResourceARN }), ResourceNotFoundException);
    },
    refuses: [({ js }) => js.kinesis.deleteResourcePolicy({ ResourceARN: arnOf("unruled") }), ResourceNotFoundException, 400],
  },
} as const satisfies Readonly<Record<string, OperationCase>>;

/** What of a stream can be set, its tags and its policy. */
export const kinesisSettingCases = { ...settingCases, ...tagCases, ...policyCases } as const satisfies Readonly<
  Record<string, OperationCase>
>;
