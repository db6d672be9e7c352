/** Drives kafkajs: `kafkajs.ts <command> <json>`; what it does is in ../clients.ts. */
import { once } from "node:events";
import { type Batch, CompressionTypes, type Consumer, Kafka, type KafkaMessage, logLevel } from "kafkajs";
import { unreachable } from "../../../src/base/index.ts";
import { driverOptions, messagesOf, tell } from "./options.ts";

process.env["KAFKAJS_NO_PARTITIONER_WARNING"] = "1";
const { command, options } = driverOptions();
const kafka = new Kafka({ clientId: "kafkajs", brokers: [options.broker], logLevel: logLevel.NOTHING });

function tellRecord(partition: number, { offset, key, value, headers }: KafkaMessage): void {
  tell({ partition, offset: Number(offset), key: key?.toString(), value: value?.toString(), client: headers?.["client"]?.toString() });
}

async function produce(): Promise<void> {
  const producer = kafka.producer();
  await producer.connect();
  const compression = options.codec === "gzip" ? CompressionTypes.GZIP : CompressionTypes.None;
  await producer.send({ topic: options.topic, acks: -1, compression, messages: messagesOf(options, "kafkajs") });
  await producer.disconnect();
}

/** kafkajs reads in groups only: a group of its own that commits nothing is as good as none. */
async function readSome(group: string, commits: boolean): Promise<void> {
  const consumer = memberOf(group);
  await consumer.connect();
  await consumer.subscribe({ topic: options.topic, fromBeginning: true });
  const done = Promise.withResolvers<void>();
  let seen = 0;
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch }) => {
      for (const message of batch.messages) tellRecord(batch.partition, message);
      if (commits) await commit(consumer, batch);
      seen += batch.messages.length;
      if (seen >= options.count) done.resolve();
    },
  });
  await done.promise;
  await consumer.disconnect();
}

function memberOf(groupId: string): Consumer {
  return kafka.consumer({ groupId, sessionTimeout: 2_000, heartbeatInterval: 400, rebalanceTimeout: 10_000, maxWaitTimeInMs: 100 });
}

async function commit(consumer: Consumer, batch: Batch): Promise<void> {
  const offset = String(Number(batch.lastOffset()) + 1);
  await consumer.commitOffsets([{ topic: batch.topic, partition: batch.partition, offset }]);
}

async function member(): Promise<void> {
  const consumer = memberOf(options.group);
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => tell({ assigned: payload.memberAssignment[options.topic] ?? [] }));
  await consumer.connect();
  await consumer.subscribe({ topic: options.topic, fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch }) => {
      for (const message of batch.messages) tellRecord(batch.partition, message);
      await commit(consumer, batch);
    },
  });
  process.stdin.resume();
  await once(process.stdin, "end");
  await consumer.disconnect();
}

switch (command) {
  case "produce":
    await produce();
    break;
  case "consume":
    await readSome(`nobody-${process.pid}`, false);
    break;
  case "group":
    await readSome(options.group, true);
    break;
  case "member":
    await member();
    break;
  default:
    unreachable(command);
}
