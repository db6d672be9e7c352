import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isLambentError } from "../../src/base/index.ts";
import { hashKeyOf, murmur2Partition, offsetOf, sequenceNumberOf, shardFor, type StreamRecord } from "../../src/streams/index.ts";
import { allValues, REALM, record, StreamWorld } from "./world.ts";

const withCode = (code: Parameters<typeof isLambentError>[1]) => (error: unknown) => isLambentError(error, code);
const OTHER = { account: "000000000000", region: "us-west-2" };
const HASH_KEYS = 2n ** 128n;

/** The open shards have every hash key, each once. */
function assertCovered({ shards }: StreamRecord): void {
  const open = shards
    .filter(({ closed }) => !closed)
    .map(({ hashFrom, hashTo }) => [BigInt(hashFrom), BigInt(hashTo)] as const)
    .toSorted(([left], [right]) => (left < right ? -1 : 1));
  let next = 0n;
  for (const [from, to] of open) {
    assert.equal(from, next);
    next = to + 1n;
  }
  assert.equal(next, HASH_KEYS);
}

describe("streams", () => {
  test("are created, changed, listed and removed, and are the same behind a restart", async () => {
    const world = await StreamWorld.open();
    const told: string[] = [];
    const stop = world.streams.onChanged((_, name) => told.push(name));
    const { streams } = world;
    await streams.create(REALM, "b", { shards: 2, madeBy: "kinesis", tags: { team: "a" } });
    await streams.create(REALM, "a", { shards: 1, madeBy: "kafka", settings: { retentionMs: 5_000 } });
    await streams.create(OTHER, "a", { shards: 3, madeBy: "kafka" });
    await assert.rejects(streams.create(REALM, "a", { shards: 1, madeBy: "kafka" }), withCode("AlreadyExists"));
    const consumers = [{ name: "fast", createdAt: 1 }];
    await streams.update(REALM, "a", (known) => ({ ...known, consumers, name: "not this", shards: [] }));
    stop();
    await streams.remove(REALM, "b");
    assert.deepEqual(told, ["b", "a", "a", "a"]);
    const before = JSON.stringify([streams.list(REALM), streams.list(OTHER)]);
    await world.restart();
    assert.equal(JSON.stringify([world.streams.list(REALM), world.streams.list(OTHER)]), before);
    const [first] = world.streams.list(REALM);
    assert.deepEqual([first?.name, first?.consumers, first?.shards.length, first?.settings.retentionMs], ["a", consumers, 1, 5_000]);
    await world.close();
  });

  test("that cannot be are refused, each by its rule", async () => {
    const world = await StreamWorld.open();
    const { streams } = world;
    for (const name of ["", ".", "..", "a b", "ä", "x".repeat(250)])
      await assert.rejects(streams.create(REALM, name, { shards: 1, madeBy: "kafka" }), withCode("InvalidParameter"), name);
    for (const settings of [{ retentionMs: 0 }, { retentionMs: 1.5 }, { retentionBytes: 0 }, { recordBytesMax: 10 * 2 ** 20 + 1 }])
      await assert.rejects(streams.create(REALM, "a", { shards: 1, madeBy: "kafka", settings }), withCode("InvalidParameter"));
    await assert.rejects(streams.create(REALM, "a", { shards: 0, madeBy: "kafka" }), withCode("InvalidParameter"));
    await assert.rejects(streams.create(REALM, "a", { shards: 4_097, madeBy: "kafka" }), withCode("LimitExceeded"));
    await streams.create(OTHER, "a", { shards: 1, madeBy: "kafka" });
    assert.throws(() => streams.get(REALM, "a"), /there is one in us-west-2/);
    await assert.rejects(streams.partition(OTHER, "a", 1), withCode("NotFound"));
    await world.close();
  });

  test("that are removed take their records with them, also when a restart comes between, and one of the same name is empty", async () => {
    const world = await StreamWorld.open();
    const partition = await world.partition();
    for (let count = 0; count < 300; count += 1) await partition.append([record("v")], { producer: `p${count}`, sequence: 0 });
    const { cell } = world;
    // Nothing of the emptying comes about.
    world.fault = (step) => (step.kind === "commit" && step.cell === cell ? { kind: "stopBefore" } : undefined);
    await world.streams.remove(REALM, "s");
    await assert.rejects(partition.append([record("late")]), withCode("NotFound"));
    await assert.rejects(partition.read(0, { bytesMax: 1 }), withCode("NotFound"));
    await world.restart();
    assert.equal((await world.store.list(cell, { prefix: "", limit: 1_000 })).length, 0);
    assert.deepEqual(await world.store.read(cell, 1, 1), []);
    const fresh = await world.partition();
    assert.deepEqual([fresh.first, fresh.end], [0, 0]);
    await world.close();
  });

  test("give each producer a number of its own, also behind a restart", async () => {
    const world = await StreamWorld.open();
    const ids = (await Promise.all(Array.from({ length: 1_500 }, () => world.streams.newProducerId()))).map(({ id }) => id);
    await world.restart();
    ids.push((await world.streams.newProducerId()).id);
    assert.equal(new Set(ids).size, 1_501);
    await world.close();
  });
});

