import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { deferred, isLambentError } from "../../src/base/index.ts";
import type { Partition, StoredBatch } from "../../src/streams/index.ts";
import { allRecords, allValues, clientBatch, REALM, record, StreamWorld } from "./world.ts";

const withCode = (code: Parameters<typeof isLambentError>[1]) => (error: unknown) => isLambentError(error, code);

/** What nothing refers to is gone, as far as weak references tell. */
async function collectGarbage(): Promise<void> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  // A weak reference holds what it was asked for until the turn ends.
  await new Promise((resolve) => setImmediate(resolve));
  collect();
}

describe("appends that wait", () => {
  test("become one batch in one commit, and each caller gets its offsets", async () => {
    const world = await StreamWorld.open();
    const partition = await world.partition();
    let commits = 0;
    world.fault = ({ kind }) => void (commits += kind === "commit" ? 1 : 0);
    const outcomes = await Promise.all(Array.from({ length: 64 }, (_, n) => partition.append([record(`a${n}`), record(`b${n}`)])));
    assert.deepEqual(
      outcomes.map(({ firstOffset, count }) => [firstOffset, count]),
      Array.from({ length: 64 }, (_, n) => [2 * n, 2]),
    );
    assert.equal(commits, 1);
    const [batch, ...others] = await partition.read(0, { bytesMax: 1e9 });
    assert.deepEqual([batch?.baseOffset, batch?.lastOffset, others.length], [0, 127, 0]);
    await world.close();
  });

  test("go together with what clients sent as batches, in the order of the calls", async () => {
    const world = await StreamWorld.open();
    const partition = await world.partition();
    const [, sent] = await Promise.all([
      partition.append([record("a")]),
      partition.appendBatch(clientBatch(["b", "c"])),
      partition.append([record("d")]),
      partition.append([record("e")]),
    ]);
    assert.deepEqual(sent, { kind: "appended", baseOffset: 1, appendedAt: world.clock.now(), first: 0 });
    assert.deepEqual(await allValues(partition), ["a", "b", "c", "d", "e"]);
    assert.equal((await partition.read(0, { bytesMax: 1e9 })).length, 3);
    await world.close();
  });

  test("are refused at the bound, and nothing of them happens (P7)", async () => {
    const world = await StreamWorld.open();
    const partition = await world.partition({ settings: { recordBytesMax: 10 * 2 ** 20 } });
    const value = Buffer.alloc(9 * 2 ** 20);
    const outcomes = await Promise.allSettled(Array.from({ length: 6 }, () => partition.append([{ key: undefined, value }])));
    assert.deepEqual(
      outcomes.map((outcome) => outcome.status === "fulfilled" || isLambentError(outcome.reason, "Throttled")),
      Array.from({ length: 6 }, () => true),
    );
    const taken = outcomes.filter(({ status }) => status === "fulfilled").length;
    assert.ok(taken >= 3 && taken < 6, `${taken} were taken`);
    assert.equal(partition.end, taken);
    await partition.append([record("there is room again")]);
    await world.close();
  });

  test("are not told of before they are durable (P1)", async () => {
    const world = await StreamWorld.open();
    const partition = await world.partition();
    const durable = deferred<void>();
    world.fault = ({ kind }) => (kind === "commit" ? { kind: "acknowledgeLate", until: durable.promise } : undefined);
    let told = false;
    const appending = partition.append([record("a")]).then(() => (told = true));
    await world.clock.advance(10);
    assert.deepEqual([told, partition.end, await partition.read(0, { bytesMax: 1 })], [false, 0, []]);
    durable.resolve();
    await appending;
    assert.equal(partition.end, 1);
    await world.close();
  });
});

