import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Tokens } from "../../../src/api/kinesis/tokens.ts";
import { LambentError, ManualClock } from "../../../src/base/index.ts";
import { checkBatch, encodeBatch, type NewRecord } from "../../../src/streams/index.ts";
import { TEST_KEY } from "../../support/api-client.ts";
import { sendSigned } from "../../support/signed-http.ts";
import { arnOf, openKinesis, REALM, refused, shardId, text } from "./world.ts";

const bytes = (value: string): Buffer => Buffer.from(value);

describe("records", () => {
  test("come back as they were put, in their order, with rising sequence numbers and the time of their arrival", async (context) => {
    const { kinesis, clock, make, put } = await openKinesis(context);
    await make("s");
    const numbers = await put("s", "key ü", "a", "b", "c");
    assert.ok(numbers.every((number) => /^\d{56}$/.test(number)));
    assert.deepEqual([...numbers].sort(), numbers);
    const { ShardIterator } = await kinesis.getShardIterator({
      StreamARN: arnOf("s"),
      ShardId: shardId(0),
      ShardIteratorType: "TRIM_HORIZON",
    });
    const answer = await kinesis.getRecords({ ShardIterator, StreamARN: arnOf("s") });
    assert.deepEqual(
      answer.Records?.map(({ Data, PartitionKey, SequenceNumber, ApproximateArrivalTimestamp, EncryptionType }) => [
        ...[text(Data), PartitionKey, SequenceNumber, ApproximateArrivalTimestamp?.getTime(), EncryptionType],
      ]),
      numbers.map((number, index) => ["abc"[index], "key ü", number, clock.now(), undefined]),
    );
    assert.deepEqual([answer.MillisBehindLatest, answer.ChildShards], [0, undefined]);
    const { Records, NextShardIterator } = await kinesis.getRecords({ ShardIterator: answer.NextShardIterator });
    assert.deepEqual(Records, []);
    assert.notEqual(NextShardIterator, undefined);
  });

  test("go to the shard of their key's MD5, or of the hash key that is given", async (context) => {
    const { kinesis, make } = await openKinesis(context);
    await make("s", 2);
    const half = 2n ** 127n;
    const at = async (PartitionKey: string, ExplicitHashKey?: string) =>
      (await kinesis.putRecord({ StreamName: "s", PartitionKey, Data: bytes("x"), ExplicitHashKey })).ShardId;
    // MD5: 0cc1… and 92eb….
    assert.deepEqual([await at("a"), await at("b")], [shardId(0), shardId(1)]);
    assert.deepEqual([await at("b", "0"), await at("a", String(half)), await at("a", String(half - 1n))], [0, 1, 0].map(shardId));
    await refused(at("a", String(2n ** 128n)), "InvalidArgumentException", /ExplicitHashKey must be in the range/);
  });

  test("are put many at once, each with its own outcome", async (context) => {
    const { kinesis, streams, make, read } = await openKinesis(context);
    await make("s", 2);
    // A shard that takes nothing at the moment.
    const full = await streams.partition(REALM, "s", 1);
    full.append = () => Promise.reject(new LambentError("Throttled", "full"));
    const Records = ["a", "b", "a", "a"].map((PartitionKey, index) => ({ PartitionKey, Data: bytes(String(index)) }));
    const answer = await kinesis.putRecords({ StreamName: "s", Records });
    assert.equal(answer.FailedRecordCount, 1);
    assert.deepEqual(
      answer.Records?.map(({ ShardId, ErrorCode }) => ShardId ?? ErrorCode),
      [shardId(0), "ProvisionedThroughputExceededException", shardId(0), shardId(0)],
    );
    assert.match(
      answer.Records?.[1]?.ErrorMessage ?? "",
      /^Rate exceeded for shard shardId-000000000001 in stream s under account \d{12}\.$/,
    );
    assert.deepEqual(await read("s"), ["0", "2", "3"]);
    const put = kinesis.putRecord({ StreamName: "s", PartitionKey: "b", Data: bytes("x") });
    await refused(put, "ProvisionedThroughputExceededException");
  });

  test("find the children of a shard that is split while they are on their way", async (context) => {
    const { kinesis, streams, make, read } = await openKinesis(context);
    await make("s");
    const partition = await streams.partition(REALM, "s", 0);
    const append = partition.append.bind(partition);
    partition.append = async (...given) => {
      partition.append = append;
      await streams.split(REALM, "s", 0, String(2n ** 127n));
      return append(...given);
    };
    const Records = ["a", "b"].map((key) => ({ PartitionKey: key, Data: bytes(key) }));
    const answer = await kinesis.putRecords({ StreamName: "s", Records });
    assert.deepEqual(
      answer.Records?.map(({ ShardId }) => ShardId),
      [shardId(1), shardId(2)],
    );
    assert.deepEqual([await read("s", 1), await read("s", 2)], [["a"], ["b"]]);
  });

  test("have at most the stream's size, their key included; a request has at most 10 MiB", async (context) => {
    const { kinesis, make } = await openKinesis(context);
    await make("s");
    const put = (size: number) => kinesis.putRecord({ StreamName: "s", PartitionKey: "key", Data: Buffer.alloc(size) });
    await put(1024 * 1024 - 3);
    await refused(put(1024 * 1024 - 2), "ValidationException", /less than or equal to 1048576/);
    await kinesis.updateMaxRecordSize({ StreamARN: arnOf("s"), MaxRecordSizeInKiB: 2_048 });
    await put(2 * 1024 * 1024 - 3);
    const record = { PartitionKey: "k", Data: Buffer.alloc(2 * 1024 * 1024 - 1) };
    await refused(
      kinesis.putRecords({ StreamName: "s", Records: Array.from({ length: 6 }, () => record) }),
      "InvalidArgumentException",
      /10485760/,
    );
    await refused(kinesis.putRecords({ StreamName: "s", Records: [] }), "ValidationException", /1 validation error detected/);
    const many = Array.from({ length: 501 }, () => ({ PartitionKey: "k", Data: bytes("") }));
    await refused(kinesis.putRecords({ StreamName: "s", Records: many }), "ValidationException");
  });

  test("of ten mebibytes are put and read, by HTTP/1.1 too", async (context) => {
    const { kinesis, url, make } = await openKinesis(context);
    await make("s");
    await kinesis.updateMaxRecordSize({ StreamARN: arnOf("s"), MaxRecordSizeInKiB: 10_240 });
    const call = async (operation: string, input: object): Promise<Record<string, unknown>> => {
      const headers = { "content-type": "application/x-amz-json-1.1", "x-amz-target": `Kinesis_20131202.${operation}` };
      const { status, body } = await sendSigned(url, { path: "/", headers, body: JSON.stringify(input) }, TEST_KEY, "kinesis");
      assert.equal(status, 200, body.toString().slice(0, 200));
      return JSON.parse(body.toString()) as Record<string, unknown>;
    };
    const Data = Buffer.alloc(10 * 1024 * 1024 - 1, 7).toString("base64");
    for (let turn = 0; turn < 2; turn += 1) await call("PutRecord", { StreamName: "s", PartitionKey: "k", Data });
    const from = { StreamName: "s", ShardId: shardId(0), ShardIteratorType: "TRIM_HORIZON" };
    const { Records } = await call("GetRecords", await call("GetShardIterator", from));
    const [only, ...others] = Records as { readonly Data: string }[];
    assert.ok(only?.Data === Data);
    assert.deepEqual(others, []);
  });

  test("are given out as many as are asked for, and say how far behind their reader is", async (context) => {
    const { kinesis, clock, make, put } = await openKinesis(context);
    await make("s");
    await put("s", "k", "a", "b");
    await clock.advance(5_000);
    await put("s", "k", "c");
    await clock.advance(1_000);
    let { ShardIterator } = await kinesis.getShardIterator({ StreamName: "s", ShardId: shardId(0), ShardIteratorType: "TRIM_HORIZON" });
    const seen: unknown[] = [];
    for (let turn = 0; turn < 4; turn += 1) {
      const { Records = [], NextShardIterator, MillisBehindLatest } = await kinesis.getRecords({ ShardIterator, Limit: 1 });
      seen.push([Records.map(({ Data }) => text(Data)).join(""), MillisBehindLatest]);
      ShardIterator = NextShardIterator;
    }
    assert.deepEqual(seen, [
      ["a", 6_000],
      ["b", 6_000],
      ["c", 0],
      ["", 0],
    ]);
  });

  test("come in answers of at most 10 MiB", async (context) => {
    const { kinesis, make } = await openKinesis(context);
    await make("s");
    const Records = Array.from({ length: 5 }, () => ({ PartitionKey: "k", Data: Buffer.alloc(1024 * 1024 - 1) }));
    for (let turn = 0; turn < 3; turn += 1) await kinesis.putRecords({ StreamName: "s", Records });
    let { ShardIterator } = await kinesis.getShardIterator({ StreamName: "s", ShardId: shardId(0), ShardIteratorType: "TRIM_HORIZON" });
    const counts: number[] = [];
    for (let turn = 0; turn < 2; turn += 1) {
      const { Records: got = [], NextShardIterator } = await kinesis.getRecords({ ShardIterator });
      counts.push(got.length);
      ShardIterator = NextShardIterator;
    }
    assert.deepEqual(counts, [10, 5]);
  });
});