describe("shards", () => {
  test("take what is theirs by the MD5 of its key", async () => {
    assert.equal(hashKeyOf("partition-1"), 198019941650871988756153596255032211816n);
    const world = await StreamWorld.open();
    const stream = await world.streams.create(REALM, "s", { shards: 7, madeBy: "kinesis" });
    assertCovered(stream);
    for (const key of [0n, HASH_KEYS - 1n, ...stream.shards.map(({ hashFrom }) => BigInt(hashFrom)), ...["a", "b", "c"].map(hashKeyOf)]) {
      const { hashFrom, hashTo } = shardFor(stream, key);
      assert.ok(BigInt(hashFrom) <= key && key <= BigInt(hashTo));
    }
    await world.close();
  });

  test("that are split or merged take no more records, and their children are named behind them", async () => {
    const world = await StreamWorld.open();
    const { streams, clock } = world;
    const before = await streams.create(REALM, "s", { shards: 2, madeBy: "kinesis" });
    const parent = await streams.partition(REALM, "s", 0);
    const appends = [parent.append([record("a")]), parent.append([record("b")])];
    clock.jumpWall(-5_000);
    const middle = String(BigInt(before.shards[0]?.hashTo ?? "") / 2n);
    const splitting = streams.split(REALM, "s", 0, middle);
    await Promise.all(appends);
    const split = await splitting;
    await assert.rejects(parent.append([record("c")]), withCode("IllegalState"));
    assertCovered(split);
    assert.deepEqual(
      split.shards.map(({ parents, closed }) => [parents, closed !== undefined]),
      [
        [[], true],
        [[], false],
        [[0], false],
        [[0], false],
      ],
    );
    const merged = await streams.merge(REALM, "s", 3, 1);
    assertCovered(merged);
    assert.deepEqual(merged.shards[4]?.parents, [3, 1]);
    assert.deepEqual(await allValues(parent), ["a", "b"]);
    const names = [0, 2, 3, 4].map((number) => merged.shards[number]).map((shard) => (shard ? sequenceNumberOf(shard, 7) : ""));
    assert.deepEqual(names, names.toSorted());
    await assert.rejects(streams.split(REALM, "s", 0, middle), withCode("IllegalState"));
    await assert.rejects(streams.split(REALM, "s", 2, "0"), withCode("InvalidParameter"));
    await assert.rejects(streams.split(REALM, "s", 9, "1"), withCode("NotFound"));
    await streams.split(REALM, "s", 2, String(BigInt(merged.shards[2]?.hashTo ?? "")));
    await assert.rejects(streams.merge(REALM, "s", 5, 4), withCode("InvalidParameter"));
    await world.restart();
    await assert.rejects((await world.streams.partition(REALM, "s", 0)).append([record("c")]), withCode("IllegalState"));
    await world.close();
  });

  test("that cannot be closed durably go on", async () => {
    const world = await StreamWorld.open();
    const parent = await world.partition({ shards: 2 });
    world.fault = ({ kind }) => (kind === "commit" ? { kind: "busy" } : undefined);
    await assert.rejects(world.streams.merge(REALM, "s", 0, 1), withCode("StorageBusy"));
    world.fault = () => undefined;
    await parent.append([record("a")]);
    await world.close();
  });

  test("become more without one being closed, as Kafka adds partitions", async () => {
    const world = await StreamWorld.open();
    const partition = await world.partition({ shards: 3 });
    const more = await world.streams.addPartitions(REALM, "s", 10);
    assertCovered(more);
    assert.equal(more.shards.filter(({ closed }) => !closed).length, 10);
    await partition.append([record("a")]);
    await assert.rejects(world.streams.addPartitions(REALM, "s", 10), withCode("InvalidParameter"));
    await world.close();
  });

  test("name a record by a number that only they can read", () => {
    const shard = { number: 12, openedAt: 1_700_000_000_000 };
    const name = sequenceNumberOf(shard, 345);
    assert.equal(name, "49170000000000000000000120000000000000000000000000000345");
    assert.equal(offsetOf(shard, name), 345);
    for (const other of ["", "345", name.slice(1), `${name}0`, "49170000000000000000000139999999999999999999999999999999"])
      assert.equal(offsetOf(shard, other), undefined, other);
    assert.equal(offsetOf({ ...shard, openedAt: 1_700_000_000_001 }, name), undefined);
    assert.ok(BigInt(sequenceNumberOf({ number: 13, openedAt: shard.openedAt }, 0)) > BigInt(name));
  });
});

