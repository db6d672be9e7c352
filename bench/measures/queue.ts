/**
 * Messages over HTTP: pre-signed requests of SQS from the generator against a server as people start it. The bound is one
 * write and fdatasync after the other, the least an acknowledgement costs who keeps it.
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Connection } from "../support/connection.ts";
import { answersPerSecond } from "../support/load.ts";
import { compare, median, type PairResult, type Sample } from "../support/pair.ts";
import { BenchServer } from "../support/server.ts";

export const MESSAGE_BYTES = 256;
export const BATCH = 10;
export const CONNECTIONS = 64;
const BODY = "m".repeat(MESSAGE_BYTES);
/** Messages that are sent and received one after the other for the latency. */
const ROUND_TRIPS = 200;
const FILL_CONNECTIONS = 16;

export interface SendOptions {
  readonly rounds: number;
  readonly roundMs: number;
  readonly warmUpMs: number;
}

/** Messages a second in batches and one by one, each beside the bound of the same round. */
export async function measureSends({
  rounds,
  roundMs,
  warmUpMs,
}: SendOptions): Promise<{ readonly batched: PairResult; readonly single: PairResult }> {
  const server = await BenchServer.start();
  const samples = { batched: [] as Sample[], single: [] as Sample[], bound: [] as Sample[] };
  try {
    const url = await madeQueue(server, "sends");
    const turns = {
      batched: async (ms: number) => messagesPerSecond(server, batchesTo(server, url), BATCH, ms),
      single: async (ms: number) => messagesPerSecond(server, singlesTo(server, url), 1, ms),
      bound: async (ms: number) => fdatasyncsPerSecond(ms),
    };
    for (const turn of [turns.batched, turns.single]) await turn(warmUpMs);
    const names = ["batched", "single", "bound"] as const;
    for (let round = 0; round < rounds; round++)
      for (const name of round % 2 === 0 ? names : names.toReversed()) samples[name].push(await turns[name](roundMs));
    return { batched: compare(samples.batched, samples.bound), single: compare(samples.single, samples.bound) };
  } finally {
    await server.stop();
  }
}

/** From the write of a SendMessage to the last byte of the ReceiveMessage that waited for it, on an idle server. */
export async function measureLatency(rounds: number): Promise<readonly Sample[]> {
  const server = await BenchServer.start();
  try {
    const url = await madeQueue(server, "latency");
    const [sender, receiver] = [await Connection.open(server.port), await Connection.open(server.port)];
    const samples: Sample[] = [];
    for (let round = 0; round < rounds; round++) {
      const latencies: number[] = [];
      for (let trip = 0; trip < ROUND_TRIPS; trip++) latencies.push(await roundTrip(server, url, sender, receiver));
      latencies.sort((left, right) => left - right);
      samples.push({ value: median(latencies), details: { "p99 ms": latencies[Math.floor(ROUND_TRIPS * 0.99)] ?? Number.NaN } });
    }
    sender.close();
    receiver.close();
    return samples;
  } finally {
    await server.stop();
  }
}

async function roundTrip(server: BenchServer, url: string, sender: Connection, receiver: Connection): Promise<number> {
  const receiving = receiver.send(server.signedRpc("sqs", "ReceiveMessage", { QueueUrl: url, WaitTimeSeconds: 20 }));
  const request = server.signedRpc("sqs", "SendMessage", { QueueUrl: url, MessageBody: BODY });
  const began = performance.now();
  await sender.send(request);
  const { body } = await receiving;
  const ms = performance.now() - began;
  const handle = (JSON.parse(body) as { readonly Messages?: readonly { readonly ReceiptHandle: string }[] }).Messages?.[0]?.ReceiptHandle;
  if (handle === undefined) throw new TypeError(`a receive that waited gave ${body}`);
  await sender.send(server.signedRpc("sqs", "DeleteMessage", { QueueUrl: url, ReceiptHandle: handle }));
  return ms;
}

export interface Backlog {
  /** PSS of the server's process when the queue was filled, MB. */
  readonly memory: readonly Sample[];
  /** From spawn to the ready line of a second start on the same folder. */
  readonly start: readonly Sample[];
  /** Batches to the full queue beside batches to an empty one; the same for receiving. */
  readonly sends: PairResult;
  readonly receives: PairResult;
}

