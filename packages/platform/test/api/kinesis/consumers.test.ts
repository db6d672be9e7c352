import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import type { StartingPosition } from "@aws-sdk/client-kinesis";
import type { RequestContext } from "../../../src/api/operation.ts";
import { subscribeOperations } from "../../../src/api/kinesis/subscribe.ts";
import { Subscriptions } from "../../../src/api/kinesis/subscriptions.ts";
import { TEST_KEY } from "../../support/api-client.ts";
import { arnOf, Events, type KinesisWorld, openKinesis, REALM, refused, shardId } from "./world.ts";

/** A consumer of a stream `s`; its ARN. */
async function consumer({ kinesis, make }: KinesisWorld, shards = 1): Promise<string> {
  await make("s", shards);
  const { Consumer } = await kinesis.registerStreamConsumer({ StreamARN: arnOf("s"), ConsumerName: "c" });
  return Consumer?.ConsumerARN ?? assert.fail("no ARN");
}

async function subscribe({ kinesis }: KinesisWorld, ConsumerARN: string, from: Partial<StartingPosition> = {}, shard = 0): Promise<Events> {
  const StartingPosition = { Type: "TRIM_HORIZON" as const, ...from };
  const { EventStream } = await kinesis.subscribeToShard({ ConsumerARN, ShardId: shardId(shard), StartingPosition });
  return new Events(EventStream);
}

describe("consumers with enhanced fan-out", () => {
  test("are registered, described, listed, tagged and gone", async (context) => {
    const { kinesis, clock, make } = await openKinesis(context);
    await make("s");
    const StreamARN = arnOf("s");
    const register = (ConsumerName: string) => kinesis.registerStreamConsumer({ StreamARN, ConsumerName, Tags: { a: "1" } });
    const { Consumer } = await register("b");
    const ConsumerARN = `${StreamARN}/consumer/b:${Math.floor(clock.now() / 1_000)}`;
    const shown = { ConsumerName: "b", ConsumerARN, ConsumerStatus: "ACTIVE", ConsumerCreationTimestamp: new Date(clock.now()) };
    assert.deepEqual(Consumer, shown);
    for (const named of [{ ConsumerARN }, { StreamARN, ConsumerName: "b" }])
      assert.deepEqual((await kinesis.describeStreamConsumer(named)).ConsumerDescription, { ...shown, StreamARN });
    assert.deepEqual((await kinesis.listTagsForResource({ ResourceARN: ConsumerARN })).Tags, [{ Key: "a", Value: "1" }]);
    await register("a");
    const first = await kinesis.listStreamConsumers({ StreamARN, MaxResults: 1 });
    const second = await kinesis.listStreamConsumers({ StreamARN, NextToken: first.NextToken });
    assert.deepEqual(
      [...(first.Consumers ?? []), ...(second.Consumers ?? [])].map(({ ConsumerName }) => ConsumerName),
      ["a", "b"],
    );
    assert.equal((await kinesis.describeStreamSummary({ StreamName: "s" })).StreamDescriptionSummary?.ConsumerCount, 2);
    await refused(register("a"), "ResourceInUseException", /^Consumer a under stream s already exists for account \d{12}\.$/);
    await refused(kinesis.deleteStream({ StreamName: "s" }), "ResourceInUseException", /EnforceConsumerDeletion/);
    await kinesis.deregisterStreamConsumer({ ConsumerARN });
    await refused(kinesis.describeStreamConsumer({ ConsumerARN }), "ResourceNotFoundException", /^Consumer b, account \d{12} not found\.$/);
    await refused(kinesis.deregisterStreamConsumer({ StreamARN, ConsumerName: "b" }), "ResourceNotFoundException");
    await refused(kinesis.describeStreamConsumer({}), "InvalidArgumentException");
    await kinesis.deleteStream({ StreamName: "s", EnforceConsumerDeletion: true });
  });

  test("are at most twenty of a stream", async (context) => {
    const { kinesis, make } = await openKinesis(context);
    await make("s");
    const register = (number: number) => kinesis.registerStreamConsumer({ StreamARN: arnOf("s"), ConsumerName: `c${number}` });
    for (let number = 0; number < 20; number += 1) await register(number);
    await refused(register(20), "LimitExceededException");
  });
});

