import assert from "node:assert/strict";
import { test } from "node:test";
import { zstdCompressSync } from "node:zlib";
import { crc32c } from "../../../src/base/index.ts";
import { type CheckedBatch, checkBatch, encodeBatch, type NewRecord } from "../../../src/streams/index.ts";
import { JSON_VALUES, KINESIS, QUEUE_ARN, REALM, sequencesOf, StreamWorld, valuesOf } from "./world.ts";

const numbers = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, at) => String(from + at));
const batches = ({ calls }: StreamWorld): string[][] => calls.map(({ event }) => valuesOf(event));
const outcomes = async (world: StreamWorld): Promise<string[]> =>
  (await world.records()).map(({ offsets, state }) => {
    const ending = state.kind === "ended" ? state.outcome : undefined;
    const why = ending && "reason" in ending ? ` ${ending.reason}` : "";
    return `${offsets?.first}-${offsets?.last} ${ending?.kind ?? state.kind}${why}`;
  });

test("a record is handed over as it comes, and its batch has one record with its offsets (P2)", async () => {
  const world = await StreamWorld.open();
  await world.stream();
  await world.map();
  await world.put(["a:1", "b:2"]);
  await world.clock.advance(0);
  await world.put(["a:3"]);
  await world.clock.advance(0);
  assert.deepEqual(batches(world), [["1", "2"], ["3"]]);
  assert.deepEqual(await outcomes(world), ["0-1 handled", "2-2 handled"]);
  assert.deepEqual(world.problems, []);
});

test("P6: an idle shard costs no timer and no call", async () => {
  const world = await StreamWorld.open();
  await world.stream(4);
  await world.map();
  await world.clock.advance(0);
  const waiting = world.clock.pendingCount;
  await world.clock.advance(86_400_000);
  assert.deepEqual([world.clock.pendingCount <= waiting, world.calls.length], [true, 0]);
});

test("a batch waits for its window, or until it is full", async () => {
  const world = await StreamWorld.open();
  await world.stream();
  await world.map({ batchSize: 3, windowMs: 5_000 });
  await world.put(["1"]);
  await world.clock.advance(4_000);
  assert.equal(world.calls.length, 0);
  await world.put(["2"]);
  await world.clock.advance(1_000);
  await world.put(["3", "4", "5", "6"]);
  await world.clock.advance(0);
  assert.deepEqual(batches(world), [
    ["1", "2"],
    ["3", "4", "5"],
  ]);
});

test("starting positions: from the beginning, from now, from a time", async () => {
  const world = await StreamWorld.open();
  await world.stream();
  await world.put(["1"]);
  await world.clock.advance(10_000);
  const later = world.clock.now();
  await world.put(["2"]);
  await world.clock.advance(10_000);
  const each = { ...JSON_VALUES };
  await world.map({}, KINESIS);
  await world.map({}, each, { kind: "at", time: later });
  await world.clock.advance(0);
  assert.deepEqual(batches(world), [["1", "2"], ["2"]]);
  const fresh = await StreamWorld.open();
  await fresh.stream();
  await fresh.put(["1"]);
  await fresh.map({}, KINESIS, { kind: "latest" });
  await fresh.put(["2"]);
  await fresh.clock.advance(0);
  await fresh.crash();
  await fresh.put(["3"]);
  await fresh.clock.advance(0);
  assert.deepEqual(batches(fresh), [["2"], ["3"]]);
});

test("P4: what failed is tried again before anything behind it, later and later, as often as is set", async () => {
  const world = await StreamWorld.open();
  await world.stream();
  await world.map({ batchSize: 2, retriesMax: 2, onFailure: QUEUE_ARN });
  world.react = ({ event }) => ({ kind: valuesOf(event).includes("0") ? "functionError" : "handled" });
  await world.put(numbers(0, 4));
  await world.clock.advance(60_000);
  assert.deepEqual(batches(world), [
    ["0", "1"],
    ["0", "1"],
    ["0", "1"],
    ["2", "3"],
  ]);
  assert.deepEqual(
    world.calls.map(({ at }) => at),
    [0, 1_000, 3_000, 3_000],
  );
  assert.deepEqual(await outcomes(world), ["0-1 deadLettered retriesExhausted", "2-3 handled"]);
  const [record] = await world.records();
  assert.deepEqual([record?.attemptCount, record?.attempts.at(0)?.error], [3, "Error: no more paper"]);
  const [told] = world.told;
  assert.equal(told?.target, QUEUE_ARN);
  const { requestContext, KinesisBatchInfo } = (told?.body ?? {}) as Record<string, Record<string, unknown>>;
  assert.deepEqual([requestContext?.["condition"], requestContext?.["approximateInvokeCount"]], ["RetryAttemptsExhausted", 3]);
  const sequences = sequencesOf(world.calls[0]?.event);
  assert.deepEqual(
    [KinesisBatchInfo?.["startSequenceNumber"], KinesisBatchInfo?.["endSequenceNumber"], KinesisBatchInfo?.["batchSize"]],
    [...sequences, 2],
  );
});

