import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readRecords } from "../../../src/streams/index.ts";
import { type KinesisWorld, openKinesis, REALM, shardId } from "./world.ts";

/** The first record of a partition as consumers of Kafka get it. */
async function first({ streams }: KinesisWorld, partition = 0) {
  const [batch] = await (await streams.partition(REALM, "s", partition)).read(0, { bytesMax: 1_000 });
  return readRecords(batch ?? assert.fail("nothing was put"))[0] ?? assert.fail("a batch without records");
}

describe("what docs/kafka-kinesis.md says of records that Kinesis put", () => {
  test("partition key: the key, its UTF-8 bytes; no headers; the time of arrival is the timestamp", async (context) => {
    const world = await openKinesis(context);
    await world.make("s");
    await world.put("s", "schlüssel", "v");
    const { key, value, headers, timestamp } = await first(world);
    assert.deepEqual(
      [key, value],
      ["schlüssel", "v"].map((text) => Buffer.from(text)),
    );
    assert.deepEqual([headers, timestamp], [[], world.clock.now()]);
  });

  test("data of no bytes: an empty value, not a tombstone", async (context) => {
    const world = await openKinesis(context);
    await world.make("s");
    await world.put("s", "k", "");
    assert.equal((await first(world)).value?.length, 0);
  });

  test("explicit hash key: chooses the partition and is not kept", async (context) => {
    const world = await openKinesis(context);
    await world.make("s", 2);
    await world.kinesis.putRecord({ StreamName: "s", PartitionKey: "a", Data: Buffer.from("v"), ExplicitHashKey: String(2n ** 127n) });
    assert.equal((await first(world, 1)).key?.toString(), "a");
  });
});

describe("what docs/kafka-kinesis.md says of positions and parts", () => {
  test("partition and shard, offset and sequence number", async (context) => {
    const { kinesis, streams, put } = await openKinesis(context);
    await streams.create(REALM, "s", { shards: 1, madeBy: "kafka" });
    const numbers = await put("s", "k", "a", "b", "c");
    assert.deepEqual(
      numbers.map((number) => [number.slice(0, 2), Number(number.slice(15, 25)), Number(number.slice(-31))]),
      [
        ["49", 0, 0],
        ["49", 0, 1],
        ["49", 0, 2],
      ],
    );
    assert.equal((await kinesis.listShards({ StreamName: "s" })).Shards?.[0]?.ShardId, shardId(0));
  });

  test("partitions that are added: shards without a parent, and every hash key still has one", async (context) => {
    const { kinesis, streams } = await openKinesis(context);
    await streams.create(REALM, "s", { shards: 2, madeBy: "kafka" });
    await streams.addPartitions(REALM, "s", 3);
    const { Shards = [] } = await kinesis.listShards({ StreamName: "s" });
    assert.deepEqual(
      Shards.map(({ ShardId, ParentShardId }) => [ShardId, ParentShardId]),
      [0, 1, 2].map((number) => [shardId(number), undefined]),
    );
    const ranges = Shards.map(
      ({ HashKeyRange }) => [BigInt(HashKeyRange?.StartingHashKey ?? ""), BigInt(HashKeyRange?.EndingHashKey ?? "")] as const,
    );
    let next = 0n;
    for (const [from, to] of ranges.toSorted(([one], [other]) => (one < other ? -1 : 1))) {
      assert.equal(from, next);
      next = to + 1n;
    }
    assert.equal(next, 2n ** 128n);
  });

  test("a name of more than 128 characters: listed, but not to be asked for", async (context) => {
    const { kinesis, streams } = await openKinesis(context);
    const name = "n".repeat(200);
    await streams.create(REALM, name, { shards: 1, madeBy: "kafka" });
    assert.deepEqual((await kinesis.listStreams({})).StreamNames, [name]);
    await assert.rejects(kinesis.describeStreamSummary({ StreamName: name }), { name: "ValidationException" });
  });
});