/** What `messages` waiting in one queue change. */
export async function measureBacklog(messages: number, { rounds, roundMs }: Pick<SendOptions, "rounds" | "roundMs">): Promise<Backlog> {
  const folder = mkdtempSync(join(tmpdir(), "lambent-bench-"));
  let server: BenchServer | undefined;
  try {
    server = await BenchServer.start({ dataFolder: folder });
    const full = await madeQueue(server, "full");
    for (let waiting = 0; waiting < messages;) waiting += await fill(server, full, messages - waiting);
    const filledMb = server.memory().serverPssMb;
    const start: Sample[] = [];
    for (let round = 0; round < rounds; round++) {
      await server.stop();
      server = await BenchServer.start({ dataFolder: folder });
      start.push({ value: server.readyMs });
    }
    const empty = await madeQueue(server, "empty");
    const sends = { full: [] as Sample[], empty: [] as Sample[] };
    const receives = { full: [] as Sample[], empty: [] as Sample[] };
    const urls = { full, empty };
    for (let round = 0; round <= rounds; round++) {
      for (const name of round % 2 === 0 ? (["full", "empty"] as const) : (["empty", "full"] as const)) {
        const sent = await messagesPerSecond(server, batchesTo(server, urls[name]), BATCH, roundMs);
        const received = await messagesPerSecond(server, receivesFrom(server, urls[name]), BATCH, roundMs / 2);
        if (round === 0) continue; // compiles what the rounds measure
        sends[name].push(sent);
        receives[name].push(received);
      }
    }
    const memory = [{ value: filledMb, details: { "MB once the rounds' receives are in flight": server.memory().serverPssMb } }];
    return { memory, start, sends: compare(sends.full, sends.empty), receives: compare(receives.full, receives.empty) };
  } finally {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function fill(server: BenchServer, url: string, missing: number): Promise<number> {
  const requests = batchesTo(server, url);
  const durationMs = missing > 20_000 ? 2_000 : 200;
  const { value, details } = await answersPerSecond({ port: server.port, connections: FILL_CONNECTIONS, durationMs, requests }, () =>
    server.cpuMs(),
  );
  return Math.floor((value * BATCH * durationMs) / 1_000) * (details ? 1 : 0);
}

/** Creates a queue and gives its URL. */
async function madeQueue(server: BenchServer, name: string): Promise<string> {
  const connection = await Connection.open(server.port);
  // In flight for longer than the bench runs: what was received does not come again.
  const { body } = await connection.send(
    server.signedRpc("sqs", "CreateQueue", { QueueName: name, Attributes: { VisibilityTimeout: "3600" } }),
  );
  connection.close();
  const url = (JSON.parse(body) as { readonly QueueUrl?: string }).QueueUrl;
  if (url === undefined) throw new TypeError(`CreateQueue answered ${body}`);
  return url;
}

const requests = (make: () => Buffer): Buffer[] => Array.from({ length: CONNECTIONS }, make);

function batchesTo(server: BenchServer, QueueUrl: string): Buffer[] {
  const Entries = Array.from({ length: BATCH }, (_, index) => ({ Id: `${index}`, MessageBody: BODY }));
  return requests(() => server.signedRpc("sqs", "SendMessageBatch", { QueueUrl, Entries }));
}

function singlesTo(server: BenchServer, QueueUrl: string): Buffer[] {
  return requests(() => server.signedRpc("sqs", "SendMessage", { QueueUrl, MessageBody: BODY }));
}

function receivesFrom(server: BenchServer, QueueUrl: string): Buffer[] {
  return requests(() => server.signedRpc("sqs", "ReceiveMessage", { QueueUrl, MaxNumberOfMessages: BATCH }));
}

async function messagesPerSecond(server: BenchServer, prepared: readonly Buffer[], perAnswer: number, durationMs: number): Promise<Sample> {
  const { value, details } = await answersPerSecond({ port: server.port, connections: CONNECTIONS, durationMs, requests: prepared }, () =>
    server.cpuMs(),
  );
  return { value: value * perAnswer, ...(details ? { details } : {}) };
}

/** One message after the other, written and synced on the same file system. */
function fdatasyncsPerSecond(ms: number): Sample {
  const folder = mkdtempSync(join(tmpdir(), "lambent-bench-"));
  const file = openSync(join(folder, "bound"), "w");
  const body = Buffer.alloc(MESSAGE_BYTES, "m");
  const began = performance.now();
  let count = 0;
  while (performance.now() - began < ms) {
    writeSync(file, body);
    fdatasyncSync(file);
    count += 1;
  }
  const value = (count * 1_000) / (performance.now() - began);
  closeSync(file);
  rmSync(folder, { recursive: true });
  return { value };
}