describe("positions", () => {
  test("are at or after a record, at a time, at either end", async (context) => {
    const { clock, make, put, read } = await openKinesis(context);
    await make("s");
    const [first = "", second = ""] = await put("s", "k", "a", "b");
    await clock.advance(1_000);
    await put("s", "k", "c");
    const from = (ShardIteratorType: "AT_SEQUENCE_NUMBER" | "AFTER_SEQUENCE_NUMBER", StartingSequenceNumber: string) =>
      read("s", 0, { ShardIteratorType, StartingSequenceNumber });
    assert.deepEqual(await from("AT_SEQUENCE_NUMBER", second), ["b", "c"]);
    assert.deepEqual(await from("AFTER_SEQUENCE_NUMBER", first), ["b", "c"]);
    assert.deepEqual(await read("s", 0, { ShardIteratorType: "AT_TIMESTAMP", Timestamp: new Date(clock.now() - 500) }), ["c"]);
    assert.deepEqual(await read("s", 0, { ShardIteratorType: "AT_TIMESTAMP", Timestamp: new Date(0) }), ["a", "b", "c"]);
    assert.deepEqual(await read("s", 0, { ShardIteratorType: "LATEST" }), []);
  });

  test("that there cannot be are refused in Kinesis' words", async (context) => {
    const { kinesis, clock, make, put } = await openKinesis(context);
    await make("s", 2);
    const [number = ""] = await put("s", "a", "x");
    const ask = (more: Partial<Parameters<typeof kinesis.getShardIterator>[0]>) =>
      kinesis.getShardIterator({ StreamName: "s", ShardId: shardId(0), ShardIteratorType: "LATEST", ...more });
    const argument = "InvalidArgumentException";
    await refused(ask({ ShardIteratorType: "AT_SEQUENCE_NUMBER" }), argument, /and no StartingSequenceNumber\.$/);
    await refused(ask({ StartingSequenceNumber: number }), argument, /LATEST and also a StartingSequenceNumber/);
    await refused(ask({ ShardIteratorType: "AT_TIMESTAMP" }), argument);
    const future = new Date(clock.now() + 60_000);
    await refused(
      ask({ ShardIteratorType: "AT_TIMESTAMP", Timestamp: future }),
      argument,
      /cannot be greater than the currentTimestampInMillis/,
    );
    const other = { ShardId: shardId(1), ShardIteratorType: "AT_SEQUENCE_NUMBER" as const, StartingSequenceNumber: number };
    await refused(ask(other), argument, /because it did not come from this stream/);
    await refused(ask({ ShardId: shardId(2) }), "ResourceNotFoundException", /^Shard shardId-000000000002 in stream s under account/);
    await refused(ask({ StreamName: "nowhere" }), "ResourceNotFoundException", /^Stream nowhere under account \d{12} not found\.$/);
    await refused(ask({ ShardIteratorType: "SOMEWHERE" as "LATEST" }), "ValidationException");
  });
});

