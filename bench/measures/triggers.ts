/**
 * A queue that calls a function: how long a message takes to its handler on an idle server and at half of what the server drains,
 * and the longest time in which a backlog stands still.
 */
import { deployAll } from "../support/application.ts";
import { median, type Sample } from "../support/pair.ts";
import { BenchServer } from "../support/server.ts";

const BATCH = 10;
const IDLE_MESSAGES = 100;
const BACKLOG_MESSAGES = 1_000;
const HALF_LOAD_MS = 3_000;
const SOURCE = "arn:aws:sqs:us-east-1:000000000000:jobs";

/** Takes 100 calls at once, so that one instance sees every message; notes when each was sent and when it came. */
const FILES = {
  "index.mjs": `
let entered = [];
const now = () => performance.timeOrigin + performance.now();
export const handler = async ({ Records, read }) => {
  if (!read) return void entered.push(...Records.map(({ body }) => [Number(body), now()]));
  const all = entered;
  entered = [];
  return all;
};`,
};

export interface TriggerResult {
  /** From the write of a SendMessage to the handler, p50 ms. */
  readonly idle: readonly Sample[];
  readonly halfLoad: readonly Sample[];
  /** The longest time between two batches while 1,000 messages wait, ms. */
  readonly gap: readonly Sample[];
}

export async function measureTriggers(rounds: number): Promise<TriggerResult> {
  const server = await BenchServer.start();
  try {
    await deployAll(server, { worker: { runtime: "nodejs24.x", files: FILES, concurrency: 100 } });
    const { QueueUrl } = (await sqs(server, "CreateQueue", { QueueName: "jobs" })) as { readonly QueueUrl: string };
    const mapping = JSON.stringify({ FunctionName: "worker", EventSourceArn: SOURCE, BatchSize: BATCH });
    const { body } = await server.call("lambda", "POST", "/2015-03-31/event-source-mappings", mapping);
    const { UUID } = JSON.parse(body) as { readonly UUID: string };
    await drained(server, await sendMany(server, QueueUrl, 200));
    const result = { idle: [] as Sample[], halfLoad: [] as Sample[], gap: [] as Sample[] };
    for (let round = 0; round < rounds; round++) {
      result.idle.push(await idle(server, QueueUrl));
      const { gapMs, perSecond } = await backlog(server, QueueUrl, UUID);
      result.gap.push({ value: gapMs, details: { "messages/s": perSecond } });
      result.halfLoad.push(await halfLoad(server, QueueUrl, perSecond / 2));
    }
    return result;
  } finally {
    await server.stop();
  }
}

type Entered = readonly (readonly [sentAt: number, enteredAt: number])[];

async function idle(server: BenchServer, url: string): Promise<Sample> {
  const latencies: number[] = [];
  for (let n = 0; n < IDLE_MESSAGES; n++) {
    await sqs(server, "SendMessage", { QueueUrl: url, MessageBody: String(now()) });
    latencies.push(...latenciesOf(await drained(server, 1)));
  }
  return { value: median(latencies), details: { "max ms": Math.max(...latencies) } };
}

async function backlog(server: BenchServer, url: string, uuid: string): Promise<{ readonly gapMs: number; readonly perSecond: number }> {
  await setEnabled(server, uuid, false);
  await sendMany(server, url, BACKLOG_MESSAGES);
  await setEnabled(server, uuid, true);
  const times = (await drained(server, BACKLOG_MESSAGES)).map(([, at]) => at).toSorted((left, right) => left - right);
  const gaps = times.slice(1).map((at, index) => at - (times[index] ?? at));
  const elapsedMs = (times.at(-1) ?? 0) - (times[0] ?? 0);
  return { gapMs: Math.max(...gaps), perSecond: (BACKLOG_MESSAGES * 1_000) / elapsedMs };
}

/** Batches at even distances: `perSecond` messages in all. */
async function halfLoad(server: BenchServer, url: string, perSecond: number): Promise<Sample> {
  const everyMs = (BATCH * 1_000) / perSecond;
  const began = now();
  let sent = 0;
  for (let turn = 0; now() - began < HALF_LOAD_MS; turn++) {
    sent += await sendMany(server, url, BATCH);
    const waitMs = began + (turn + 1) * everyMs - now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
  const latencies = latenciesOf(await drained(server, sent)).toSorted((left, right) => left - right);
  const details = {
    "p99 ms": latencies[Math.floor(latencies.length * 0.99)] ?? Number.NaN,
    "messages/s": (sent * 1_000) / (now() - began),
  };
  return { value: median(latencies), details };
}

async function sendMany(server: BenchServer, url: string, count: number): Promise<number> {
  for (let sent = 0; sent < count; sent += BATCH) {
    const Entries = Array.from({ length: Math.min(BATCH, count - sent) }, (_, index) => ({
      Id: String(index),
      MessageBody: String(now()),
    }));
    await sqs(server, "SendMessageBatch", { QueueUrl: url, Entries });
  }
  return count;
}

/** What the handler saw, once it saw `count` messages. */
async function drained(server: BenchServer, count: number): Promise<Entered> {
  const all: (readonly [number, number])[] = [];
  while (all.length < count) {
    const { body } = await server.call("lambda", "POST", "/2015-03-31/functions/worker/invocations", '{"read":true}');
    all.push(...(JSON.parse(body) as Entered));
  }
  return all;
}

async function setEnabled(server: BenchServer, uuid: string, enabled: boolean): Promise<void> {
  const path = `/2015-03-31/event-source-mappings/${uuid}`;
  await server.call("lambda", "PUT", path, JSON.stringify({ Enabled: enabled }));
  const wanted = enabled ? "Enabled" : "Disabled";
  for (let state = ""; state !== wanted;)
    ({ State: state } = JSON.parse((await server.call("lambda", "GET", path)).body) as { readonly State: string });
}

async function sqs(server: BenchServer, operation: string, input: object): Promise<unknown> {
  return JSON.parse((await server.callRpc("sqs", operation, input)).body);
}

const now = (): number => performance.timeOrigin + performance.now();
const latenciesOf = (entered: Entered): number[] => entered.map(([sentAt, enteredAt]) => enteredAt - sentAt);
