import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ResourceNotFoundException, waitUntilStreamExists, waitUntilStreamNotExists } from "@aws-sdk/client-kinesis";
import type { TestSecurity } from "../../support/api-client.ts";
import { functionVersion } from "../../support/function-version.ts";
import { ACCOUNT, arnOf, openKinesis, REALM, refused, shardId } from "./world.ts";

const often = { minDelay: 0.01, maxDelay: 0.05, maxWaitTime: 5 };
const HALF = 2n ** 127n;
const LAST_KEY = String(2n ** 128n - 1n);

describe("streams", () => {
  test("are made, described, listed and removed; the SDK's waiters are content at once", async (context) => {
    const { kinesis, clock } = await openKinesis(context);
    await kinesis.createStream({ StreamName: "s", ShardCount: 2, Tags: { a: "1" } });
    await waitUntilStreamExists({ ...often, client: kinesis }, { StreamName: "s" });
    const { StreamDescription } = await kinesis.describeStream({ StreamName: "s" });
    assert.deepEqual(StreamDescription, {
      StreamName: "s",
      StreamARN: arnOf("s"),
      StreamStatus: "ACTIVE",
      StreamModeDetails: { StreamMode: "PROVISIONED" },
      StreamCreationTimestamp: new Date(clock.now()),
      Shards: [
        {
          ShardId: shardId(0),
          HashKeyRange: { StartingHashKey: "0", EndingHashKey: String(HALF - 1n) },
          SequenceNumberRange: { StartingSequenceNumber: StreamDescription?.Shards?.[0]?.SequenceNumberRange?.StartingSequenceNumber },
        },
        {
          ShardId: shardId(1),
          HashKeyRange: { StartingHashKey: String(HALF), EndingHashKey: LAST_KEY },
          SequenceNumberRange: { StartingSequenceNumber: StreamDescription?.Shards?.[1]?.SequenceNumberRange?.StartingSequenceNumber },
        },
      ],
      HasMoreShards: false,
      RetentionPeriodHours: 24,
      EnhancedMonitoring: [{ ShardLevelMetrics: [] }],
      EncryptionType: "NONE",
    });
    await refused(
      kinesis.createStream({ StreamName: "s", ShardCount: 1 }),
      "ResourceInUseException",
      /^Stream s under account \d{12} already exists\.$/,
    );
    await kinesis.deleteStream({ StreamARN: arnOf("s") });
    await waitUntilStreamNotExists({ ...often, client: kinesis }, { StreamName: "s" });
    await assert.rejects(kinesis.describeStreamSummary({ StreamName: "s" }), ResourceNotFoundException);
  });

  test("are of one mode, which says whether their shards are counted", async (context) => {
    const { kinesis, make } = await openKinesis(context);
    const onDemand = { StreamModeDetails: { StreamMode: "ON_DEMAND" as const } };
    await kinesis.createStream({ StreamName: "d", ...onDemand, WarmThroughputMiBps: 10, MaxRecordSizeInKiB: 2_048 });
    const summary = async (StreamName: string) => (await kinesis.describeStreamSummary({ StreamName })).StreamDescriptionSummary;
    const shown = await summary("d");
    assert.deepEqual([shown?.OpenShardCount, shown?.StreamModeDetails?.StreamMode, shown?.MaxRecordSizeInKiB], [4, "ON_DEMAND", 2_048]);
    assert.deepEqual(shown?.WarmThroughput, { TargetMiBps: 10, CurrentMiBps: 10 });
    await refused(kinesis.createStream({ StreamName: "x", ShardCount: 1, ...onDemand }), "ValidationException");
    await refused(kinesis.createStream({ StreamName: "x" }), "InvalidArgumentException", /ShardCount is required/);
    await refused(
      kinesis.updateShardCount({ StreamName: "d", TargetShardCount: 8, ScalingType: "UNIFORM_SCALING" }),
      "ValidationException",
    );
    await kinesis.updateStreamWarmThroughput({ StreamName: "d", WarmThroughputMiBps: 20 });
    assert.equal((await summary("d"))?.WarmThroughput?.TargetMiBps, 20);
    await kinesis.updateStreamMode({ StreamARN: arnOf("d"), StreamModeDetails: { StreamMode: "PROVISIONED" } });
    assert.equal((await summary("d"))?.StreamModeDetails?.StreamMode, "PROVISIONED");
    await make("p");
    await refused(kinesis.updateStreamWarmThroughput({ StreamName: "p", WarmThroughputMiBps: 1 }), "ValidationException");
  });

  test("are listed page by page", async (context) => {
    const { kinesis, clock, make } = await openKinesis(context);
    for (const name of ["c", "a", "b"]) await make(name);
    const first = await kinesis.listStreams({ Limit: 2 });
    assert.deepEqual([first.StreamNames, first.HasMoreStreams], [["a", "b"], true]);
    assert.deepEqual(
      first.StreamSummaries?.map(({ StreamARN }) => StreamARN),
      ["a", "b"].map(arnOf),
    );
    const second = await kinesis.listStreams({ Limit: 2, NextToken: first.NextToken });
    assert.deepEqual([second.StreamNames, second.HasMoreStreams, second.NextToken], [["c"], false, undefined]);
    assert.deepEqual((await kinesis.listStreams({ ExclusiveStartStreamName: "b" })).StreamNames, ["c"]);
    await refused(kinesis.listStreams({ NextToken: "none" }), "InvalidArgumentException");
    await clock.advance(300_001);
    await refused(kinesis.listStreams({ NextToken: first.NextToken }), "ExpiredNextTokenException");
  });

  test("that Kafka made are streams of Kinesis, with the retention that can be told of them", async (context) => {
    const { kinesis, streams } = await openKinesis(context);
    await streams.create(REALM, "kept", { shards: 3, madeBy: "kafka", settings: { retentionMs: -1 } });
    const { StreamDescriptionSummary } = await kinesis.describeStreamSummary({ StreamName: "kept" });
    assert.deepEqual([StreamDescriptionSummary?.OpenShardCount, StreamDescriptionSummary?.RetentionPeriodHours], [3, 8_760]);
    const { ShardId } = await kinesis.putRecord({ StreamName: "kept", PartitionKey: "k", Data: Buffer.from("v") });
    assert.match(ShardId ?? "", /^shardId-00000000000[0-2]$/);
  });

  test("keep what Kinesis shows: retention, metrics, keys, tags", async (context) => {
    const { kinesis, make } = await openKinesis(context);
    const StreamName = await make("s");
    const summary = async () => (await kinesis.describeStreamSummary({ StreamName })).StreamDescriptionSummary;
    await kinesis.increaseStreamRetentionPeriod({ StreamName, RetentionPeriodHours: 48 });
    assert.equal((await summary())?.RetentionPeriodHours, 48);
    const retention = (RetentionPeriodHours: number) => ({ StreamName, RetentionPeriodHours });
    await refused(kinesis.increaseStreamRetentionPeriod(retention(24)), "InvalidArgumentException", /can not be shorter than existing/);
    await refused(kinesis.increaseStreamRetentionPeriod(retention(8_761)), "InvalidArgumentException", /8760 hours/);
    await refused(kinesis.decreaseStreamRetentionPeriod(retention(72)), "InvalidArgumentException", /can not be longer than existing/);
    await refused(kinesis.decreaseStreamRetentionPeriod(retention(23)), "InvalidArgumentException", /Minimum allowed/);
    await kinesis.decreaseStreamRetentionPeriod(retention(24));
    assert.equal((await summary())?.RetentionPeriodHours, 24);

    const on = await kinesis.enableEnhancedMonitoring({ StreamName, ShardLevelMetrics: ["IncomingBytes", "OutgoingBytes"] });
    assert.deepEqual([on.CurrentShardLevelMetrics, on.DesiredShardLevelMetrics], [[], ["IncomingBytes", "OutgoingBytes"]]);
    const off = await kinesis.disableEnhancedMonitoring({ StreamName, ShardLevelMetrics: ["IncomingBytes"] });
    assert.deepEqual(off.DesiredShardLevelMetrics, ["OutgoingBytes"]);
    assert.equal((await kinesis.enableEnhancedMonitoring({ StreamName, ShardLevelMetrics: ["ALL"] })).DesiredShardLevelMetrics?.length, 7);

    await kinesis.startStreamEncryption({ StreamName, EncryptionType: "KMS", KeyId: "alias/aws/kinesis" });
    assert.deepEqual([(await summary())?.EncryptionType, (await summary())?.KeyId], ["KMS", "alias/aws/kinesis"]);
    assert.equal((await kinesis.putRecord({ StreamName, PartitionKey: "k", Data: Buffer.from("v") })).EncryptionType, "KMS");
    await kinesis.stopStreamEncryption({ StreamName, EncryptionType: "KMS", KeyId: "alias/aws/kinesis" });
    assert.deepEqual([(await summary())?.EncryptionType, (await summary())?.KeyId], ["NONE", undefined]);

    await kinesis.addTagsToStream({ StreamName, Tags: { b: "2", a: "1" } });
    await kinesis.tagResource({ ResourceARN: arnOf("s"), Tags: { c: "3" } });
    const page = await kinesis.listTagsForStream({ StreamName, Limit: 2 });
    assert.deepEqual([page.Tags?.map(({ Key }) => Key), page.HasMoreTags], [["a", "b"], true]);
    assert.deepEqual((await kinesis.listTagsForStream({ StreamName, ExclusiveStartTagKey: "b" })).Tags, [{ Key: "c", Value: "3" }]);
    await kinesis.removeTagsFromStream({ StreamName, TagKeys: ["a"] });
    await kinesis.untagResource({ ResourceARN: arnOf("s"), TagKeys: ["b"] });
    assert.deepEqual((await kinesis.listTagsForResource({ ResourceARN: arnOf("s") })).Tags, [{ Key: "c", Value: "3" }]);
    const many = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`tag${index}`, ""]));
    await refused(kinesis.addTagsToStream({ StreamName, Tags: many }), "InvalidArgumentException", /more than 50 tags/);
  });

  test("are counted for their account; nothing is committed to", async (context) => {
    const { kinesis, make } = await openKinesis(context);
    await make("a", 3);
    await kinesis.createStream({ StreamName: "b", StreamModeDetails: { StreamMode: "ON_DEMAND" } });
    const limits = await kinesis.describeLimits();
    assert.deepEqual([limits.OpenShardCount, limits.OnDemandStreamCount], [7, 1]);
    assert.equal((await kinesis.describeAccountSettings()).MinimumThroughputBillingCommitment?.Status, "DISABLED");
    const commit = (Status: "ENABLED" | "DISABLED") => kinesis.updateAccountSettings({ MinimumThroughputBillingCommitment: { Status } });
    assert.equal((await commit("DISABLED")).MinimumThroughputBillingCommitment?.Status, "DISABLED");
    await refused(commit("ENABLED"), "NotImplemented");
  });
});