describe("iterators", () => {
  test("are signed by a key that stays the same over restarts", () => {
    const [position, clock] = [{ realm: REALM, stream: "s", streamId: "id", shard: 3, offset: 7 }, new ManualClock()];
    const iterator = new Tokens("secret", clock).iterator(position);
    assert.deepEqual(new Tokens("secret", clock).positionOf(iterator), { ...position, givenAt: clock.now() });
    assert.throws(() => new Tokens("another", clock).positionOf(iterator), /Invalid ShardIterator/);
    assert.throws(() => new Tokens("secret", clock).pageOf(iterator), /Invalid NextToken/);
  });

  test("are good for five minutes, and only as they were given", async (context) => {
    const { kinesis, clock, make, put } = await openKinesis(context);
    await make("s");
    await put("s", "k", "a");
    const { ShardIterator = "" } = await kinesis.getShardIterator({
      StreamName: "s",
      ShardId: shardId(0),
      ShardIteratorType: "TRIM_HORIZON",
    });
    await clock.advance(300_000);
    const { Records, NextShardIterator } = await kinesis.getRecords({ ShardIterator });
    assert.equal(Records?.length, 1);
    await clock.advance(1);
    await refused(kinesis.getRecords({ ShardIterator }), "ExpiredIteratorException", /tolerated delay of 300000 milliseconds/);
    await kinesis.getRecords({ ShardIterator: NextShardIterator });
    for (const broken of ["x", "AAAA", `${ShardIterator.slice(0, -8)}AAAAAAAA`, Buffer.alloc(300).toString("base64")])
      await refused(kinesis.getRecords({ ShardIterator: broken }), "InvalidArgumentException", /^Invalid ShardIterator\.$/);
  });

  test("lead nowhere once their stream is another one of its name", async (context) => {
    const { kinesis, make } = await openKinesis(context);
    await make("s");
    const { ShardIterator } = await kinesis.getShardIterator({ StreamName: "s", ShardId: shardId(0), ShardIteratorType: "LATEST" });
    await kinesis.deleteStream({ StreamName: "s" });
    await refused(kinesis.getRecords({ ShardIterator }), "ResourceNotFoundException");
    await make("s");
    await refused(kinesis.getRecords({ ShardIterator }), "ResourceNotFoundException");
    await refused(kinesis.getRecords({ ShardIterator, StreamARN: arnOf("t") }), "InvalidArgumentException");
  });

  test("go on at the oldest record that is kept", async (context) => {
    const { kinesis, streams, make, put } = await openKinesis(context);
    await make("s");
    const { ShardIterator } = await kinesis.getShardIterator({ StreamName: "s", ShardId: shardId(0), ShardIteratorType: "TRIM_HORIZON" });
    await put("s", "k", "a", "b", "c");
    await (await streams.partition(REALM, "s", 0)).deleteBefore(2);
    const { Records } = await kinesis.getRecords({ ShardIterator });
    assert.deepEqual(
      Records?.map(({ Data }) => text(Data)),
      ["c"],
    );
  });
});

