import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { nextStep } from "../../../src/api/kinesis/resharding.ts";
import type { ShardRecord } from "../../../src/streams/index.ts";
import { arnOf, type KinesisWorld, openKinesis, refused, shardId } from "./world.ts";

const HALF = String(2n ** 127n);
const UNIFORM = { ScalingType: "UNIFORM_SCALING" } as const;

async function listed({ kinesis }: KinesisWorld, ShardFilter?: Parameters<KinesisWorld["kinesis"]["listShards"]>[0]["ShardFilter"]) {
  const { Shards = [] } = await kinesis.listShards({ StreamName: "s", ShardFilter });
  return Shards.map(({ ShardId }) => Number(ShardId?.slice(-12)));
}

describe("shards", () => {
  test("are split: the children take what comes, the parent is read to its end and names them", async (context) => {
    const world = await openKinesis(context);
    const { kinesis, make, put, read } = world;
    await make("s");
    const [number = ""] = await put("s", "a", "old");
    await kinesis.splitShard({ StreamName: "s", ShardToSplit: shardId(0), NewStartingHashKey: HALF });
    await put("s", "a", "left");
    await put("s", "b", "right");
    assert.deepEqual([await read("s", 0), await read("s", 1), await read("s", 2)], [["old"], ["left"], ["right"]]);
    const { ShardIterator } = await kinesis.getShardIterator({ StreamName: "s", ShardId: shardId(0), ShardIteratorType: "TRIM_HORIZON" });
    const answer = await kinesis.getRecords({ ShardIterator });
    assert.equal(answer.NextShardIterator, undefined);
    assert.deepEqual(
      answer.ChildShards?.map(({ ShardId, ParentShards }) => [ShardId, ParentShards]),
      [1, 2].map((child) => [shardId(child), [shardId(0)]]),
    );
    const { Shards = [] } = await kinesis.listShards({ StreamName: "s" });
    assert.deepEqual(
      Shards.map(({ ParentShardId }) => ParentShardId),
      [undefined, shardId(0), shardId(0)],
    );
    const [parent, child] = Shards.map(({ SequenceNumberRange }) => SequenceNumberRange);
    assert.ok(number >= (parent?.StartingSequenceNumber ?? "") && number < (parent?.EndingSequenceNumber ?? ""));
    assert.equal(child?.EndingSequenceNumber, undefined);
    await refused(
      kinesis.splitShard({ StreamName: "s", ShardToSplit: shardId(0), NewStartingHashKey: HALF }),
      "InvalidArgumentException",
      /is closed/,
    );
    await refused(
      kinesis.splitShard({ StreamName: "s", ShardToSplit: shardId(1), NewStartingHashKey: HALF }),
      "InvalidArgumentException",
      /is not both greater than one plus the shard's StartingHashKey 0 and less than/,
    );
  });

  test("are merged with those beside them", async (context) => {
    const { kinesis, make } = await openKinesis(context);
    await make("s", 3);
    const merge = (one: number, other: number) =>
      kinesis.mergeShards({ StreamName: "s", ShardToMerge: shardId(one), AdjacentShardToMerge: shardId(other) });
    await refused(merge(0, 2), "InvalidArgumentException", /not an adjacent pair/);
    await merge(1, 0);
    const { Shards = [] } = await kinesis.listShards({ StreamName: "s", ShardFilter: { Type: "AT_LATEST" } });
    assert.deepEqual(
      Shards.map(({ ShardId, ParentShardId, AdjacentParentShardId }) => [ShardId, ParentShardId, AdjacentParentShardId]),
      [
        [shardId(2), undefined, undefined],
        [shardId(3), shardId(1), shardId(0)],
      ],
    );
  });

  test("become as many as they shall be, all of the same size, at most twice or half as many at once", async (context) => {
    const { kinesis, make } = await openKinesis(context);
    await make("s", 2);
    const answer = await kinesis.updateShardCount({ StreamName: "s", TargetShardCount: 3, ...UNIFORM });
    assert.deepEqual([answer.CurrentShardCount, answer.TargetShardCount, answer.StreamARN], [2, 3, arnOf("s")]);
    const { Shards = [] } = await kinesis.listShards({ StreamName: "s", ShardFilter: { Type: "AT_LATEST" } });
    const begins = Shards.map(({ HashKeyRange }) => BigInt(HashKeyRange?.StartingHashKey ?? "-1")).sort((one, other) =>
      one < other ? -1 : 1,
    );
    assert.deepEqual(begins, [0n, 2n ** 128n / 3n, (2n ** 128n * 2n) / 3n]);
    await refused(kinesis.updateShardCount({ StreamName: "s", TargetShardCount: 7, ...UNIFORM }), "InvalidArgumentException");
    await refused(kinesis.updateShardCount({ StreamName: "s", TargetShardCount: 1, ...UNIFORM }), "InvalidArgumentException");
  });

  test("come to any number from any other in few steps", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 }), (before, count) => {
        const keys = 2n ** 128n;
        let open = Array.from({ length: before }, (_, number) =>
          shardOf(number, (keys * BigInt(number)) / BigInt(before), (keys * BigInt(number + 1)) / BigInt(before)),
        );
        let made = before;
        let steps = 0;
        for (let step = nextStep(open, count); step; step = nextStep(open, count)) {
          steps += 1;
          assert.ok(steps <= before + count, `${before} to ${count} takes more steps than it needs`);
          const [one, other] = step.kind === "split" ? [step.shard, step.shard] : [step.shard, step.adjacent];
          const parents = open.filter(({ number }) => number === one || number === other);
          const [from, to] = [BigInt(parents[0]?.hashFrom ?? ""), BigInt(parents.at(-1)?.hashTo ?? "") + 1n];
          const at = step.kind === "split" ? BigInt(step.at) : undefined;
          const children = at === undefined ? [shardOf(made++, from, to)] : [shardOf(made++, from, at), shardOf(made++, at, to)];
          open = [...open.filter((each) => !parents.includes(each)), ...children].sort((left, right) =>
            BigInt(left.hashFrom) < BigInt(right.hashFrom) ? -1 : 1,
          );
        }
        assert.deepEqual(
          open.map(({ hashFrom }) => BigInt(hashFrom)),
          Array.from({ length: count }, (_, index) => (keys * BigInt(index)) / BigInt(count)),
        );
      }),
      { numRuns: 60 },
    );
  });

  test("are not changed while groups of Kafka's have positions in them", async (context) => {
    const { kinesis, grouped, make } = await openKinesis(context);
    await make("s", 2);
    grouped.add("s");
    const says = /Consumer groups of Kafka read stream s/;
    const split = () => kinesis.splitShard({ StreamName: "s", ShardToSplit: shardId(0), NewStartingHashKey: "1000" });
    await refused(split(), "ResourceInUseException", says);
    const merge = kinesis.mergeShards({ StreamName: "s", ShardToMerge: shardId(0), AdjacentShardToMerge: shardId(1) });
    await refused(merge, "ResourceInUseException", says);
    await refused(kinesis.updateShardCount({ StreamName: "s", TargetShardCount: 4, ...UNIFORM }), "ResourceInUseException", says);
    grouped.delete("s");
    await split();
  });

  test("are not changed by two at once", async (context) => {
    const { kinesis, make } = await openKinesis(context);
    await make("s", 8);
    const both = await Promise.allSettled(
      [1, 2].map(() => kinesis.updateShardCount({ StreamName: "s", TargetShardCount: 16, ...UNIFORM })),
    );
    assert.deepEqual(both.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
    const [lost] = both.flatMap((each) => (each.status === "rejected" ? [each.reason as Error] : []));
    assert.equal(lost?.name, "ResourceInUseException");
  });

  test("are listed by filters, and until their last record is gone", async (context) => {
    const world = await openKinesis(context);
    const { kinesis, clock, make } = world;
    await make("s", 2);
    const made = new Date(clock.now());
    await clock.advance(60_000);
    await kinesis.splitShard({ StreamName: "s", ShardToSplit: shardId(0), NewStartingHashKey: "1000" });
    await clock.advance(60_000);
    assert.deepEqual(await listed(world), [0, 1, 2, 3]);
    assert.deepEqual(await listed(world, { Type: "AT_LATEST" }), [1, 2, 3]);
    assert.deepEqual(await listed(world, { Type: "AT_TRIM_HORIZON" }), [0, 1]);
    assert.deepEqual(await listed(world, { Type: "FROM_TRIM_HORIZON" }), [0, 1, 2, 3]);
    assert.deepEqual(await listed(world, { Type: "AT_TIMESTAMP", Timestamp: made }), [0, 1]);
    assert.deepEqual(await listed(world, { Type: "AT_TIMESTAMP", Timestamp: new Date(clock.now() - 1_000) }), [1, 2, 3]);
    assert.deepEqual(await listed(world, { Type: "FROM_TIMESTAMP", Timestamp: new Date(clock.now() - 1_000) }), [1, 2, 3]);
    assert.deepEqual(await listed(world, { Type: "AFTER_SHARD_ID", ShardId: shardId(1) }), [2, 3]);
    await refused(listed(world, { Type: "AT_TIMESTAMP" }), "InvalidArgumentException", /needs a Timestamp/);
    await refused(listed(world, { Type: "AT_TIMESTAMP", Timestamp: new Date(clock.now() + 5_000) }), "InvalidArgumentException", /future/);
    await clock.advance(24 * 3_600_000);
    assert.deepEqual(await listed(world), [1, 2, 3]);
  });

  test("are listed page by page, with the filter in the token", async (context) => {
    const { kinesis, clock, make } = await openKinesis(context);
    await make("s", 5);
    await kinesis
      .splitShard({ StreamName: "s", ShardToSplit: shardId(1), NewStartingHashKey: String(2n ** 127n / 2n) })
      .catch(() => undefined);
    const first = await kinesis.listShards({ StreamName: "s", MaxResults: 2, ShardFilter: { Type: "AT_LATEST" } });
    const rest = await kinesis.listShards({ NextToken: first.NextToken });
    const all = await kinesis.listShards({ StreamName: "s", ShardFilter: { Type: "AT_LATEST" } });
    assert.deepEqual([...(first.Shards ?? []), ...(rest.Shards ?? [])], all.Shards);
    assert.equal(rest.NextToken, undefined);
    const both = kinesis.listShards({ StreamName: "s", NextToken: first.NextToken });
    await refused(both, "InvalidArgumentException", /NextToken and StreamName cannot be provided together\./);
    const { NextToken } = await kinesis.listStreams({ Limit: 1 });
    assert.equal(NextToken, undefined);
    await refused(kinesis.listStreams({ NextToken: first.NextToken }), "InvalidArgumentException", /another list/);
    const described = await kinesis.describeStream({ StreamName: "s", Limit: 2, ExclusiveStartShardId: shardId(0) });
    assert.deepEqual([described.StreamDescription?.Shards?.length, described.StreamDescription?.HasMoreShards], [2, true]);
    await clock.advance(300_001);
    await refused(kinesis.listShards({ NextToken: first.NextToken }), "ExpiredNextTokenException");
  });
});

function shardOf(number: number, from: bigint, to: bigint): ShardRecord {
  return { number, hashFrom: String(from), hashTo: String(to - 1n), parents: [], openedAt: 0 };
}
