/** Connections of Kafka's clients: order, bounds, sign-in, and bytes from strangers (P7, P8). */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { ManualClock, seededRandom, randomBelow } from "../../../src/base/index.ts";
import {
  CONNECTION_IDLE_MS_MAX,
  PRODUCE_FRAME_BYTES_MAX,
  STANDSTILL_MS_MAX,
  STRANGER_FRAME_BYTES_MAX,
} from "../../../src/gateway/kafka/connection.ts";
import { ByteBudget } from "../../../src/gateway/kafka/byte-budget.ts";
import {
  apiVersions,
  createTopics,
  fetch,
  KAFKA_ERRORS,
  metadata,
  produce,
  Reader,
  saslAuthenticate,
  saslHandshake,
} from "../../../src/gateway/kafka/protocol/index.ts";
import { encode, everyVersion, messagesOf } from "./messages.ts";
import { batchOf, put, read } from "./requests.ts";
import { ConnectionEnded, KafkaWire } from "./wire.ts";
import { openKafkaWorld, REALM, ROOT_KEY } from "./world.ts";
import fc from "fast-check";

test("a version of ApiVersions from the future is answered in the first one, with what is spoken", async () => {
  await using world = await openKafkaWorld();
  await using wire = await KafkaWire.open(world.port);
  const request = KafkaWire.request(apiVersions, 4, { clientSoftwareName: "new", clientSoftwareVersion: "9" }, 77);
  request.writeInt16BE(60, 6);
  wire.socket.write(request);
  const frame = await wire.next(77);
  const answer = apiVersions.responseCodec(0).read(new Reader(frame.subarray(4)));
  assert.equal(answer.errorCode, KAFKA_ERRORS.UNSUPPORTED_VERSION);
  assert.ok(answer.apiKeys.some(({ apiKey, maxVersion }) => apiKey === produce.key && maxVersion >= 9));
  // The connection goes on: the client asks again with what it knows.
  assert.equal((await wire.ask(apiVersions, 3, {})).errorCode, 0);
});

for (const [what, apiKey, version] of [
  ["an API that nobody knows", 999, 0],
  ["a version that is not spoken", produce.key, 2],
  ["a version from the future", metadata.key, 99],
] as const)
  test(`${what} ends the connection, and no other one`, async () => {
    await using world = await openKafkaWorld();
    await using wire = await KafkaWire.open(world.port);
    await using other = await KafkaWire.open(world.port);
    const request = KafkaWire.request(metadata, 0, { topics: [] });
    request.writeInt16BE(apiKey, 4);
    request.writeInt16BE(version, 6);
    wire.socket.write(request);
    await wire.ended;
    assert.equal((await other.ask(apiVersions, 0, {})).errorCode, 0);
    assert.deepEqual(world.defects, []);
  });

test("answers come in the order of the requests, also where some wait and producers overlap", async () => {
  await using world = await openKafkaWorld();
  await using wire = await KafkaWire.open(world.port);
  const puts = Array.from({ length: 40 }, (_, index) => put(wire, "ordered", batchOf([`a${index}`])));
  const waiting = read(wire, "ordered", { 0: 1_000_000 });
  const more = put(wire, "ordered", batchOf(["last"]));
  const told = await Promise.all(puts);
  // The topic was made by the first of them; that is no reason to overtake it.
  assert.deepEqual(
    told.map(({ errorCode, baseOffset }) => [errorCode, baseOffset]),
    told.map((_, index) => [0, index]),
  );
  assert.equal((await waiting).partitions[0]?.errorCode, KAFKA_ERRORS.OFFSET_OUT_OF_RANGE);
  assert.equal((await more).baseOffset, 40);
});

test("frames in any pieces are the same frames", async () => {
  await using world = await openKafkaWorld();
  await using wire = await KafkaWire.open(world.port);
  const frames = Buffer.concat([1, 2, 3].map((id) => KafkaWire.request(metadata, 4, { topics: [], allowAutoTopicCreation: false }, id)));
  const answers = [1, 2, 3].map((id) => wire.next(id));
  for (const byte of frames) await new Promise((resolve) => wire.socket.write(Buffer.of(byte), resolve));
  assert.equal((await Promise.all(answers)).length, 3);
});