describe("a record", () => {
  test("over the stream's limit is refused", async () => {
    const world = await StreamWorld.open();
    const partition = await world.partition({ settings: { recordBytesMax: 100 } });
    await partition.append([record("x".repeat(100))]);
    await assert.rejects(partition.append([record("x".repeat(101))]), withCode("RequestTooLarge"));
    await assert.rejects(partition.append([record("x", { timestamp: Number.NaN })]), withCode("InvalidParameter"));
    await assert.rejects(partition.append([]), withCode("InvalidParameter"));
    await world.close();
  });

  test("of ten mebibytes goes in parts, of which a crash in the middle leaves nothing to see", async () => {
    const world = await StreamWorld.open();
    let partition = await world.partition({ settings: { recordBytesMax: 10 * 2 ** 20 } });
    const large = Buffer.alloc(10 * 2 ** 20, "large");
    await partition.append([record("before")]);
    let commits = 0;
    world.fault = ({ kind }) => (kind === "commit" && ++commits === 3 ? { kind: "stopAfter" } : undefined);
    await assert.rejects(partition.append([record(large)]), withCode("StorageStopped"));
    await world.restart();
    partition = await world.partition();
    assert.equal(partition.end, 1);
    await partition.append([record("behind")]);
    const { firstOffset } = await partition.append([record(large), record("with it")]);
    await world.restart();
    partition = await world.partition();
    const records = await allRecords(partition);
    assert.equal(firstOffset, 2);
    assert.deepEqual(
      records.map(({ value }) => (value?.equals(large) ? "the large one" : value?.toString())),
      ["before", "behind", "the large one", "with it"],
    );
    await world.close();
  });

  test("has the time of its arrival where the stream says so", async () => {
    const world = await StreamWorld.open();
    const partition = await world.partition({ settings: { timestamps: "append" } });
    await partition.append([record("a", { timestamp: 7 })]);
    await partition.appendBatch(clientBatch(["b"]));
    const now = world.clock.now();
    assert.deepEqual(
      (await allRecords(partition)).map(({ timestamp }) => timestamp),
      [now, now],
    );
    assert.deepEqual(await partition.offsetAt(now, "created"), { offset: 0, time: now });
    await world.close();
  });
});

describe("a stamped append", () => {
  test("happens once, however often it is repeated, also behind a restart", async () => {
    const world = await StreamWorld.open();
    let partition = await world.partition();
    const stamp = { producer: "window-1", sequence: 4 };
    const outcomes = await Promise.all([
      partition.append([record("other")]),
      partition.append([record("a"), record("b")], stamp),
      partition.append([record("a"), record("b")], stamp),
    ]);
    const appendedAt = world.clock.now();
    assert.deepEqual(outcomes.slice(1), [
      { firstOffset: 1, count: 2, appendedAt, duplicate: false },
      { firstOffset: 1, count: 2, appendedAt, duplicate: true },
    ]);
    for (let rows = 0; rows < 600; rows += 1) {
      if (rows % 250 === 100) {
        await world.restart();
        partition = await world.partition();
        assert.deepEqual(await partition.append([record("a")], stamp), { firstOffset: 1, count: 2, appendedAt, duplicate: true });
      }
      await partition.append([record("more")], { producer: `other-${rows}`, sequence: 0 });
    }
    await assert.rejects(partition.append([record("late")], { producer: "window-1", sequence: 3 }), withCode("InvalidParameter"));
    assert.equal((await partition.append([record("next")], { producer: "window-1", sequence: 9 })).duplicate, false);
    assert.equal(partition.end, 604);
    await world.close();
  });

  test("is there behind a restart wherever the parts of a large row end", async () => {
    const world = await StreamWorld.open();
    let partition = await world.partition({ settings: { recordBytesMax: 10 * 2 ** 20 } });
    const producer = "a producer whose name takes some bytes behind the batch";
    // Around the end of the first part: within the batch, within the stamp, behind both.
    const sizes = [-400, -300, -200, -150, -100, -60, 0].map((more) => 2 * 2 ** 20 + more);
    for (const [sequence, size] of sizes.entries()) await partition.append([record(Buffer.alloc(size, sequence))], { producer, sequence });
    await world.restart();
    partition = await world.partition();
    assert.deepEqual(
      (await allRecords(partition)).map(({ value }) => value?.length),
      sizes,
    );
    for (const [sequence] of sizes.entries())
      assert.equal((await partition.append([record("again")], { producer, sequence })).firstOffset, sequence);
    await world.close();
  });

  test("is known to a shard that was closed meanwhile: whoever repeats it does not put it into the next one", async () => {
    const world = await StreamWorld.open();
    const partition = await world.partition({ shards: 1, madeBy: "kinesis" });
    const stamp = { producer: "window-1", sequence: 1 };
    const first = await partition.append([record("a")], stamp);
    const split = world.streams.split(REALM, "s", 0, String(2n ** 127n));
    // Behind the split in the queue, and behind it in time, before and behind a restart.
    const repeated = partition.append([record("a")], stamp);
    await split;
    assert.deepEqual(await repeated, { ...first, duplicate: true });
    for (let time = 0; time < 2; time += 1) {
      const closed = await world.partition();
      assert.deepEqual(await closed.append([record("a")], stamp), { ...first, duplicate: true });
      await assert.rejects(closed.append([record("b")], { ...stamp, sequence: 2 }), withCode("IllegalState"));
      await assert.rejects(closed.append([record("a")]), withCode("IllegalState"));
      await world.restart();
    }
    await world.close();
  });
});