test("a poison record is bisected out, and halves take nothing of the retries", async () => {
  const world = await StreamWorld.open();
  await world.stream();
  await world.map({ bisects: true, retriesMax: 0, onFailure: QUEUE_ARN });
  world.react = ({ event }) => ({ kind: valuesOf(event).includes("5") ? "functionError" : "handled" });
  await world.put(numbers(0, 8));
  await world.clock.advance(0);
  assert.deepEqual(
    batches(world).map((each) => each.join("")),
    ["01234567", "0123", "4567", "45", "4", "5", "67"],
  );
  assert.deepEqual(await outcomes(world), ["0-3 handled", "4-4 handled", "5-5 deadLettered retriesExhausted", "6-7 handled"]);
  assert.equal(world.told.length, 1);
});

test("of a batch that was handled in part the rest comes again, from the lowest record that is named", async () => {
  const world = await StreamWorld.open();
  await world.stream();
  await world.map({ answers: "reported" });
  let failures = 0;
  world.react = ({ event }) => {
    const sequences = sequencesOf(event);
    const failed = failures++ === 0 ? [sequences[4], sequences[2]] : [];
    return { kind: "handled", answer: { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) } };
  };
  await world.put(numbers(0, 6));
  await world.clock.advance(0);
  assert.deepEqual(
    batches(world).map((each) => each.join("")),
    ["012345", "2345"],
  );
  assert.deepEqual(await outcomes(world), ["0-1 handled", "2-5 handled"]);
});

test("Kafka's answers name records by partition and offset", async () => {
  const world = await StreamWorld.open();
  await world.stream();
  await world.map(
    { answers: "reported" },
    {
      ...{ kind: "stream", stream: "clicks", form: "kafka", start: { kind: "trimHorizon" } },
      cluster: { kind: "selfManaged", servers: ["127.0.0.1:9092"] },
    },
  );
  world.react = () => ({
    kind: "handled",
    answer: { batchItemFailures: world.calls.length === 1 ? [{ itemIdentifier: { partition: "clicks-0", offset: 1 } }] : [] },
  });
  await world.put(["a:1", "2", "3"]);
  await world.clock.advance(0);
  assert.deepEqual(batches(world), [
    ["1", "2", "3"],
    ["2", "3"],
  ]);
});

test("Kafka's destination is told of topic, partition and offsets, behind ten retries where none are set", async () => {
  const world = await StreamWorld.open();
  await world.stream();
  const cluster = { kind: "managed", arn: "arn:aws:kafka:us-east-1:000000000000:cluster/lambent/1" } as const;
  const form = { kind: "stream", stream: "clicks", form: "kafka", cluster, start: { kind: "trimHorizon" } } as const;
  await world.map({ onFailure: QUEUE_ARN }, form);
  world.react = () => ({ kind: "functionError" });
  await world.put(["a:1", "b:2"]);
  await world.clock.advance(3_600_000);
  assert.equal(world.calls.length, 11);
  const { KafkaBatchInfo: info } = world.told[0]?.body ?? {};
  const { recordsInfo, batchSize, eventSourceArn, bootstrapServers } = info as Record<string, unknown>;
  const at = "2023-11-14T22:13:20.000Z";
  const place = { firstRecordOffset: "0", lastRecordOffset: "1", firstRecordTimestamp: at, lastRecordTimestamp: at };
  assert.deepEqual([recordsInfo, batchSize, eventSourceArn, bootstrapServers], [{ "clicks-0": place }, 2, cluster.arn, "localhost:9092"]);
});