describe("names", () => {
  test("are a stream's or its ARN; of another region, or of none, they are refused", async (context) => {
    const { kinesis, make } = await openKinesis(context);
    await make("s");
    const describeIt = (StreamARN: string, StreamName?: string) => kinesis.describeStreamSummary({ StreamARN, StreamName });
    await describeIt(arnOf("s"), "s");
    const argument = "InvalidArgumentException";
    await refused(describeIt(arnOf("s"), "t"), argument);
    await refused(describeIt(arnOf("s").replace("us-east-1", "eu-west-1")), argument, /another region/);
    await refused(describeIt(`${arnOf("s")}/more`), argument, /not that of a stream/);
    await refused(kinesis.describeStreamSummary({}), argument, /Either StreamName or StreamARN/);
    await refused(describeIt(arnOf("s").replace(ACCOUNT, "111111111111")), "AccessDeniedException");
  });

  test("that are none of Kinesis are refused as its schema says", async (context) => {
    const { kinesis } = await openKinesis(context);
    await refused(kinesis.createStream({ StreamName: "a b", ShardCount: 1 }), "ValidationException", /failed to satisfy constraint/);
    await refused(kinesis.createStream({ StreamName: "s", ShardCount: 0 }), "ValidationException");
    await refused(kinesis.createStream({ StreamName: "s", ShardCount: 4_097 }), "LimitExceededException");
  });

  test("and members whose effect is not built are refused by name", async (context) => {
    const { kinesis, make } = await openKinesis(context);
    await make("s");
    const put = { StreamName: "s", PartitionKey: "k", Data: Buffer.from("v"), DryRun: true };
    await refused(kinesis.putRecord(put), "NotImplemented", /DryRun is not built/);
    await refused(kinesis.listChannels(), "NotImplemented", /ListChannels is not built/);
    const auto = { StreamName: "x", ShardCount: 1, RecordDistributionStrategy: "AUTO" as const };
    await refused(kinesis.createStream(auto), "NotImplemented", /RecordDistributionStrategy/);
  });
});