describe("a subscription", () => {
  test("is pushed what is there, then what comes, and says where to go on", async (context) => {
    const world = await openKinesis(context);
    const arn = await consumer(world);
    const numbers = await world.put("s", "k", "a", "b");
    const events = await subscribe(world, arn);
    const first = await events.next();
    assert.deepEqual(
      first.Records?.map(({ SequenceNumber }) => SequenceNumber),
      numbers,
    );
    assert.deepEqual([first.ContinuationSequenceNumber, first.MillisBehindLatest, first.ChildShards], [numbers[1], 0, undefined]);
    const next = events.texts(1);
    await world.put("s", "k", "c");
    assert.deepEqual(await next, ["c"]);
    await events.stop();
    await world.clock.advance(5_000);
    const again = await subscribe(world, arn, { Type: "AFTER_SEQUENCE_NUMBER", SequenceNumber: numbers[1] ?? "" });
    assert.deepEqual(await again.texts(1), ["c"]);
    await again.stop();
  });

  test("that has read nothing yet says where to go on too, without passing over a record", async (context) => {
    const world = await openKinesis(context);
    const arn = await consumer(world);
    const events = await subscribe(world, arn, { Type: "LATEST" });
    const { Records, ContinuationSequenceNumber = "" } = await events.next();
    assert.deepEqual(Records, []);
    await events.stop();
    await world.put("s", "k", "a");
    for (const Type of ["AFTER_SEQUENCE_NUMBER", "AT_SEQUENCE_NUMBER"] as const) {
      await world.clock.advance(5_000);
      const again = await subscribe(world, arn, { Type, SequenceNumber: ContinuationSequenceNumber });
      assert.deepEqual(await again.texts(1), ["a"]);
      await again.stop();
    }
  });

  test("gives a sign of life every five seconds, and ends after five minutes", async (context) => {
    const world = await openKinesis(context);
    const events = await subscribe(world, await consumer(world), { Type: "LATEST" });
    await events.next();
    await world.clock.advance(4_999);
    const sign = events.next();
    await world.clock.advance(1);
    assert.deepEqual((await sign).Records, []);
    const ended = events.untilEnd();
    for (let seconds = 5; seconds <= 300; seconds += 5) await world.clock.advance(5_000);
    assert.ok((await ended) > 0);
  });

  test("ends with its shard, and names the children", async (context) => {
    const world = await openKinesis(context);
    const arn = await consumer(world);
    const events = await subscribe(world, arn);
    await events.next();
    await world.put("s", "k", "a");
    assert.deepEqual(await events.texts(1), ["a"]);
    await world.kinesis.splitShard({ StreamName: "s", ShardToSplit: shardId(0), NewStartingHashKey: String(2n ** 127n) });
    const last = await events.next();
    assert.deepEqual(
      [last.ContinuationSequenceNumber, last.ChildShards?.map(({ ShardId }) => ShardId)],
      [undefined, [shardId(1), shardId(2)]],
    );
    assert.equal(await events.untilEnd(), 0);
  });

  test("is one for each consumer and shard: the next takes over, but not within five seconds", async (context) => {
    const world = await openKinesis(context);
    const arn = await consumer(world, 2);
    const first = await subscribe(world, arn);
    await first.next();
    const other = await subscribe(world, arn, {}, 1);
    await refused(subscribe(world, arn), "ResourceInUseException", /Another active subscription exists for this consumer/);
    await world.clock.advance(5_000);
    const second = await subscribe(world, arn);
    await refused(first.untilEnd(), "ResourceInUseException");
    await world.put("s", "a", "x");
    assert.deepEqual(await second.texts(1), ["x"]);
    for (const events of [second, other]) await events.stop();
  });

  test("breaks off when its consumer or its stream is no more", async (context) => {
    const world = await openKinesis(context);
    const arn = await consumer(world);
    const first = await subscribe(world, arn);
    await first.next();
    await world.kinesis.deregisterStreamConsumer({ ConsumerARN: arn });
    await refused(first.untilEnd(), "ResourceNotFoundException");
    const { Consumer } = await world.kinesis.registerStreamConsumer({ StreamARN: arnOf("s"), ConsumerName: "d" });
    const second = await subscribe(world, Consumer?.ConsumerARN ?? "");
    await second.next();
    await world.kinesis.deleteStream({ StreamName: "s", EnforceConsumerDeletion: true });
    await refused(second.untilEnd(), "ResourceNotFoundException");
  });

  test("breaks off when its stream was made anew while its reader took nothing", async (context) => {
    const { streams, clock, make, kinesis } = await openKinesis(context);
    const ConsumerARN = await consumer({ make, kinesis } as KinesisWorld);
    const { SubscribeToShard } = subscribeOperations({ streams, clock, subscriptions: new Subscriptions(clock) });
    const caller = { realm: REALM, signal: new AbortController().signal, onCallerGone: () => undefined } as unknown as RequestContext;
    const asked = { ConsumerARN, ShardId: shardId(0), StartingPosition: { Type: "TRIM_HORIZON" as const } };
    const { EventStream } = await SubscribeToShard(asked, caller);
    const events = (EventStream ?? assert.fail("no events"))[Symbol.asyncIterator]();
    assert.ok((await events.next()).value?.SubscribeToShardEvent);
    await streams.remove(REALM, "s");
    await streams.create(REALM, "s", { shards: 1, madeBy: "kinesis" });
    assert.ok((await events.next()).value?.ResourceNotFoundException, "it goes on with a stream that is another one");
    assert.equal((await events.next()).done, true);
  });

  test("to nobody, or from nowhere, is refused before it begins", async (context) => {
    const world = await openKinesis(context);
    const arn = await consumer(world);
    await refused(subscribe(world, arn.replace("consumer/c", "consumer/d")), "ResourceNotFoundException");
    await refused(subscribe(world, arn, {}, 7), "ResourceNotFoundException");
    await refused(subscribe(world, arn, { Type: "AT_SEQUENCE_NUMBER" }), "InvalidArgumentException");
    await refused(subscribe(world, arnOf("s")), "ValidationException");
  });

  test("is taken by boto3 too, which speaks HTTP/1.1", async (context) => {
    const world = await openKinesis(context);
    const arn = await consumer(world);
    await world.put("s", "k", "a", "b");
    await world.kinesis.splitShard({ StreamName: "s", ShardToSplit: shardId(0), NewStartingHashKey: String(2n ** 127n) });
    const program = `
import boto3, json, sys
kinesis = boto3.client("kinesis", endpoint_url=sys.argv[1], region_name="us-east-1")
answer = kinesis.subscribe_to_shard(ConsumerARN=sys.argv[2], ShardId="shardId-000000000000", StartingPosition={"Type": "TRIM_HORIZON"})
events = [event["SubscribeToShardEvent"] for event in answer["EventStream"]]
print(json.dumps([[[record["Data"].decode() for record in event["Records"]], [child["ShardId"] for child in event.get("ChildShards", [])]] for event in events]))`;
    const env = { ...process.env, AWS_ACCESS_KEY_ID: TEST_KEY.accessKeyId, AWS_SECRET_ACCESS_KEY: TEST_KEY.secretAccessKey };
    const { stdout } = await promisify(execFile)("python3", ["-c", program, world.url, arn], { env });
    assert.deepEqual(JSON.parse(stdout), [
      [
        ["a", "b"],
        [shardId(1), shardId(2)],
      ],
    ]);
  });
});