test("records that are older than is set are given up, and so is what the stream let go", async () => {
  const world = await StreamWorld.open();
  await world.stream();
  await world.map({ recordAgeMsMax: 60_000 });
  world.react = ({ event }) => ({ kind: valuesOf(event).includes("1") ? "functionError" : "handled" });
  await world.put(["1"]);
  await world.clock.advance(50_000);
  await world.put(["2"]);
  await world.clock.advance(70_000);
  assert.deepEqual(await outcomes(world), ["0-0 expired", "1-1 handled"]);
  const [mapping] = world.sources.list(REALM);
  await world.sources.update(REALM, mapping?.uuid ?? "", { settings: {}, enabled: false });
  await world.sources.settled();
  await world.put(["3", "4"]);
  await (await world.streams.partition(REALM, "clicks", 0)).deleteBefore(3);
  await world.sources.update(REALM, mapping?.uuid ?? "", { settings: {}, enabled: true });
  await world.clock.advance(0);
  assert.deepEqual(await outcomes(world), ["0-0 expired", "1-1 handled", "2-2 expired", "3-3 handled"]);
});

test("values that are no JSON are set aside with a reason, and the others go on in their order", async () => {
  const world = await StreamWorld.open();
  await world.stream();
  await world.map({ onFailure: "arn:aws:s3:::failed" }, JSON_VALUES);
  await world.put(['{"a":1}', "NaN", "[2]", "3.10"]);
  await world.clock.advance(0);
  assert.deepEqual(
    world.calls.map(({ request }) => request.payload.toString()),
    ['[{"a":1}]', "[[2],3.10]"],
  );
  assert.deepEqual(await outcomes(world), ["0-0 handled", "1-1 deadLettered notJson", "2-3 handled"]);
  assert.equal(world.told[0]?.body["payload"], '["NaN"]');
  assert.match(
    String((world.told[0]?.options ?? {})["objectKey" as never]),
    /^aws\/lambda\/[0-9a-f-]{36}\/shardId-000000000000\/2023\/11\/14\/2023-11-14T22\.13\.20-/u,
  );
});

test("what no filter takes advances the position and nothing else", async () => {
  const world = await StreamWorld.open();
  await world.stream();
  await world.map({ filters: ['{"data":{"kind":["buy"]}}'] });
  await world.put(['{"kind":"sell"}', "no JSON", '{"kind":"buy"}', '{"kind":"sell"}']);
  await world.clock.advance(0);
  await world.put(['{"kind":"sell"}']);
  await world.clock.advance(0);
  await world.crash();
  await world.clock.advance(0);
  assert.deepEqual(batches(world), [['{"kind":"buy"}']]);
  assert.deepEqual(await outcomes(world), ["2-2 handled"]);
});

test("with parallelisation batches run beside each other, and records of a key never do", async () => {
  const world = await StreamWorld.open();
  await world.stream();
  await world.map({ parallelization: 4, batchSize: 1 });
  const running = new Set<string>();
  let most = 0;
  const keyOf = (event: unknown): string => (event as { Records: [{ kinesis: { partitionKey: string } }] }).Records[0].kinesis.partitionKey;
  world.react = ({ event }) => {
    const key = keyOf(event);
    assert.ok(!running.has(key), `two batches of key ${key} at once`);
    running.add(key);
    most = Math.max(most, running.size);
    return { kind: "handled", durationMs: 1_000 };
  };
  world.onEnd = ({ event }) => void running.delete(keyOf(event));
  await world.put(numbers(0, 40).map((each) => `key${Number(each) % 8}:${each}`));
  await world.clock.advance(60_000);
  assert.ok(most > 1 && most <= 4, `${most} at once`);
  for (let key = 0; key < 8; key += 1) {
    const seen = batches(world)
      .flat()
      .map(Number)
      .filter((each) => each % 8 === key);
    assert.deepEqual(
      seen,
      seen.toSorted((left, right) => left - right),
    );
  }
  // Another number of slots loses nothing and repeats nothing.
  const [mapping] = world.sources.list(REALM);
  await world.put(numbers(40, 60).map((each) => `key${Number(each) % 8}:${each}`));
  await world.clock.advance(2_500);
  const changed = world.sources.update(REALM, mapping?.uuid ?? "", { settings: { parallelization: 3 }, enabled: undefined });
  await world.clock.advance(60_000);
  await changed;
  assert.deepEqual(
    batches(world)
      .flat()
      .map(Number)
      .toSorted((left, right) => left - right),
    numbers(0, 60).map(Number),
  );
});