test("more producers than are remembered append at once, and those that came last are known", async () => {
  const world = await StreamWorld.open();
  let partition = await world.partition();
  const stamped = (n: number) => partition.append([record("v")], { producer: `p${n}`, sequence: 1 });
  const numbered = (n: number) => partition.appendBatch(clientBatch(["v"], { id: BigInt(n), epoch: 0, sequence: 0 }));
  await Promise.all(Array.from({ length: 5_000 }, (_, n) => [stamped(n), numbered(n)]).flat());
  assert.equal(partition.end, 10_000);
  await world.restart();
  partition = await world.partition();
  for (const n of [4_000, 4_999]) assert.deepEqual([(await stamped(n)).duplicate, (await numbered(n)).kind], [true, "duplicate"]);
  for (const n of [0, 999]) assert.deepEqual([(await stamped(n)).duplicate, (await numbered(n)).kind], [false, "appended"]);
  await world.close();
});

describe("an idempotent Kafka producer", () => {
  const send = (partition: Partition, sequence: number, epoch = 0, values = ["v"]) =>
    partition.appendBatch(clientBatch(values, { id: 9n, epoch, sequence }));
  const kinds = async (sends: readonly Promise<{ readonly kind: string }>[]): Promise<string[]> =>
    (await Promise.all(sends)).map(({ kind }) => kind);

  test("has each of its last five batches taken once, and in order", async () => {
    const world = await StreamWorld.open();
    const partition = await world.partition();
    assert.deepEqual(await kinds([send(partition, 0, 0, ["a", "b"]), send(partition, 2), send(partition, 2), send(partition, 4)]), [
      "appended",
      "appended",
      "duplicate",
      "outOfOrderSequence",
    ]);
    assert.equal(((await send(partition, 2)) as { readonly baseOffset: number }).baseOffset, 2);
    for (let sequence = 3; sequence < 7; sequence += 1) await send(partition, sequence);
    assert.deepEqual(await kinds([send(partition, 2), send(partition, 0, 0, ["a", "b"])]), ["duplicate", "outOfOrderSequence"]);
    assert.equal(partition.end, 7);
    await world.close();
  });

  test("is followed by one of a later epoch, and refused behind that", async () => {
    const world = await StreamWorld.open();
    const partition = await world.partition();
    assert.deepEqual(await kinds([send(partition, 0), send(partition, 1, 2), send(partition, 0, 2), send(partition, 1, 0)]), [
      "appended",
      "outOfOrderSequence",
      "appended",
      "invalidProducerEpoch",
    ]);
    await world.close();
  });

  test("goes on behind the greatest sequence number with the first", async () => {
    const world = await StreamWorld.open();
    const partition = await world.partition();
    assert.deepEqual(await kinds([send(partition, 2 ** 31 - 1), send(partition, 0), send(partition, 1)]), [
      "appended",
      "appended",
      "appended",
    ]);
    await world.close();
  });

  test("is known behind restarts, wherever in the log they come, and behind what was forgotten", async () => {
    const world = await StreamWorld.open();
    let partition = await world.partition();
    for (let sequence = 0; sequence < 600; sequence += 1) {
      await send(partition, sequence);
      if (sequence % 97 !== 0) continue;
      if (sequence % 2 === 0) await partition.deleteBefore(partition.end);
      await world.restart();
      partition = await world.partition();
      assert.deepEqual(await kinds([send(partition, sequence), send(partition, sequence + 2)]), ["duplicate", "outOfOrderSequence"]);
    }
    assert.equal(partition.end, 600);
    await world.close();
  });

  test("of a commit that was refused is as it was before", async () => {
    const world = await StreamWorld.open();
    const partition = await world.partition();
    await send(partition, 0);
    world.fault = ({ kind }) => (kind === "commit" ? { kind: "busy" } : undefined);
    await assert.rejects(send(partition, 1), withCode("StorageBusy"));
    world.fault = () => undefined;
    assert.deepEqual(await kinds([send(partition, 1)]), ["appended"]);
    assert.equal(partition.end, 2);
    await world.close();
  });
});

