/** Topics of a server in a process of its own, read by kafkajs as anybody would. */
import assert from "node:assert/strict";
import { type EachMessagePayload, Kafka, logLevel } from "kafkajs";
import type { LambentProcess } from "./lambent-process.ts";

export interface TopicRecord {
  readonly key: string | undefined;
  /** The value, of JSON. */
  readonly value: unknown;
  readonly timestamp: number;
}

/** Where its banner says that Kafka's clients come in. */
export function brokerOf(lambent: Pick<LambentProcess, "printed">): string {
  const [, broker = ""] = /^ {2}Kafka {2,}(\S+)$/mu.exec(lambent.printed()) ?? [];
  assert.notEqual(broker, "", `the banner names no broker: ${lambent.printed()}`);
  return broker;
}

/** Reads topics from their beginning until `isEnough` says so of what was read, by topic; waits at most `patienceMs`. */
export async function readTopics(
  broker: string,
  topics: readonly string[],
  isEnough: (read: ReadonlyMap<string, readonly TopicRecord[]>) => boolean,
  patienceMs = 30_000,
): Promise<ReadonlyMap<string, readonly TopicRecord[]>> {
  const read = new Map<string, TopicRecord[]>(topics.map((topic) => [topic, []]));
  const kafka = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING });
  const consumer = kafka.consumer({ groupId: `reader-of-${topics.join("-")}-${process.hrtime.bigint()}`, maxWaitTimeInMs: 50 });
  const enough = Promise.withResolvers<"enough" | "tooLate">();
  const patience = setTimeout(() => enough.resolve("tooLate"), patienceMs);
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [...topics], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      async eachMessage({ topic, message }: EachMessagePayload) {
        const value: unknown = JSON.parse(message.value?.toString() ?? "null");
        read.get(topic)?.push({ key: message.key?.toString(), value, timestamp: Number(message.timestamp) });
        if (isEnough(read)) enough.resolve("enough");
      },
    });
    const counts = (): string => JSON.stringify([...read].map(([topic, records]) => [topic, records.length]));
    assert.equal(await enough.promise, "enough", `too few records came: ${counts()}`);
    return read;
  } finally {
    clearTimeout(patience);
    await consumer.disconnect();
  }
}

/** The first `count` records of a topic. */
export async function readTopic(broker: string, topic: string, count: number): Promise<readonly TopicRecord[]> {
  const read = await readTopics(broker, [topic], (records) => (records.get(topic)?.length ?? 0) >= count);
  return read.get(topic) ?? [];
}