test("a key's partition is the one that Kafka's clients choose", () => {
  // kafka-python's murmur2 of each, without its sign, among as many partitions as it has values.
  const expected = {
    "": 275_646_681,
    a: 584_102_524,
    ab: 316_155_434,
    abc: 479_470_107,
    abcd: 823_834_100,
    lambent: 1_523_241_567,
    schlüssel: 331_429_656,
  };
  for (const [key, hash] of Object.entries(expected)) {
    assert.equal(murmur2Partition(Buffer.from(key), 2 ** 31), hash, key);
    assert.equal(murmur2Partition(Buffer.from(key), 12), hash % 12, key);
  }
  assert.equal(murmur2Partition(Buffer.from(Array.from({ length: 256 }, (_, n) => n)), 2 ** 31), 199_136_374);
});

describe("what is past its retention", () => {
  test("goes when its time has come, of a stream that is idle too, without anybody looking meanwhile (P6)", async () => {
    const world = await StreamWorld.open();
    const partition = await world.partition({ settings: { retentionMs: 3_600_000 } });
    await partition.append([record("a")]);
    await world.pass(1_800_000);
    await partition.append([record("b")]);
    world.reads = 0;
    await world.pass(1_799_000);
    assert.deepEqual([world.reads, partition.first], [0, 0]);
    await world.pass(3_000);
    assert.deepEqual([partition.first, partition.end], [1, 2]);
    await world.pass(1_800_000);
    assert.deepEqual([partition.first, partition.end, world.clock.pendingCount], [2, 2, 0]);
    await world.close();
  });

  test("goes behind a restart, of a partition that nobody asked for", async () => {
    const world = await StreamWorld.open();
    const partition = await world.partition({ settings: { retentionMs: 3_600_000 } });
    await partition.append([record("a")]);
    await world.restart();
    await world.pass(3_599_000);
    const { cell } = world;
    assert.equal((await world.store.read(cell, 1, 1)).length, 1);
    await world.pass(5_000);
    assert.equal((await world.store.read(cell, 1, 1)).length, 0);
    await world.close();
  });

  test("goes at once when the retention becomes shorter", async () => {
    const world = await StreamWorld.open();
    const partition = await world.partition();
    await partition.append([record("a")]);
    await world.pass(60_000);
    await world.streams.update(REALM, "s", (known) => ({ ...known, settings: { ...known.settings, retentionMs: 30_000 } }));
    await world.pass(2_000);
    assert.deepEqual([partition.first, partition.end], [1, 1]);
    await world.close();
  });

  test("is tried again when the store was busy", async () => {
    const world = await StreamWorld.open();
    const partition = await world.partition({ settings: { retentionMs: 10_000 } });
    await partition.append([record("a")]);
    let refused = 0;
    world.fault = ({ kind }) => (kind === "commit" && refused++ < 3 ? { kind: "busy" } : undefined);
    for (let run = 0; run < 4; run += 1) await world.pass(10_000);
    assert.deepEqual([partition.first, refused], [1, 4]);
    await world.close();
  });
});