test("a frame longer than may be is refused before it comes", async () => {
  await using world = await openKafkaWorld();
  for (const [apiKey, length] of [
    [produce.key, PRODUCE_FRAME_BYTES_MAX + 1],
    [metadata.key, 1 << 24],
    [metadata.key, -1],
    [metadata.key, 1],
    // "GET / HTTP/1.1", as a browser's page could make one.
    [0x202f, 0x47455420],
  ] as const) {
    await using wire = await KafkaWire.open(world.port);
    const head = Buffer.alloc(6);
    head.writeInt32BE(length);
    head.writeInt16BE(apiKey, 4);
    wire.socket.write(head);
    await wire.ended;
  }
  assert.deepEqual(world.defects, []);
});

test("bytes from strangers cost their connection and nothing else", async () => {
  await using world = await openKafkaWorld({ settings: { autoCreate: false } });
  await using wire = await KafkaWire.open(world.port);
  const random = seededRandom(20_261_122);
  const apis = [...everyVersion()];
  const before = process.memoryUsage().rss;
  for (let round = 0; round < 300; round += 1) {
    const chosen = apis[randomBelow(random, apis.length)];
    assert.ok(chosen);
    const [message = {}] = fc.sample(messagesOf(chosen.api.request, chosen.version), { numRuns: 1, seed: round });
    const body = encode(chosen.api, "request", chosen.version, message);
    const header = KafkaWire.request(
      { ...chosen.api, request: {}, requestCodec: () => ({ read: () => ({}), write: () => undefined }) },
      chosen.version,
      {},
      round,
    );
    const frame = Buffer.concat([header, body]);
    frame.writeInt32BE(frame.length - 4);
    // Most are changed somewhere behind their length; some are cut, and some are what they should be.
    for (let change = randomBelow(random, 4); change > 0; change -= 1)
      frame[4 + randomBelow(random, frame.length - 4)] = randomBelow(random, 256);
    const hostile = connect(world.port, "127.0.0.1");
    hostile.on("error", () => hostile.destroy());
    hostile.resume();
    const closed = new Promise((resolve) => hostile.once("close", resolve));
    hostile.end(frame.subarray(0, randomBelow(random, 5) === 0 ? randomBelow(random, frame.length) : frame.length));
    await closed;
  }
  assert.equal((await wire.ask(apiVersions, 0, {})).errorCode, 0);
  assert.deepEqual(world.defects, []);
  assert.ok(process.memoryUsage().rss - before < 200 * 1024 * 1024);
});

test("who does not read answers is not read either, and is given up", async () => {
  const clock = new ManualClock();
  await using world = await openKafkaWorld({ clock });
  await using writer = await KafkaWire.open(world.port);
  await put(writer, "big", batchOf(["x".repeat(900_000)]));
  const slow = connect(world.port, "127.0.0.1");
  slow.on("error", () => slow.destroy());
  slow.pause();
  const request = KafkaWire.request(fetch, 4, {
    maxWaitMs: 0,
    minBytes: 1,
    topics: [{ topic: "big", partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20 }] }],
  });
  // Far more than what fits between the two of them: it is not all taken.
  let outcome: Error | undefined | null;
  slow.write(Buffer.concat(Array.from({ length: 200_000 }, () => request)), (error) => (outcome = error));
  let isOver = false;
  slow.once("close", () => (isOver = true));
  while (!isOver) await clock.advance(STANDSTILL_MS_MAX);
  assert.ok(outcome instanceof Error, "the server took it all");
});

test("a connection without requests is closed after a while, and one that says nothing at all soon", async () => {
  const clock = new ManualClock();
  await using world = await openKafkaWorld({ clock, strangers: true });
  await using silent = await KafkaWire.open(world.port);
  await using known = await KafkaWire.open(world.port);
  await signIn(known, ROOT_KEY.secretAccessKey);
  for (let passed = 0; passed <= 3 * STANDSTILL_MS_MAX; passed += STANDSTILL_MS_MAX) await clock.advance(STANDSTILL_MS_MAX);
  await silent.ended;
  assert.equal((await known.ask(apiVersions, 0, {})).errorCode, 0);
  for (let passed = 0; passed <= CONNECTION_IDLE_MS_MAX + STANDSTILL_MS_MAX; passed += STANDSTILL_MS_MAX)
    await clock.advance(STANDSTILL_MS_MAX);
  await known.ended;
});