describe("who may", () => {
  test("is whoever signs for the host of the connection, by HTTP/2 as by HTTP/1.1", async (context) => {
    const { client, kinesis } = await openKinesis(context);
    await kinesis.listStreams({});
    const key = { accessKeyId: "AKIATESTTESTTESTTEST", secretAccessKey: "another-secret" };
    await refused(client(key).listStreams({}), "InvalidSignatureException");
    await refused(client({ ...key, accessKeyId: "AKIANOBODYNOBODYNOBO" }).listStreams({}), "UnrecognizedClientException");
  });

  test("is said for each stream: iterators and pages of shards count as theirs", async (context) => {
    const { kinesis, security, client, make } = await openKinesis(context);
    await make("mine", 3);
    await make("other", 3);
    await makeRole(security);
    const allowed = [
      { Effect: "Allow", Principal: { AWS: ROLE }, Action: ["kinesis:Get*", "kinesis:ListShards"], Resource: arnOf("mine") },
    ];
    await kinesis.putResourcePolicy({ ResourceARN: arnOf("mine"), Policy: JSON.stringify({ Version: "2012-10-17", Statement: allowed }) });
    const reader = client(security.credentials.issue(functionVersion({ name: "reader", roleArn: ROLE })));
    const from = (StreamName: string) => ({ StreamName, ShardId: shardId(0), ShardIteratorType: "TRIM_HORIZON" as const });
    const { ShardIterator } = await reader.getShardIterator(from("mine"));
    await reader.getRecords({ ShardIterator });
    await refused(reader.getShardIterator(from("other")), "AccessDeniedException");
    const foreign = await kinesis.getShardIterator(from("other"));
    await refused(reader.getRecords({ ShardIterator: foreign.ShardIterator }), "AccessDeniedException");
    const { NextToken } = await reader.listShards({ StreamName: "mine", MaxResults: 1 });
    assert.equal((await reader.listShards({ NextToken })).Shards?.length, 2);
    const other = await kinesis.listShards({ StreamName: "other", MaxResults: 1 });
    await refused(reader.listShards({ NextToken: other.NextToken }), "AccessDeniedException");
  });

  test("is said by a stream's and a consumer's policy, which are kept as they were put", async (context) => {
    const { kinesis, security, client, make } = await openKinesis(context);
    await make("s");
    const { Consumer } = await kinesis.registerStreamConsumer({ StreamARN: arnOf("s"), ConsumerName: "c" });
    await makeRole(security);
    const reader = client(security.credentials.issue(functionVersion({ name: "reader", roleArn: ROLE })));
    const reads = [
      [arnOf("s"), () => reader.describeStreamSummary({ StreamName: "s" })],
      [Consumer?.ConsumerARN ?? "", () => reader.describeStreamConsumer({ ConsumerARN: Consumer?.ConsumerARN })],
    ] as const;
    for (const [ResourceARN, read] of reads) {
      await refused(kinesis.getResourcePolicy({ ResourceARN }), "ResourceNotFoundException");
      await refused(read(), "AccessDeniedException");
      const Statement = [{ Effect: "Allow", Principal: { AWS: ROLE }, Action: "kinesis:Describe*", Resource: ResourceARN }];
      const Policy = JSON.stringify({ Version: "2012-10-17", Statement });
      await kinesis.putResourcePolicy({ ResourceARN, Policy });
      assert.equal((await kinesis.getResourcePolicy({ ResourceARN })).Policy, Policy);
      await read();
      await refused(kinesis.putResourcePolicy({ ResourceARN, Policy: "{}" }), "InvalidArgumentException");
      await kinesis.deleteResourcePolicy({ ResourceARN });
      await refused(read(), "AccessDeniedException");
      await refused(kinesis.deleteResourcePolicy({ ResourceARN }), "ResourceNotFoundException");
    }
  });
});

const ROLE = `arn:aws:iam::${ACCOUNT}:role/reader`;

/** A role that exists, and so is enforced: by itself it may do nothing. */
async function makeRole({ roles }: TestSecurity): Promise<void> {
  const Statement = [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }];
  const trustPolicy = JSON.stringify({ Version: "2012-10-17", Statement });
  assert.ok(await roles.createRole(ACCOUNT, { name: "reader", path: "/", trustPolicy, tags: {} }));
}
