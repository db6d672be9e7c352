/**
 * Kafka's protocol against a server as people start it: batches of 500 records of 1 KB from four producers, made beforehand, and as many
 * consumers that read them; one record after the other to a function's handler. The bound is the file system's: the same bytes written and synced.
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../packages/platform/src/base/index.ts";
import { fetch, metadata, produce, Reader, writeRequestHeader, Writer } from "../../packages/platform/src/gateway/kafka/protocol/index.ts";
import { encodeBatch } from "../../packages/platform/src/streams/index.ts";
import { deployAll } from "../support/application.ts";
import { KafkaConnection } from "../support/kafka-connection.ts";
import { median, type Sample } from "../support/pair.ts";
import { BenchServer } from "../support/server.ts";
import { enteredAt } from "../support/to-handler.ts";

export const RECORD_BYTES = 1_024;
export const BATCH_RECORDS = 500;
export const CLIENTS = 4;
/** Requests that a producer has on their way, as librdkafka's idempotent producers do at most. */
export const IN_FLIGHT = 5;
const PRODUCE_VERSION = 9;
const FETCH_VERSION = 12;
const METADATA_VERSION = 9;
/** What a consumer asks for at once: the usual bound of a partition. */
const FETCH_BYTES = 1024 * 1024;
const EVENTS = 100;

export interface KafkaOptions {
  readonly rounds: number;
  readonly roundMs: number;
  readonly warmUpMs: number;
}

export interface KafkaResult {
  readonly produced: readonly Sample[];
  readonly fetched: readonly Sample[];
  /** Records' bytes a second, as records, that one file takes: each batch written and synced. */
  readonly written: readonly Sample[];
}