test("closing ends what waits, writes what is under way, and leaves nothing", async () => {
  const clock = new ManualClock();
  const world = await openKafkaWorld({ clock });
  const wire = await KafkaWire.open(world.port);
  await put(wire, "closing", batchOf(["one"]));
  const waiting = read(wire, "closing", { 0: 1 }, { maxWaitMs: 100_000 });
  const last = (await KafkaWire.open(world.port)).ask(apiVersions, 0, {});
  await last;
  await world.close();
  // Answered with nothing, or cut off: both are endings.
  await waiting.catch((error: unknown) => assert.ok(error instanceof ConnectionEnded));
  await wire.ended;
  assert.equal(clock.pendingCount, 0);
});

test("strangers sign in before anything else, and nothing long is read from them", async () => {
  await using world = await openKafkaWorld({ strangers: true });
  await using early = await KafkaWire.open(world.port);
  await assert.rejects(early.ask(metadata, 4, { topics: null }), ConnectionEnded);
  await using long = await KafkaWire.open(world.port);
  const head = Buffer.alloc(6);
  head.writeInt32BE(STRANGER_FRAME_BYTES_MAX + 1);
  long.socket.write(head);
  await long.ended;

  await using wire = await KafkaWire.open(world.port);
  assert.equal((await wire.ask(apiVersions, 3, {})).errorCode, 0);
  const other = await wire.ask(saslHandshake, 1, { mechanism: "SCRAM-SHA-512" });
  assert.deepEqual([other.errorCode, other.mechanisms], [KAFKA_ERRORS.UNSUPPORTED_SASL_MECHANISM, ["PLAIN"]]);
  assert.equal((await wire.ask(saslAuthenticate, 1, { authBytes: Buffer.from("\0a\0b") })).errorCode, KAFKA_ERRORS.ILLEGAL_SASL_STATE);
  assert.equal((await signIn(wire, ROOT_KEY.secretAccessKey)).errorCode, 0);
  assert.equal((await wire.ask(metadata, 4, { topics: null })).brokers.length, 1);
});

test("a wrong secret is refused, and the connection ends behind the answer", async () => {
  await using world = await openKafkaWorld({ strangers: true });
  const tokens = [
    "\0nobody\0x",
    `\0${ROOT_KEY.accessKeyId}\0wrong`,
    `other\0${ROOT_KEY.accessKeyId}\0${ROOT_KEY.secretAccessKey}`,
    "x",
    "\0\0\0\0\0",
    "\xff",
  ];
  const tried = tokens.map(async (token) => {
    await using wire = await KafkaWire.open(world.port);
    await wire.ask(saslHandshake, 1, { mechanism: "PLAIN" });
    const { errorCode } = await wire.ask(saslAuthenticate, 2, { authBytes: Buffer.from(token, "latin1") });
    assert.equal(errorCode, KAFKA_ERRORS.SASL_AUTHENTICATION_FAILED);
    await wire.ended;
  });
  await Promise.all(tried);
  assert.deepEqual(world.defects, []);
});

test("the oldest form of a sign-in is a bare token", async () => {
  await using world = await openKafkaWorld({ strangers: true });
  for (const [secret, isRight] of [
    [ROOT_KEY.secretAccessKey, true],
    ["wrong", false],
  ] as const) {
    await using wire = await KafkaWire.open(world.port);
    await wire.ask(saslHandshake, 0, { mechanism: "PLAIN" });
    const token = Buffer.from(`\0${ROOT_KEY.accessKeyId}\0${secret}`);
    const length = Buffer.alloc(4);
    length.writeInt32BE(token.length);
    const answer = wire.next();
    wire.socket.write(Buffer.concat([length, token]));
    if (isRight) assert.equal((await answer).length, 0);
    else await assert.rejects(answer, ConnectionEnded);
    if (isRight) assert.equal((await wire.ask(metadata, 4, { topics: null })).brokers.length, 1);
  }
});

