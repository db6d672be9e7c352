/** Kafka's listener as `lambent start` opens it: where it is, whose port it is, and which topics come into being by asking. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { after, test } from "node:test";
import { Kafka, logLevel } from "kafkajs";
import type { GetStatusResponse } from "../../src/api/index.ts";
import { EXIT_CODES } from "../../src/cli/exit-codes.ts";
import { runLambent, startLambent, type LambentProcess } from "../support/lambent-process.ts";
import { CommandWorld } from "../support/command-world.ts";

const USUAL_PORT = 9_092;
const holders: Server[] = [];
after(() => holders.forEach((holder) => holder.close()));

/** Listens; where somebody else does already, that is as good. */
async function hold(port: number): Promise<number> {
  const holder = createServer();
  holder.listen({ host: "127.0.0.1", port });
  const [error] = (await Promise.race([once(holder, "listening"), once(holder, "error")])) as [NodeJS.ErrnoException?];
  if (error?.code === "EADDRINUSE") return port;
  assert.equal(error, undefined);
  holders.push(holder);
  return (holder.address() as AddressInfo).port;
}

async function freePort(): Promise<number> {
  const port = await hold(0);
  const holder = holders.pop();
  holder?.close();
  return port;
}

async function kafkaOf(lambent: LambentProcess): Promise<Kafka> {
  const { KafkaAddress } = JSON.parse((await lambent.run("status", "--json")).out) as GetStatusResponse;
  assert.ok(KafkaAddress !== undefined && lambent.printed().includes(`  Kafka      ${KafkaAddress}\n`), lambent.printed());
  return new Kafka({
    clientId: "kafkajs",
    brokers: [KafkaAddress],
    logLevel: logLevel.NOTHING,
    retry: { retries: 2, initialRetryTime: 20 },
  });
}

test("the usual port is somebody else's: the server starts without Kafka and says whose it is, and what to do", async () => {
  await hold(USUAL_PORT);
  const lambent = await startLambent("--port", String(await freePort()));
  const said = /^ {2}Missing {4}Kafka: port 9092 is taken.*; --kafka-port chooses another one, 0 a free one$/mu;
  assert.match(lambent.printed(), said);
  if (holders.length > 0) assert.match(lambent.printed(), new RegExp(`port 9092 is taken by process ${process.pid} \\(`, "u"));
  assert.doesNotMatch(lambent.printed(), /^ {2}Kafka /mu);
  assert.ok(!("KafkaAddress" in (JSON.parse((await lambent.run("status", "--json")).out) as GetStatusResponse)));
  assert.equal(await lambent.stop(), EXIT_CODES.done);
});

test("a port that was named and is taken is no start", async () => {
  const taken = await hold(0);
  const { exit, out, err } = await runLambent(["start", "--memory", "--port", "0", "--kafka-port", String(taken)], {
    PATH: process.env["PATH"],
  });
  assert.notEqual(exit, EXIT_CODES.done);
  assert.match(err, new RegExp(`^lambent: Port ${taken} is held by process ${process.pid} .*\\n.*--kafka-port`, "mu"));
  assert.doesNotMatch(out, /lambent ready/u);
});

test("a topic that nobody made is refused where topics are made by hand, also to clients that would have it made", async () => {
  const lambent = await startLambent("--kafka-auto-create", "off");
  const kafka = await kafkaOf(lambent);
  const [producer, admin] = [kafka.producer({ allowAutoTopicCreation: true }), kafka.admin()];
  await Promise.all([producer.connect(), admin.connect()]);
  const send = () => producer.send({ topic: "clicks", messages: [{ value: "first" }] });
  await assert.rejects(send, /does not host this topic-partition/u);
  assert.deepEqual(await admin.listTopics(), []);
  await admin.createTopics({ topics: [{ topic: "clicks" }] });
  assert.equal((await send())[0]?.errorCode, 0);
  assert.deepEqual(await admin.listTopics(), ["clicks"]);
  await Promise.all([producer.disconnect(), admin.disconnect()]);
  assert.equal(await lambent.stop(), EXIT_CODES.done);
});

test("what a client of Kafka produces comes to a function by its topic's trigger, with key, headers and tombstones", async () => {
  const world = new CommandWorld();
  await world.start();
  try {
    const file = world.file(
      "hello.mjs",
      "const text = (base64) => (base64 === undefined ? base64 : Buffer.from(base64, 'base64').toString());\n" +
        "export const handler = async ({ records }) => {\n" +
        "  for (const { key, value, headers } of Object.values(records).flat()) console.log(JSON.stringify([text(key), text(value), headers]));\n};\n",
    );
    await world.run("deploy", file, "--no-url");
    await world.run("trigger", "hello", "--kafka", "clicks");
    const { KafkaAddress = "" } = JSON.parse(await world.run("status", "--json")) as GetStatusResponse;
    const producer = new Kafka({ clientId: "kafkajs", brokers: [KafkaAddress], logLevel: logLevel.NOTHING }).producer();
    await producer.connect();
    const log = world.begin("logs", "hello", "-f", "--since", "1m");
    const messages = [{ value: "plain" }, { key: "ada", value: null, headers: { from: "x" } }];
    await producer.send({ topic: "clicks", messages });
    await log.said(/\t\[null,"plain",\[\]\]\n[^]*\t\["ada",null,\[\{"from":\[120\]\}\]\]$/mu);
    await Promise.all([log.interrupt(), producer.disconnect()]);
  } finally {
    await world.stop();
  }
});

test("--no-kafka: nothing listens, and nothing is said of it", async () => {
  const lambent = await startLambent("--no-kafka");
  assert.doesNotMatch(lambent.printed(), /kafka/iu);
  assert.ok(!("KafkaAddress" in (JSON.parse((await lambent.run("status", "--json")).out) as GetStatusResponse)));
  assert.equal(await lambent.stop(), EXIT_CODES.done);
});