test("P4: children of a split are read behind the end of their parent", async () => {
  const world = await StreamWorld.open();
  await world.stream(1);
  await world.map();
  world.react = ({ event }) => ({ kind: world.calls.length < 3 && valuesOf(event).includes("1") ? "functionError" : "handled" });
  await world.put(["1"]);
  await world.clock.advance(0);
  await world.streams.split(REALM, "clicks", 0, String(2n ** 127n));
  await world.put(["2"], 1);
  await world.put(["3"], 2);
  await world.clock.advance(0);
  assert.deepEqual(batches(world), [["1"]]);
  await world.clock.advance(5_000);
  assert.deepEqual(
    batches(world)
      .map((each) => each.join(""))
      .toSorted(),
    ["1", "1", "1", "2", "3"],
  );
  await world.streams.merge(REALM, "clicks", 1, 2);
  await world.put(["4"], 3);
  await world.clock.advance(0);
  await world.crash();
  await world.put(["5"], 3);
  await world.clock.advance(0);
  assert.deepEqual(batches(world).slice(5), [["4"], ["5"]]);
});

test("after a crash it goes on from where it was, and what was in flight is repeated", async () => {
  const world = await StreamWorld.open();
  await world.stream();
  await world.map({ batchSize: 2 });
  world.react = () => ({ kind: "handled", durationMs: 1_000 });
  await world.put(numbers(0, 6));
  await world.clock.advance(1_500);
  await world.crash();
  await world.clock.advance(10_000);
  assert.deepEqual(
    batches(world).map((each) => each.join("")),
    ["01", "23", "23", "45"],
  );
  assert.deepEqual(await outcomes(world), ["0-1 handled", "2-3 handled", "4-5 handled"]);
});

test("a throttled call waits for room, and takes nothing of the retries", async () => {
  const world = await StreamWorld.open();
  await world.stream(3);
  await world.map({ retriesMax: 0 });
  world.concurrency = 1;
  world.react = () => ({ kind: "handled", durationMs: 100 });
  for (const shard of [0, 1, 2]) await world.put([`${shard}`], shard);
  await world.clock.advance(350);
  assert.deepEqual(
    world.calls.map(({ at }) => at),
    [0, 100, 200],
  );
});

test("a tumbling window hands its state on, is closed with a call of its own, and outlives a crash", async () => {
  const world = await StreamWorld.open();
  await world.stream();
  // 1,700,000,000 s is 20 s into a minute.
  await world.map({ tumblingMs: 60_000, batchSize: 1 });
  const seen: unknown[] = [];
  world.react = ({ event }) => {
    const { window, state, isFinalInvokeForWindow, isWindowTerminatedEarly } = event as Record<string, unknown> & {
      state: { sum?: number };
    };
    seen.push([
      valuesOf(event).join(),
      (window as { start: string }).start.slice(14),
      state.sum ?? 0,
      isFinalInvokeForWindow,
      isWindowTerminatedEarly,
    ]);
    return {
      kind: "handled",
      answer: {
        state: {
          sum:
            (state.sum ?? 0) +
            valuesOf(event)
              .map(Number)
              .reduce((left, right) => left + right, 0),
        },
      },
    };
  };
  await world.put(["1", "2"]);
  await world.clock.advance(0);
  await world.crash();
  await world.put(["3"]);
  await world.clock.advance(39_999);
  assert.equal(seen.length, 3);
  await world.clock.advance(1);
  await world.put(["4"]);
  await world.clock.advance(60_000);
  assert.deepEqual(seen, [
    ["1", "13:00Z", 0, false, false],
    ["2", "13:00Z", 1, false, false],
    ["3", "13:00Z", 3, false, false],
    ["", "13:00Z", 6, true, false],
    ["4", "14:00Z", 0, false, false],
    ["", "14:00Z", 4, true, false],
  ]);
  assert.deepEqual(world.problems, []);
});

