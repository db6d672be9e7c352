/** Clients in use, unmodified: kafkajs and @platformatic/kafka. Others are in the matrix of docs/kafka.md. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Admin, Consumer, type MessagesStream, Producer, stringDeserializers, stringSerializers } from "@platformatic/kafka";
import { CompressionTypes, Kafka, logLevel } from "kafkajs";
import { openKafkaWorld, REALM, ROOT_KEY, type KafkaWorld } from "./world.ts";

const { accessKeyId: username, secretAccessKey: password } = ROOT_KEY;
const VALUES = Array.from({ length: 50 }, (_, index) => `value ${index}`);

function kafkaJs({ broker }: KafkaWorld, options: { readonly sasl?: boolean } = {}): Kafka {
  const sasl = options.sasl ? { sasl: { mechanism: "plain" as const, username, password } } : {};
  return new Kafka({
    clientId: "kafkajs",
    brokers: [broker],
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 20, retries: 8 },
    ...sasl,
  });
}

/** All values that come to a group, until `count` did. */
async function consumeByKafkaJs(kafka: Kafka, groupId: string, topic: string, count: number): Promise<readonly string[]> {
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const values: string[] = [];
  const all = Promise.withResolvers<void>();
  await consumer.run({
    eachMessage: async ({ message }) => {
      values.push(String(message.value));
      if (values.length === count) all.resolve();
    },
  });
  await all.promise;
  await consumer.disconnect();
  return values;
}

test("kafkajs makes topics, produces in each way, consumes in a group, and goes on where the group was", async () => {
  await using world = await openKafkaWorld();
  const kafka = kafkaJs(world);
  const admin = kafka.admin();
  await admin.connect();
  assert.equal(await admin.createTopics({ topics: [{ topic: "events", numPartitions: 3 }] }), true);
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  for (const compression of [CompressionTypes.None, CompressionTypes.GZIP])
    await producer.send({
      topic: "events",
      compression,
      messages: VALUES.map((value, index) => ({ key: String(index), value, headers: { from: "kafkajs" } })),
    });
  const values = await consumeByKafkaJs(kafka, "readers", "events", 2 * VALUES.length);
  assert.deepEqual(new Set(values), new Set(VALUES));
  const careless = kafka.producer();
  await careless.connect();
  await careless.send({ topic: "events", acks: 0, messages: [{ value: "one more" }] });
  assert.deepEqual(await consumeByKafkaJs(kafka, "readers", "events", 1), ["one more"]);

  assert.deepEqual(
    (await admin.fetchTopicOffsets("events")).reduce((sum, { offset }) => sum + Number(offset), 0),
    2 * VALUES.length + 1,
  );
  const [committed] = await admin.fetchOffsets({ groupId: "readers", topics: ["events"] });
  assert.equal(
    committed?.partitions.reduce((sum, { offset }) => sum + Number(offset), 0),
    2 * VALUES.length + 1,
  );
  const { groups } = await admin.describeGroups(["readers"]);
  assert.equal(groups[0]?.state, "Empty");
  await admin.createPartitions({ topicPartitions: [{ topic: "events", count: 4 }] });
  const { topics } = await admin.fetchTopicMetadata({ topics: ["events"] });
  assert.equal(topics[0]?.partitions.length, 4);
  await admin.deleteGroups(["readers"]);
  await admin.deleteTopics({ topics: ["events"] });
  await Promise.all([producer.disconnect(), careless.disconnect(), admin.disconnect()]);
  assert.deepEqual([world.streams.list(REALM), world.groups.list(REALM), world.defects], [[], [], []]);
});

test("kafkajs signs in with an access key, and not with another one", async () => {
  await using world = await openKafkaWorld({ strangers: true });
  const producer = kafkaJs(world, { sasl: true }).producer();
  await producer.connect();
  await producer.send({ topic: "signed", messages: [{ value: "x" }] });
  await producer.disconnect();
  const wrong = { mechanism: "plain" as const, username, password: "wrong" };
  const stranger = new Kafka({ brokers: [world.broker], logLevel: logLevel.NOTHING, retry: { retries: 0 }, sasl: wrong }).producer();
  await assert.rejects(stranger.connect(), /SASL PLAIN authentication failed/u);
  await stranger.disconnect();
});

for (const compression of ["none", "gzip", "snappy", "lz4", "zstd"] as const)
  test(`@platformatic/kafka produces with ${compression}, and consumes it in a group`, async () => {
    await using world = await openKafkaWorld({ settings: { partitions: 2 } });
    const base = { clientId: "platformatic", bootstrapBrokers: [world.broker], autocreateTopics: true };
    const producer = new Producer({ ...base, serializers: stringSerializers, compression, idempotent: compression === "none" });
    await producer.send({
      messages: VALUES.map((value, index) => ({ topic: "events", key: String(index), value, headers: { from: "here" } })),
      acks: -1,
    });
    const consumer = new Consumer({ ...base, groupId: "readers", deserializers: stringDeserializers, maxWaitTime: 100 });
    const stream: MessagesStream<string, string, string, string> = await consumer.consume({
      topics: ["events"],
      mode: "earliest",
      autocommit: true,
    });
    const values: string[] = [];
    for await (const { value, key } of stream) {
      assert.equal(value, VALUES[Number(key)]);
      values.push(value);
      if (values.length === VALUES.length) break;
    }
    assert.deepEqual(new Set(values), new Set(VALUES));
    const admin = new Admin(base);
    assert.deepEqual(await admin.listTopics(), ["events"]);
    await Promise.all([consumer.close(true), producer.close(), admin.close()]);
    assert.deepEqual(world.defects, []);
  });