/** Records a second through the listener, in and out. */
export async function measureKafka({ rounds, roundMs, warmUpMs }: KafkaOptions): Promise<KafkaResult> {
  const folder = mkdtempSync(join(tmpdir(), "lambent-bench-"));
  const server = await BenchServer.start();
  const clients = await openClients(server);
  const result = { produced: [] as Sample[], fetched: [] as Sample[], written: [] as Sample[] };
  try {
    await makeTopic(clients, "bench");
    const request = produceFrame("bench", batchOf(Buffer.alloc(RECORD_BYTES, "record "), BATCH_RECORDS));
    let end = 0;
    const produced = async (ms: number): Promise<Sample> => {
      const sample = await producedFor(server, clients, request, ms);
      end = Math.max(end, sample.end);
      return sample;
    };
    await produced(warmUpMs);
    await fetchedFor(server, clients, end, warmUpMs);
    for (let round = 0; round < rounds; round++) {
      result.produced.push(await produced(roundMs));
      result.written.push(writtenFor(folder, roundMs));
      result.fetched.push(await fetchedFor(server, clients, end, roundMs));
    }
    return result;
  } finally {
    for (const client of clients) client.close();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** From the write of a record's request to the entry of the handler that a mapping calls, each behind the one before, on an idle server. */
export async function measureKafkaTrigger(rounds: number): Promise<readonly Sample[]> {
  const server = await BenchServer.start();
  const [client] = await openClients(server);
  if (!client) throw new TypeError("there is a client");
  try {
    await deployAll(server, { entered: { runtime: "nodejs24.x", files: { "index.mjs": ENTERED } } });
    await makeTopic([client], "clicks");
    const { KafkaAddress = "" } = await server.status();
    const mapping = {
      FunctionName: "entered",
      Topics: ["clicks"],
      StartingPosition: "TRIM_HORIZON",
      SelfManagedEventSource: { Endpoints: { KAFKA_BOOTSTRAP_SERVERS: [KafkaAddress] } },
    };
    await server.call("lambda", "POST", "/2015-03-31/event-source-mappings", JSON.stringify(mapping));
    const samples: Sample[] = [];
    let n = 0;
    for (let round = -1; round < rounds; round++) {
      const latencies: number[] = [];
      for (const last = n + EVENTS; n < last; n++) {
        const frame = produceFrame("clicks", batchOf(Buffer.from(String(n)), 1));
        const sentAt = performance.timeOrigin + performance.now();
        await client.send(frame);
        latencies.push((await enteredAt(server, "entered", n)) - sentAt);
      }
      // The first round starts the function.
      if (round >= 0) samples.push({ value: median(latencies), details: { "max ms": Math.max(...latencies) } });
    }
    return samples;
  } finally {
    client.close();
    await server.stop();
  }
}

/** Keeps when each record was handed to it. */
const ENTERED = `const entered = [];
export const handler = async (event) => {
  if (event.read) return entered.splice(0);
  const now = performance.timeOrigin + performance.now();
  for (const record of Object.values(event.records).flat()) entered.push([Number(Buffer.from(record.value, "base64")), now]);
};
`;

async function openClients(server: BenchServer): Promise<KafkaConnection[]> {
  const { KafkaAddress } = await server.status();
  if (KafkaAddress === undefined) throw new TypeError("the server has no listener for Kafka");
  return Promise.all(Array.from({ length: CLIENTS }, () => KafkaConnection.open(KafkaAddress)));
}

/** A topic comes into being when it is asked for. */
async function makeTopic([client]: readonly KafkaConnection[], name: string): Promise<void> {
  const writer = new Writer();
  writeRequestHeader(writer, { apiKey: metadata.key, version: METADATA_VERSION, correlationId: 0, clientId: "bench" }, true);
  metadata.requestCodec(METADATA_VERSION).write(writer, { topics: [{ name }], allowAutoTopicCreation: true });
  await client?.send(framed(writer));
}

async function producedFor(
  server: BenchServer,
  clients: readonly KafkaConnection[],
  request: Buffer,
  ms: number,
): Promise<Sample & { readonly end: number }> {
  const [cpu, began] = [server.cpuMs().server, performance.now()];
  let [batches, end] = [0, 0];
  const producer = async (client: KafkaConnection): Promise<void> => {
    while (performance.now() - began < ms) {
      const offset = producedOffset(await client.send(request));
      end = Math.max(end, offset + BATCH_RECORDS);
      batches += 1;
    }
  };
  await Promise.all(clients.flatMap((client) => Array.from({ length: IN_FLIGHT }, () => producer(client))));
  return { ...perSecond(batches * BATCH_RECORDS, began, server.cpuMs().server - cpu), end };
}

async function fetchedFor(server: BenchServer, clients: readonly KafkaConnection[], end: number, ms: number): Promise<Sample> {
  const [cpu, began] = [server.cpuMs().server, performance.now()];
  let records = 0;
  const consumer = async (client: KafkaConnection): Promise<void> => {
    for (let at = 0; performance.now() - began < ms;) {
      const next = fetchedUpTo(await client.send(fetchFrame("bench", at)));
      if (next <= at) throw new TypeError(`nothing is read at ${at} of ${end}`);
      records += next - at;
      at = next >= end ? 0 : next;
    }
  };
  await Promise.all(clients.map(consumer));
  return perSecond(records, began, server.cpuMs().server - cpu);
}

function perSecond(records: number, began: number, cpuMs: number): Sample {
  const value = (records * 1_000) / (performance.now() - began);
  return { value, details: { "server's CPU µs a record": (cpuMs * 1_000) / records } };
}

/** Batches' bytes, one after the other written and synced on the same file system. */
function writtenFor(folder: string, ms: number): Sample {
  const file = openSync(join(folder, "bound"), "w");
  const bytes = Buffer.alloc(RECORD_BYTES * BATCH_RECORDS, "record ");
  const began = performance.now();
  let batches = 0;
  for (; performance.now() - began < ms; batches++) {
    writeSync(file, bytes, 0, bytes.length, 0);
    fdatasyncSync(file);
  }
  const value = (batches * BATCH_RECORDS * 1_000) / (performance.now() - began);
  closeSync(file);
  return { value };
}

function batchOf(value: Buffer, records: number): Buffer {
  const all = Array.from({ length: records }, () => ({ key: undefined, value }));
  return encodeBatch(all, { baseOffset: 0, now: systemClock.now() });
}

function produceFrame(topic: string, batch: Buffer): Buffer {
  const writer = new Writer();
  writeRequestHeader(writer, { apiKey: produce.key, version: PRODUCE_VERSION, correlationId: 0, clientId: "bench" }, true);
  const topicData = [{ name: topic, partitionData: [{ index: 0, records: [batch] }] }];
  produce.requestCodec(PRODUCE_VERSION).write(writer, { transactionalId: null, acks: -1, timeoutMs: 30_000, topicData });
  return framed(writer);
}

function fetchFrame(topic: string, fetchOffset: number): Buffer {
  const writer = new Writer();
  writeRequestHeader(writer, { apiKey: fetch.key, version: FETCH_VERSION, correlationId: 0, clientId: "bench" }, true);
  const topics = [{ topic, partitions: [{ partition: 0, fetchOffset, partitionMaxBytes: FETCH_BYTES }] }];
  const bounds = { maxWaitMs: 1_000, minBytes: 1, maxBytes: FETCH_BYTES };
  fetch.requestCodec(FETCH_VERSION).write(writer, { ...bounds, topics, forgottenTopicsData: [], rackId: "" });
  return framed(writer);
}

function framed(writer: Writer): Buffer {
  const body = Buffer.concat(writer.finish());
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length);
  return Buffer.concat([length, body]);
}

function producedOffset(answer: Buffer): number {
  const { responses } = produce.responseCodec(PRODUCE_VERSION).read(behindHeader(answer));
  const partition = responses[0]?.partitionResponses[0];
  if (!partition || partition.errorCode !== 0) throw new TypeError(`a batch was answered ${partition?.errorCode}`);
  return partition.baseOffset;
}

/** The offset behind the last batch of an answer, which may be cut. */
function fetchedUpTo(answer: Buffer): number {
  const { responses } = fetch.responseCodec(FETCH_VERSION).read(behindHeader(answer));
  const partition = responses[0]?.partitions[0];
  if (!partition || partition.errorCode !== 0) throw new TypeError(`a fetch was answered ${partition?.errorCode}`);
  const records = partition.records ?? Buffer.alloc(0);
  let end = 0;
  for (let at = 0; at + 61 <= records.length;) {
    const length = records.readInt32BE(at + 8) + 12;
    if (at + length > records.length) break;
    end = Number(records.readBigInt64BE(at)) + records.readInt32BE(at + 23) + 1;
    at += length;
  }
  return end;
}

/** Correlation id and an empty list of tagged fields. */
function behindHeader(answer: Buffer): Reader {
  const reader = new Reader(answer);
  reader.int32();
  reader.skipTaggedFields();
  return reader;
}
