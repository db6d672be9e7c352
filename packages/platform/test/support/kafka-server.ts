/**
 * Program: a Kafka listener on streams in memory, in a process of its own. Prints its address as a line of JSON, and for each
 * line of input, the name of a topic, how the batches in it are compressed. Ends with its input.
 *
 * Sessions may be as short as a second, so that a member that was killed is missed soon.
 */
import { createInterface } from "node:readline";
import { openKafkaWorld, REALM } from "../gateway/kafka/world.ts";

const CODECS = ["none", "gzip", "snappy", "lz4", "zstd"];
/** Where a batch says it: the low bits of its attributes. */
const ATTRIBUTES_AT = 21;
const CODEC_BITS = 7;

const settings = { partitions: 4 };
const world = await openKafkaWorld({ settings, groupSettings: { sessionTimeoutMsMin: 1_000, initialRebalanceDelayMs: 100 } });

async function codecsOf(topic: string): Promise<string[]> {
  const codecs = new Set<string>();
  for (const { number } of world.streams.get(REALM, topic).shards) {
    const partition = await world.streams.partition(REALM, topic, number);
    const batches = await partition.read(partition.first, { bytesMax: 1024 * 1024 });
    for (const { bytes } of batches) codecs.add(CODECS[bytes.readInt16BE(ATTRIBUTES_AT) & CODEC_BITS] ?? "unknown");
  }
  return [...codecs].toSorted();
}

process.stdout.write(`${JSON.stringify({ broker: world.broker })}\n`);
for await (const topic of createInterface({ input: process.stdin }))
  process.stdout.write(`${JSON.stringify({ codecs: await codecsOf(topic) })}\n`);
await world.close();
for (const defect of world.defects) process.stderr.write(`${String(defect)}\n`);
process.exitCode = world.defects.length === 0 ? 0 : 1;