describe("what docs/kafka-kinesis.md says of records that Kafka's producers put", () => {
  const rows: Readonly<Record<string, readonly [record: NewRecord, partitionKey: string | RegExp, data: string]>> = {
    "a key that is text": [{ key: bytes("sensor-1"), value: bytes("v") }, "sensor-1", "v"],
    "no key": [{ key: undefined, value: bytes("v") }, "partition-0", "v"],
    "an empty key": [{ key: bytes(""), value: bytes("v") }, "base64:", "v"],
    "a key that is no UTF-8": [{ key: Buffer.of(0xff, 0xfe), value: bytes("v") }, "base64://4=", "v"],
    "a long text": [{ key: bytes("ü".repeat(257)), value: bytes("v") }, /^sha256:[0-9a-f]{64}$/, "v"],
    "256 characters outside the basic plane": [{ key: bytes("😀".repeat(256)), value: bytes("v") }, "😀".repeat(256), "v"],
    headers: [{ key: bytes("k"), value: bytes("v"), headers: [["h", bytes("1")]] }, "k", "v"],
    "a tombstone": [{ key: bytes("k"), value: undefined }, "k", ""],
  };
  for (const [what, [record, partitionKey, data]] of Object.entries(rows)) {
    test(`${what}`, async (context) => {
      const { kinesis, streams, clock } = await openKinesis(context);
      await streams.create(REALM, "topic", { shards: 1, madeBy: "kafka" });
      const partition = await streams.partition(REALM, "topic", 0);
      const checked = checkBatch(encodeBatch([{ ...record, timestamp: 5 }], { baseOffset: 0, now: 5 }), {
        batchBytesMax: 1_000_000,
        recordBytesMax: 1_000_000,
      });
      assert.equal(checked.kind, "checked");
      if (checked.kind === "checked") await partition.appendBatch(checked);
      const { ShardIterator } = await kinesis.getShardIterator({
        StreamName: "topic",
        ShardId: shardId(0),
        ShardIteratorType: "TRIM_HORIZON",
      });
      const [shown] = (await kinesis.getRecords({ ShardIterator })).Records ?? [];
      if (typeof partitionKey === "string") assert.equal(shown?.PartitionKey, partitionKey);
      else assert.match(shown?.PartitionKey ?? "", partitionKey);
      assert.equal(text(shown?.Data), data);
      // The time is that of the arrival, not the producer's.
      assert.equal(shown?.ApproximateArrivalTimestamp?.getTime(), clock.now());
      assert.equal(Number(shown?.SequenceNumber?.slice(-31)), 0);
    });
  }
});