/** As a Kafka client with compression sends them. */
function compressedBatch(records: readonly NewRecord[]): CheckedBatch {
  const plain = encodeBatch(records, { baseOffset: 0, now: 0 });
  const batch = Buffer.concat([plain.subarray(0, 61), zstdCompressSync(plain.subarray(61))]);
  batch.writeInt32BE(batch.length - 12, 8);
  batch.writeInt16BE(4, 21);
  batch.writeUInt32BE(crc32c(batch.subarray(21), 0), 17);
  const checked = checkBatch(batch, { batchBytesMax: 2 ** 20, recordBytesMax: 2 ** 20 });
  assert.equal(checked.kind, "checked");
  return checked as CheckedBatch;
}

test("of batches that are much larger than their bytes no more are held than may be (P7)", async () => {
  const world = await StreamWorld.open();
  await world.stream();
  world.concurrency = 0;
  const partition = await world.streams.partition(REALM, "clicks", 0);
  const values = Array.from({ length: 24 }, () => ({ key: undefined, value: Buffer.alloc(1_000_000) }));
  const before = process.memoryUsage().heapUsed;
  const batch = compressedBatch(values);
  for (let count = 0; count < 6; count += 1) await partition.appendBatch(batch);
  await world.map({ batchSize: 24 });
  await world.clock.advance(0);
  const held = (process.memoryUsage().heapUsed - before) / 2 ** 20;
  assert.ok(held < 120, `${Math.round(held)} MiB are held of a shard`);
  world.concurrency = Infinity;
  let handled = 0;
  world.react = ({ event }) => {
    handled += valuesOf(event).length;
    world.calls.length = 0;
    return { kind: "handled" };
  };
  for (let turn = 0; turn < 60 && handled < 144; turn += 1) await world.clock.advance(60_000);
  assert.equal(handled, 144);
  assert.deepEqual(world.problems, []);
});

test("a window whose state outgrows its bound is closed early; an answer without a state is a failure", async () => {
  const world = await StreamWorld.open();
  await world.stream();
  await world.map({ tumblingMs: 60_000, retriesMax: 0 });
  const seen: unknown[] = [];
  world.react = ({ event }) => {
    const { isFinalInvokeForWindow, isWindowTerminatedEarly, state } = event as Record<string, unknown>;
    seen.push([valuesOf(event).join(), isFinalInvokeForWindow, isWindowTerminatedEarly, JSON.stringify(state).length]);
    if (valuesOf(event).includes("large")) return { kind: "handled", answer: { state: "x".repeat(1_048_576) } };
    return { kind: "handled", answer: valuesOf(event).includes("none") ? {} : { state: {} } };
  };
  for (const value of ["large", "next", "none"]) {
    await world.put([value]);
    await world.clock.advance(0);
  }
  assert.deepEqual(seen, [
    ["large", false, false, 2],
    ["", true, true, 1_048_578],
    ["next", false, false, 2],
    ["none", false, false, 2],
  ]);
  assert.deepEqual(await outcomes(world), ["0-0 handled", "1-1 handled", "2-2 discarded retriesExhausted"]);
});

test("a stream that is removed is waited for, and another one of its name is read from its beginning", async () => {
  const world = await StreamWorld.open();
  await world.stream();
  const { uuid } = await world.map();
  await world.put(["1"]);
  await world.clock.advance(0);
  await world.streams.remove(REALM, "clicks");
  await world.clock.advance(0);
  assert.match(JSON.stringify(world.sources.result(uuid)), /does not exist/u);
  await world.stream();
  await world.put(["2"]);
  await world.clock.advance(0);
  assert.deepEqual(batches(world), [["1"], ["2"]]);
});

test("a mapping that is deleted ends what is in flight, and nothing more is read", async () => {
  const world = await StreamWorld.open();
  await world.stream();
  const { uuid } = await world.map({ batchSize: 1 });
  world.react = () => ({ kind: "handled", durationMs: 1_000 });
  await world.put(["1", "2"]);
  await world.clock.advance(500);
  await world.sources.remove(REALM, uuid);
  await world.clock.advance(5_000);
  assert.deepEqual([batches(world), world.sources.list(REALM)], [[["1"]], []]);
  assert.deepEqual(await outcomes(world), ["0-0 handled"]);
});