test("credentials of a session sign in with their token, for as long as they last, and do what their policies allow", async () => {
  const clock = new ManualClock();
  const asked: string[] = [];
  await using world = await openKafkaWorld({
    clock,
    strangers: true,
    allows: ({ action, resource }) => {
      asked.push(`${action} ${resource}`);
      return action !== "kafka-cluster:CreateTopic" && !resource.endsWith("/hidden");
    },
  });
  await world.streams.create(REALM, "open", { shards: 1, madeBy: "kafka" });
  await world.streams.create(REALM, "hidden", { shards: 1, madeBy: "kafka" });
  const roleArn = `arn:aws:iam::${REALM.account}:role/reader`;
  const session = {
    kind: "assumedRole",
    account: REALM.account,
    roleArn,
    sessionName: "s",
    sessionPolicies: { documents: [], arns: [] },
    tags: {},
  } as const;
  const issued = world.credentials.issueSession(session, 60_000);
  await using wire = await KafkaWire.open(world.port);
  await wire.ask(saslHandshake, 1, { mechanism: "PLAIN" });
  const authBytes = Buffer.from(`\0${issued.accessKeyId}\0${issued.secretAccessKey}:${issued.sessionToken}`);
  const { errorCode, sessionLifetimeMs } = await wire.ask(saslAuthenticate, 1, { authBytes });
  assert.deepEqual([errorCode, sessionLifetimeMs], [0, 60_000]);

  const all = await wire.ask(metadata, 4, { topics: null });
  assert.deepEqual(
    all.topics.map(({ name }) => name),
    ["open"],
  );
  assert.equal((await put(wire, "open", batchOf(["x"]))).errorCode, 0);
  assert.equal((await put(wire, "hidden", batchOf(["x"]))).errorCode, KAFKA_ERRORS.TOPIC_AUTHORIZATION_FAILED);
  assert.equal((await read(wire, "hidden", { 0: 0 })).partitions[0]?.errorCode, KAFKA_ERRORS.TOPIC_AUTHORIZATION_FAILED);
  const made = await wire.ask(createTopics, 4, {
    topics: [{ name: "mine", numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
    timeoutMs: 1,
  });
  assert.equal(made.topics[0]?.errorCode, KAFKA_ERRORS.TOPIC_AUTHORIZATION_FAILED);
  assert.ok(asked.includes("kafka-cluster:WriteData arn:aws:kafka:us-east-1:000000000000:topic/lambent/lambent-for-tests-0001/open"));
  // Asked again soon, the policies are not.
  const before = asked.length;
  await put(wire, "open", batchOf(["y"]));
  assert.equal(asked.length, before);
  clock.jumpWall(61_000);
  await assert.rejects(put(wire, "open", batchOf(["z"])), ConnectionEnded);
});

test("who asks for more bytes than are left waits in line, and leaves it when it goes", async () => {
  const budget = new ByteBudget(100);
  const here = new AbortController();
  await budget.take(80, here.signal);
  const order: string[] = [];
  const gone = new AbortController();
  const large = budget.take(90, here.signal).then(() => order.push("large"));
  const leaving = budget.take(5, gone.signal).then(
    () => order.push("leaving"),
    () => order.push("left"),
  );
  const small = budget.take(10, here.signal).then(() => order.push("small"));
  gone.abort();
  await leaving;
  budget.release(80);
  await Promise.all([large, small]);
  assert.deepEqual(order, ["left", "large", "small"]);
  budget.release(100);
  assert.equal(budget.left, 100);
});

async function signIn(wire: KafkaWire, secret: string) {
  await wire.ask(saslHandshake, 1, { mechanism: "PLAIN" });
  return wire.ask(saslAuthenticate, 1, { authBytes: Buffer.from(`\0${ROOT_KEY.accessKeyId}\0${secret}`) });
}