describe("who waits for records", () => {
  test("is woken by the append that goes beyond the offset, and not before (P6)", async () => {
    const world = await StreamWorld.open();
    const partition = await world.partition();
    const woken: string[] = [];
    const waits = [0, 1].map((offset) => partition.wait(offset).then(() => woken.push(`${offset} at ${partition.end}`)));
    await world.clock.advance(1_000_000);
    assert.deepEqual(woken, []);
    await partition.append([record("a")]);
    await waits[0];
    assert.deepEqual(woken, ["0 at 1"]);
    await partition.append([record("b")]);
    await Promise.all(waits);
    await partition.wait(1);
    await world.close();
  });

  test("is let go by its signal, by the shard's closing, by the stream's removal and by the server's end", async () => {
    const world = await StreamWorld.open();
    const partition = await world.partition({ shards: 2 });
    const other = await world.streams.partition(REALM, "s", 1);
    const abort = new AbortController();
    const aborted = partition.wait(0, abort.signal);
    abort.abort();
    await aborted;
    await partition.wait(0, abort.signal);
    const closed = partition.wait(0);
    await world.streams.split(REALM, "s", 0, "5");
    await closed;
    const removed = other.wait(0);
    await world.streams.remove(REALM, "s");
    await removed;
    await world.streams.create(REALM, "t", { shards: 1, madeBy: "kafka" });
    const ended = (await world.streams.partition(REALM, "t", 0)).wait(0);
    await world.close();
    await ended;
  });
});

describe("a long log", () => {
  test("keeps of its newest batches in memory as many as it may, however large they are (P7)", async () => {
    const world = await StreamWorld.open();
    const partition = await world.partition({ settings: { recordBytesMax: 10 * 2 ** 20 } });
    const kept: WeakRef<StoredBatch>[] = [];
    for (let n = 0; n < 40; n += 1) {
      await partition.append([record(Buffer.alloc(2 ** 20, n))]);
      const [batch] = await partition.read(n, { bytesMax: 1 });
      assert.ok(batch);
      kept.push(new WeakRef(batch));
      await partition.deleteBefore(n);
    }
    await collectGarbage();
    const held = kept.filter((each) => each.deref()).length;
    assert.ok(held <= 6, `${held} batches of a mebibyte are in memory`);
    await world.close();
  });

  test("is opened by reading little, and read from anywhere", async () => {
    const world = await StreamWorld.open();
    let partition = await world.partition({ settings: { retentionMs: -1 } });
    const count = 80_000;
    for (let offset = 0; offset < count; offset += 1) await partition.append([record(String(offset), { timestamp: offset })]);
    await world.restart();
    world.reads = 0;
    partition = await world.partition();
    assert.equal(partition.end, count);
    assert.ok(world.reads < 10, `opening took ${world.reads} reads`);
    for (const offset of [0, 1, 32_767, 32_768, 40_000, 65_536, count - 1]) {
      const [batch] = await partition.read(offset, { bytesMax: 1 });
      assert.deepEqual([batch?.baseOffset, batch?.lastOffset], [offset, offset]);
      assert.deepEqual(await partition.offsetAt(offset, "created"), { offset, time: offset });
    }
    assert.equal(await partition.offsetAt(count, "created"), undefined);
    await partition.deleteBefore(70_001);
    await world.restart();
    partition = await world.partition();
    assert.deepEqual([partition.first, partition.end], [70_001, count]);
    assert.deepEqual(await partition.offsetAt(5, "created"), { offset: 70_001, time: 70_001 });
    assert.equal((await allValues(partition, 70_001, 10_000)).length, count - 70_001);
    await partition.deleteBefore(count);
    await world.restart();
    partition = await world.partition();
    assert.deepEqual([partition.first, partition.end, partition.bytes], [count, count, 0]);
    assert.equal((await partition.append([record("on")])).firstOffset, count);
    await assert.rejects(partition.deleteBefore(count + 2), withCode("OffsetOutOfRange"));
    await world.close();
  });

  test("keeps within its bytes, a segment more at most", async () => {
    const world = await StreamWorld.open();
    const retentionBytes = 2 ** 20;
    const partition = await world.partition({ settings: { retentionMs: -1, retentionBytes } });
    const value = Buffer.alloc(10_000);
    for (let count = 0; count < 500; count += 1) {
      await partition.append([{ key: undefined, value }]);
      assert.ok(partition.bytes < retentionBytes + 32 * 1_024, `${partition.bytes} bytes are kept`);
    }
    assert.ok(partition.bytes >= retentionBytes);
    assert.ok(partition.first > 300);
    assert.equal((await allRecords(partition)).length, partition.end - partition.first);
    await world.close();
  });
});
