/** What the answers say: records, offsets, topics, configurations, on real streams. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32c, ManualClock } from "../../../src/base/index.ts";
import {
  alterConfigs,
  createPartitions,
  createTopics,
  deleteRecords,
  deleteTopics,
  describeCluster,
  describeConfigs,
  fetch,
  findCoordinator,
  incrementalAlterConfigs,
  initProducerId,
  KAFKA_ERRORS,
  listOffsets,
  metadata,
  offsetForLeaderEpoch,
  produce,
} from "../../../src/gateway/kafka/protocol/index.ts";
import { batchOf, NO_ID, put, read } from "./requests.ts";
import { ConnectionEnded, KafkaWire } from "./wire.ts";
import { openKafkaWorld, REALM } from "./world.ts";

const TOPIC = 2;

test("an unknown topic is made by Metadata and by Produce, unless client or server forbid it", async () => {
  await using world = await openKafkaWorld({ settings: { partitions: 3 } });
  await using wire = await KafkaWire.open(world.port);
  const ask = async (name: string, allowAutoTopicCreation: boolean) => {
    const { topics, brokers } = await wire.ask(metadata, 12, { topics: [{ name }], allowAutoTopicCreation });
    assert.deepEqual(brokers, [{ nodeId: 1, host: "127.0.0.1", port: world.port, rack: null }]);
    return topics[0];
  };
  assert.equal((await ask("no", false))?.errorCode, KAFKA_ERRORS.UNKNOWN_TOPIC_OR_PARTITION);
  const made = await ask("made", true);
  assert.deepEqual(
    [made?.errorCode, made?.partitions.map(({ partitionIndex, leaderId }) => [partitionIndex, leaderId])],
    [
      0,
      [
        [0, 1],
        [1, 1],
        [2, 1],
      ],
    ],
  );
  assert.equal(made?.topicId, world.streams.get(REALM, "made").id);
  assert.equal((await put(wire, "by-produce", batchOf(["x"]), { index: 2 })).errorCode, 0);
  assert.equal((await put(wire, "by-produce", batchOf(["x"]), { index: 3 })).errorCode, KAFKA_ERRORS.UNKNOWN_TOPIC_OR_PARTITION);
  for (const name of ["a/b", "..", "", "x".repeat(250)])
    assert.equal((await ask(name, true))?.errorCode, KAFKA_ERRORS.INVALID_TOPIC_EXCEPTION);

  await using strict = await openKafkaWorld({ settings: { autoCreate: false } });
  await using other = await KafkaWire.open(strict.port);
  assert.equal((await put(other, "by-produce", batchOf(["x"]))).errorCode, KAFKA_ERRORS.UNKNOWN_TOPIC_OR_PARTITION);
  assert.deepEqual(strict.streams.list(REALM), []);
});

test("what was produced is fetched, by name and by id, from any offset on", async () => {
  await using world = await openKafkaWorld();
  await using wire = await KafkaWire.open(world.port);
  assert.deepEqual(
    await put(wire, "t", batchOf(["a", "b"])).then(({ baseOffset, logStartOffset }) => [baseOffset, logStartOffset]),
    [0, 0],
  );
  assert.equal((await put(wire, "t", batchOf(["c"]))).baseOffset, 2);
  const [told] = (await read(wire, "t", { 0: 0 })).partitions;
  assert.deepEqual([told?.values, told?.highWatermark, told?.lastStableOffset, told?.logStartOffset], [["a", "b", "c"], 3, 3, 0]);
  // A batch is given whole; the client leaves out what it has.
  assert.deepEqual((await read(wire, "t", { 0: 1 })).partitions[0]?.values, ["a", "b", "c"]);
  assert.deepEqual((await read(wire, "t", { 0: 3 })).partitions[0]?.values, []);
  assert.equal((await read(wire, "t", { 0: 4 })).partitions[0]?.errorCode, KAFKA_ERRORS.OFFSET_OUT_OF_RANGE);
  const topicId = world.streams.get(REALM, "t").id;
  const asked = (id: string) => ({
    maxWaitMs: 0,
    minBytes: 1,
    topics: [{ topicId: id, partitions: [{ partition: 0, fetchOffset: 2, partitionMaxBytes: 1 << 20 }] }],
  });
  const byId = await wire.ask(fetch, 17, asked(topicId));
  assert.deepEqual([byId.responses[0]?.topicId, byId.responses[0]?.partitions[0]?.errorCode], [topicId, 0]);
  const unknown = await wire.ask(fetch, 13, asked("11111111-2222-4333-8444-555555555555"));
  assert.equal(unknown.responses[0]?.partitions[0]?.errorCode, KAFKA_ERRORS.UNKNOWN_TOPIC_ID);
  const produced = await wire.ask(produce, 13, {
    acks: 1,
    timeoutMs: 1,
    topicData: [{ topicId, partitionData: [{ index: 0, records: [batchOf(["d"])] }] }],
  });
  assert.deepEqual([produced.responses[0]?.topicId, produced.responses[0]?.partitionResponses[0]?.baseOffset], [topicId, 3]);
});

test("a reader waits over all its partitions until one has enough, and is answered empty when its time is over", async () => {
  const clock = new ManualClock();
  await using world = await openKafkaWorld({ clock, settings: { partitions: 3 } });
  await using reader = await KafkaWire.open(world.port);
  await using writer = await KafkaWire.open(world.port);
  await put(writer, "t", batchOf(["first"]), { index: 1 });
  const waiting = read(reader, "t", { 0: 0, 1: 1, 2: 0 }, { maxWaitMs: 60_000, minBytes: 150 });
  await put(writer, "t", batchOf(["too little"]), { index: 2 });
  await clock.advance(1_000);
  await put(writer, "t", batchOf(["x".repeat(100)]), { index: 0 });
  const woken = await waiting;
  assert.deepEqual(
    woken.partitions.map(({ values }) => values.length),
    [1, 0, 1],
  );
  let isAnswered = false;
  const empty = read(reader, "t", { 1: 1 }, { maxWaitMs: 500 }).finally(() => (isAnswered = true));
  // Whoever was asked behind it on another connection shows that it had come.
  await put(writer, "other", batchOf(["x"]));
  await clock.advance(400);
  assert.equal(isAnswered, false);
  await clock.advance(200);
  assert.deepEqual((await empty).partitions[0]?.values, []);
});

test("a reader whose topic goes while it waits is told so", async () => {
  await using world = await openKafkaWorld({ clock: new ManualClock() });
  await using reader = await KafkaWire.open(world.port);
  await using writer = await KafkaWire.open(world.port);
  await put(writer, "t", batchOf(["x"]));
  const waiting = read(reader, "t", { 0: 1 }, { maxWaitMs: 60_000 });
  await put(writer, "other", batchOf(["x"]));
  await world.streams.remove(REALM, "t");
  assert.equal((await waiting).partitions[0]?.errorCode, KAFKA_ERRORS.UNKNOWN_TOPIC_OR_PARTITION);
});

test("a reader gets one batch whatever its bounds, and no more than they allow", async () => {
  await using world = await openKafkaWorld({ settings: { partitions: 2 } });
  await using wire = await KafkaWire.open(world.port);
  for (const index of [0, 1]) for (let round = 0; round < 3; round += 1) await put(wire, "t", batchOf(["x".repeat(1_000)]), { index });
  const counts = async (options: Parameters<typeof read>[3]) =>
    (await read(wire, "t", { 0: 0, 1: 0 }, options)).partitions.map(({ values }) => values.length);
  assert.deepEqual(await counts({ maxBytes: 1 }), [1, 0]);
  assert.deepEqual(await counts({ partitionMaxBytes: 1 }), [1, 1]);
  assert.deepEqual(await counts({ maxBytes: 4_500 }), [3, 1]);
  assert.deepEqual(await counts({}), [3, 3]);
  // More asked for than fits is no reason to wait.
  assert.deepEqual(await counts({ maxBytes: 1_500, minBytes: 100_000, maxWaitMs: 60_000 }), [1, 0]);
  assert.deepEqual(await counts({ partitionMaxBytes: 1_500, minBytes: 100_000, maxWaitMs: 60_000 }), [1, 1]);
});

test("what readers that wait for more hold counts: beyond the bound of all together answers are small, and come at once (P7)", async () => {
  await using world = await openKafkaWorld({ clock: new ManualClock() });
  await using writer = await KafkaWire.open(world.port);
  for (let round = 0; round < 33; round += 1) await put(writer, "t", batchOf(["x".repeat(1_000_000)]));
  const most = 2 ** 31 - 1;
  const all = { maxBytes: most, partitionMaxBytes: most, minBytes: most, maxWaitMs: 60_000 };
  const waiting = await Promise.all(Array.from({ length: 8 }, () => KafkaWire.open(world.port)));
  const left = waiting.map((wire) => assert.rejects(read(wire, "t", { 0: 0 }, all), ConnectionEnded));
  await using late = await KafkaWire.open(world.port);
  for (let round = 0; round < 2; round += 1) {
    const { values = [] } = (await read(late, "t", { 0: 0 }, all)).partitions[0] ?? {};
    assert.ok(values.length >= 1 && values.length < 10, `${values.length} records are given beside those that are held`);
  }
  for (const wire of waiting) await wire[Symbol.asyncDispose]();
  await Promise.all(left);
});

test("no fetch session is kept: who asks for one gets a whole answer, who goes on with one starts anew", async () => {
  await using world = await openKafkaWorld();
  await using wire = await KafkaWire.open(world.port);
  await put(wire, "t", batchOf(["x"]));
  const first = await wire.ask(fetch, 11, { maxWaitMs: 0, minBytes: 1, sessionId: 0, sessionEpoch: 0, topics: [] });
  assert.deepEqual([first.errorCode, first.sessionId], [0, 0]);
  assert.equal((await read(wire, "t", { 0: 0 }, { sessionId: 5, sessionEpoch: 1 })).errorCode, KAFKA_ERRORS.FETCH_SESSION_ID_NOT_FOUND);
});

test("an idempotent producer's batch is kept once, and one out of its order not at all", async () => {
  await using world = await openKafkaWorld();
  await using wire = await KafkaWire.open(world.port);
  const { errorCode, producerId, producerEpoch } = await wire.ask(initProducerId, 4, { transactionTimeoutMs: 1 });
  assert.deepEqual([errorCode, producerEpoch], [0, 0]);
  const batch = (sequence: number, value: string): Buffer => numbered(batchOf([value]), producerId, sequence);
  assert.equal((await put(wire, "t", batch(0, "a"))).baseOffset, 0);
  assert.deepEqual(await put(wire, "t", batch(0, "a")).then((told) => [told.errorCode, told.baseOffset]), [0, 0]);
  assert.equal((await put(wire, "t", batch(2, "c"))).errorCode, KAFKA_ERRORS.OUT_OF_ORDER_SEQUENCE_NUMBER);
  assert.equal((await put(wire, "t", batch(1, "b"))).baseOffset, 1);
  assert.deepEqual((await read(wire, "t", { 0: 0 })).partitions[0]?.values, ["a", "b"]);
  const next = await wire.ask(initProducerId, 0, { transactionTimeoutMs: 1, transactionalId: null });
  assert.notEqual(next.producerId, producerId);
});

test("transactions are refused where a client first asks for one", async () => {
  await using world = await openKafkaWorld();
  await using wire = await KafkaWire.open(world.port);
  const refused = KAFKA_ERRORS.TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
  const coordinator = await wire.ask(findCoordinator, 4, { keyType: 1, coordinatorKeys: ["mine"] });
  assert.deepEqual(
    [coordinator.coordinators[0]?.errorCode, coordinator.coordinators[0]?.errorMessage],
    [refused, "Transactions are not built in Lambent."],
  );
  assert.equal((await wire.ask(initProducerId, 2, { transactionalId: "mine", transactionTimeoutMs: 1 })).errorCode, refused);
  assert.equal((await put(wire, "t", batchOf(["x"]), { transactionalId: "mine" })).errorCode, refused);
  const batch = batchOf(["x"]);
  batch.writeInt16BE(0x10, 21);
  assert.equal((await put(wire, "t", sealed(batch))).errorCode, KAFKA_ERRORS.UNSUPPORTED_FOR_MESSAGE_FORMAT);
});

test("what cannot be kept is refused, each partition by itself", async () => {
  await using world = await openKafkaWorld();
  await using wire = await KafkaWire.open(world.port);
  await put(wire, "t", batchOf(["x"]));
  const changed = batchOf(["x"]);
  changed[changed.length - 3] = 0x79;
  const oldFormat = batchOf(["x"]);
  oldFormat.writeInt8(1, 16);
  const errors = {
    "changed on its way": [changed, "CORRUPT_MESSAGE"],
    "of an older format": [oldFormat, "UNSUPPORTED_FOR_MESSAGE_FORMAT"],
    "no batch at all": [null, "INVALID_RECORD"],
    "two batches": [Buffer.concat([batchOf(["x"]), batchOf(["y"])]), "CORRUPT_MESSAGE"],
    "a record over the limit": [batchOf(["x".repeat((1 << 20) + 1)]), "MESSAGE_TOO_LARGE"],
  } as const;
  for (const [what, [records, error]] of Object.entries(errors)) {
    const { errorCode, errorMessage } = await put(wire, "t", records);
    assert.equal(errorCode, KAFKA_ERRORS[error], what);
    assert.ok(errorMessage, what);
  }
  assert.equal((await put(wire, "t", batchOf(["x"]), { acks: 2 })).errorCode, KAFKA_ERRORS.INVALID_REQUIRED_ACKS);
  assert.equal((await put(wire, "t", batchOf(["y"]))).baseOffset, 1);
  assert.deepEqual(world.defects, []);
});

test("who wants no acknowledgement gets no answer, and is cut off when something fails", async () => {
  await using world = await openKafkaWorld();
  await using wire = await KafkaWire.open(world.port);
  const silent = (records: Buffer) => ({
    acks: 0,
    timeoutMs: 1,
    topicData: [{ name: "t", partitionData: [{ index: 0, records: [records] }] }],
  });
  wire.socket.write(KafkaWire.request(produce, 9, silent(batchOf(["a"])), 1));
  wire.socket.write(KafkaWire.request(produce, 9, silent(batchOf(["b"])), 2));
  assert.deepEqual((await read(wire, "t", { 0: 0 })).partitions[0]?.values, ["a", "b"]);
  wire.socket.write(KafkaWire.request(produce, 9, silent(Buffer.alloc(100)), 3));
  await wire.ended;
});

test("offsets are found at the ends and by time", async () => {
  await using world = await openKafkaWorld();
  await using wire = await KafkaWire.open(world.port);
  await put(wire, "t", batchOf(["a", "b"], [1_000, 5_000]));
  await put(wire, "t", batchOf(["c", "d"], [9_000, 3_000]));
  const ask = async (timestamp: number, name = "t", currentLeaderEpoch = -1) => {
    const { topics } = await wire.ask(listOffsets, 7, {
      replicaId: -1,
      isolationLevel: 0,
      topics: [{ name, partitions: [{ partitionIndex: 0, timestamp, currentLeaderEpoch }] }],
    });
    const [told] = topics[0]?.partitions ?? [];
    return [told?.errorCode, told?.offset, told?.timestamp];
  };
  assert.deepEqual(await ask(-1), [0, 4, -1]);
  assert.deepEqual(await ask(-2), [0, 0, -1]);
  assert.deepEqual(await ask(-3), [0, 2, 9_000]);
  assert.deepEqual(await ask(0), [0, 0, 1_000]);
  assert.deepEqual(await ask(1_001), [0, 1, 5_000]);
  assert.deepEqual(await ask(5_001), [0, 2, 9_000]);
  assert.deepEqual(await ask(9_001), [0, -1, -1]);
  assert.deepEqual(await ask(-9), [0, -1, -1]);
  assert.deepEqual(await ask(-1, "nothing"), [KAFKA_ERRORS.UNKNOWN_TOPIC_OR_PARTITION, -1, -1]);
  assert.deepEqual(await ask(-1, "t", 4), [KAFKA_ERRORS.UNKNOWN_LEADER_EPOCH, -1, -1]);
  const epoch = async (leaderEpoch: number) => {
    const { topics } = await wire.ask(offsetForLeaderEpoch, 4, { topics: [{ topic: "t", partitions: [{ partition: 0, leaderEpoch }] }] });
    return topics[0]?.partitions[0]?.endOffset;
  };
  assert.deepEqual([await epoch(0), await epoch(3)], [4, -1]);
});

test("records are deleted up to an offset, and never beyond the end", async () => {
  await using world = await openKafkaWorld();
  await using wire = await KafkaWire.open(world.port);
  for (const value of ["a", "b", "c"]) await put(wire, "t", batchOf([value]));
  const ask = async (offset: number) => {
    const { topics } = await wire.ask(deleteRecords, 2, {
      topics: [{ name: "t", partitions: [{ partitionIndex: 0, offset }] }],
      timeoutMs: 1,
    });
    return [topics[0]?.partitions[0]?.errorCode, topics[0]?.partitions[0]?.lowWatermark];
  };
  assert.deepEqual(await ask(2), [0, 2]);
  assert.equal((await read(wire, "t", { 0: 1 })).partitions[0]?.errorCode, KAFKA_ERRORS.OFFSET_OUT_OF_RANGE);
  assert.deepEqual((await read(wire, "t", { 0: 2 })).partitions[0]?.values, ["c"]);
  assert.deepEqual(await ask(4), [KAFKA_ERRORS.OFFSET_OUT_OF_RANGE, -1]);
  assert.deepEqual(await ask(-1), [0, 3]);
});

test("topics are made, grown and removed, and each wish that cannot be met is refused by itself", async () => {
  await using world = await openKafkaWorld();
  await using wire = await KafkaWire.open(world.port);
  const topic = { numPartitions: 2, replicationFactor: 1, assignments: [], configs: [] };
  const make = async (topics: readonly (Partial<typeof topic> & { readonly name: string })[], validateOnly = false) => {
    const answer = await wire.ask(createTopics, 7, { topics: topics.map((each) => ({ ...topic, ...each })), timeoutMs: 1, validateOnly });
    return answer.topics.map(({ errorCode, numPartitions }) => (errorCode === 0 ? numPartitions : errorCode));
  };
  assert.deepEqual(await make([{ name: "checked" }], true), [2]);
  assert.equal(world.streams.find(REALM, "checked"), undefined);
  assert.deepEqual(
    await make([
      { name: "a" },
      { name: "b", numPartitions: -1, replicationFactor: -1 },
      { name: "c", replicationFactor: 3 },
      { name: "d", numPartitions: 0 },
      { name: "e/f" },
    ]),
    [2, 1, KAFKA_ERRORS.INVALID_REPLICATION_FACTOR, KAFKA_ERRORS.INVALID_PARTITIONS, KAFKA_ERRORS.INVALID_TOPIC_EXCEPTION],
  );
  assert.deepEqual(await make([{ name: "a" }, { name: "twice" }, { name: "twice" }]), [
    KAFKA_ERRORS.TOPIC_ALREADY_EXISTS,
    KAFKA_ERRORS.INVALID_REQUEST,
    KAFKA_ERRORS.INVALID_REQUEST,
  ]);
  const grow = async (name: string, count: number) => {
    const { results } = await wire.ask(createPartitions, 3, {
      topics: [{ name, count, assignments: null }],
      timeoutMs: 1,
      validateOnly: false,
    });
    return results[0]?.errorCode;
  };
  assert.deepEqual(
    [await grow("a", 5), await grow("a", 5), await grow("zz", 5)],
    [0, KAFKA_ERRORS.INVALID_PARTITIONS, KAFKA_ERRORS.UNKNOWN_TOPIC_OR_PARTITION],
  );
  assert.equal(world.streams.get(REALM, "a").shards.length, 5);
  const { id } = world.streams.get(REALM, "a");
  const removed = await wire.ask(deleteTopics, 6, {
    topics: [
      { name: null, topicId: id },
      { name: "b", topicId: NO_ID },
      { name: "zz", topicId: NO_ID },
    ],
    timeoutMs: 1,
  });
  assert.deepEqual(
    removed.responses.map(({ name, errorCode }) => [name, errorCode]),
    [
      ["a", 0],
      ["b", 0],
      ["zz", KAFKA_ERRORS.UNKNOWN_TOPIC_OR_PARTITION],
    ],
  );
  assert.deepEqual(world.streams.list(REALM), []);
});

test("configurations act, or are kept, or are refused by name", async () => {
  await using world = await openKafkaWorld();
  await using wire = await KafkaWire.open(world.port);
  const made = async (configs: Readonly<Record<string, string>>) => {
    const [name] = Object.keys(configs);
    const list = Object.entries(configs).map(([key, value]) => ({ name: key, value }));
    const { topics } = await wire.ask(createTopics, 5, {
      topics: [{ name: `t-${name}`, numPartitions: 1, replicationFactor: 1, assignments: [], configs: list }],
      timeoutMs: 1,
    });
    return topics[0];
  };
  assert.equal(
    (await made({ "retention.ms": "1000", "message.timestamp.type": "LogAppendTime", "segment.bytes": "1048576" }))?.errorCode,
    0,
  );
  const { settings } = world.streams.get(REALM, "t-retention.ms");
  assert.deepEqual([settings.retentionMs, settings.timestamps, settings.config], [1_000, "append", { "segment.bytes": "1048576" }]);
  for (const wrong of [
    { "cleanup.policy": "compact" },
    { "retention.ms": "soon" },
    { "no.such": "1" },
    { "max.message.bytes": "99999999999" },
  ]) {
    const told = await made(wrong as unknown as Readonly<Record<string, string>>);
    assert.equal(told?.errorCode, KAFKA_ERRORS.INVALID_CONFIG);
    assert.match(told?.errorMessage ?? "", new RegExp(Object.keys(wrong)[0] ?? "", "u"));
  }
  const resource = { resourceType: TOPIC, resourceName: "t-retention.ms" };
  const described = async () => {
    const { results } = await wire.ask(describeConfigs, 4, {
      resources: [{ ...resource, configurationKeys: ["retention.ms", "retention.bytes", "segment.bytes"] }],
    });
    return Object.fromEntries((results[0]?.configs ?? []).map(({ name, value, configSource }) => [name, `${value} ${configSource}`]));
  };
  assert.deepEqual(await described(), { "retention.bytes": "-1 5", "retention.ms": "1000 1", "segment.bytes": "1048576 1" });
  const change = async (name: string, configOperation: number, value: string | null) => {
    const { responses } = await wire.ask(incrementalAlterConfigs, 1, {
      resources: [{ ...resource, configs: [{ name, configOperation, value }] }],
      validateOnly: false,
    });
    return responses[0]?.errorCode;
  };
  assert.deepEqual([await change("retention.bytes", 0, "4096"), await change("retention.ms", 1, null)], [0, 0]);
  assert.deepEqual(
    [await change("retention.ms", 2, "1"), await change("cleanup.policy", 2, "compact")],
    [KAFKA_ERRORS.INVALID_CONFIG, KAFKA_ERRORS.INVALID_CONFIG],
  );
  assert.deepEqual(await described(), { "retention.bytes": "4096 1", "retention.ms": "604800000 5", "segment.bytes": "1048576 1" });
  await wire.ask(alterConfigs, 2, { resources: [{ ...resource, configs: [{ name: "retention.ms", value: "5" }] }], validateOnly: false });
  assert.deepEqual(await described(), { "retention.bytes": "-1 5", "retention.ms": "5 1", "segment.bytes": "1073741824 5" });
  const broker = await wire.ask(describeConfigs, 1, { resources: [{ resourceType: 4, resourceName: "1", configurationKeys: null }] });
  assert.ok(broker.results[0]?.configs.some(({ name, value }) => name === "auto.create.topics.enable" && value === "true"));
  const cluster = await wire.ask(describeCluster, 1, { includeClusterAuthorizedOperations: false });
  assert.deepEqual([cluster.clusterId, cluster.brokers.length], ["lambent-for-tests-0001", 1]);
});

test("a topic whose times are those of arrival says so to producer and reader", async () => {
  const clock = new ManualClock(1_800_000_000_000);
  await using world = await openKafkaWorld({ clock });
  await using wire = await KafkaWire.open(world.port);
  await world.streams.create(REALM, "t", { shards: 1, madeBy: "kafka", settings: { timestamps: "append" } });
  assert.equal((await put(wire, "t", batchOf(["x"], [5]))).logAppendTimeMs, 1_800_000_000_000);
  const { topics } = await wire.ask(listOffsets, 1, {
    replicaId: -1,
    topics: [{ name: "t", partitions: [{ partitionIndex: 0, timestamp: 6 }] }],
  });
  assert.deepEqual([topics[0]?.partitions[0]?.offset, topics[0]?.partitions[0]?.timestamp], [0, 1_800_000_000_000]);
});

test("more than a request may ask for ends the connection", async () => {
  await using world = await openKafkaWorld();
  await using wire = await KafkaWire.open(world.port);
  const partitions = Array.from({ length: 10_001 }, (_, partition) => ({ partition, fetchOffset: 0, partitionMaxBytes: 1 }));
  await assert.rejects(wire.ask(fetch, 4, { maxWaitMs: 0, minBytes: 0, topics: [{ topic: "t", partitions }] }), ConnectionEnded);
  assert.deepEqual(world.defects, []);
});

/** A batch with another producer's number, and its checksum put right. */
function numbered(batch: Buffer, producerId: bigint, sequence: number): Buffer {
  batch.writeBigInt64BE(producerId, 43);
  batch.writeInt16BE(0, 51);
  batch.writeInt32BE(sequence, 53);
  return sealed(batch);
}

function sealed(batch: Buffer): Buffer {
  batch.writeUInt32BE(crc32c(batch.subarray(21), 0), 17);
  return batch;
}
