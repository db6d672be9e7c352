/**
 * The door of `streams/`, on a store on the disk: single records of many callers, batches as Kafka's clients send them, and reading them again
 * from the store, not from the memory of what was appended last. The bound of the first is one write and fdatasync after the other.
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seededRandom, systemClock, systemSecureRandom } from "../../packages/platform/src/base/index.ts";
import { openSqliteStore, type Store } from "../../packages/platform/src/storage/index.ts";
import { checkBatch, encodeBatch, openStreams, type Partition, type Streams } from "../../packages/platform/src/streams/index.ts";
import { measurePair, type PairResult, type Sample } from "../support/pair.ts";

export const RECORD_BYTES = 1_024;
export const CALLERS = 64;
export const BATCH_RECORDS = 500;
export const PRODUCERS = 4;
/** What one look of a reader asks for. */
const READ_BYTES = 1024 * 1024;
const READERS = 4;
const LIMITS = { batchBytesMax: 16 * 1024 * 1024, recordBytesMax: 1024 * 1024 };
const REALM = { account: "000000000000", region: "us-east-1" };
const RECORD = { key: undefined, value: Buffer.alloc(RECORD_BYTES, "record ") };

export interface StreamOptions {
  readonly rounds: number;
  readonly roundMs: number;
  readonly warmUpMs: number;
}

interface Opened {
  readonly folder: string;
  readonly store: Store;
  readonly streams: Streams;
  readonly partitions: readonly Partition[];
}

/** Records a second by 64 callers, each with one at a time: all on one partition, and each on one of its own. */
export async function measureSingles({
  rounds,
  roundMs,
  warmUpMs,
}: StreamOptions): Promise<{ readonly one: PairResult; readonly many: PairResult }> {
  return withStreams(CALLERS, async ({ folder, partitions }) => {
    const one = partitions.slice(0, 1);
    const bound = (): Promise<Sample> => Promise.resolve(fdatasyncsPerSecond(folder, roundMs));
    await singles(one, warmUpMs);
    const onOne = await measurePair(() => singles(one, roundMs), bound, rounds);
    await singles(partitions, warmUpMs);
    return { one: onOne, many: await measurePair(() => singles(partitions, roundMs), bound, rounds) };
  });
}

/** Records a second in batches of 500 by four producers on one partition, checked as a request's are; and those of as many readers, read behind them. */
export async function measureBatches({
  rounds,
  roundMs,
  warmUpMs,
}: StreamOptions): Promise<{ readonly appends: readonly Sample[]; readonly reads: readonly Sample[] }> {
  return withStreams(2, async ({ partitions: [partition, other] }) => {
    if (!partition || !other) throw new TypeError("two partitions were asked for");
    await batches(partition, warmUpMs);
    await reads(partition, 0, warmUpMs);
    const appends: Sample[] = [];
    const read: Sample[] = [];
    for (let round = 0; round < rounds; round++) {
      const from = partition.end;
      appends.push(await batches(partition, roundMs));
      // The newest batches that are kept in memory are those of the other partition.
      await batches(other, 300);
      read.push(await reads(partition, from, roundMs));
    }
    return { appends, reads: read };
  });
}

async function singles(partitions: readonly Partition[], ms: number): Promise<Sample> {
  return perSecond(ms, CALLERS, async (caller) => {
    await partitions[caller % partitions.length]?.append([RECORD]);
    return 1;
  });
}

async function batches(partition: Partition, ms: number): Promise<Sample> {
  const bytes = encodeBatch(
    Array.from({ length: BATCH_RECORDS }, () => RECORD),
    { baseOffset: 0, now: systemClock.now() },
  );
  return perSecond(ms, PRODUCERS, async () => {
    const batch = checkBatch(bytes, LIMITS);
    if (batch.kind === "fault") throw new TypeError(batch.message);
    await partition.appendBatch(batch);
    return batch.count;
  });
}

async function reads(partition: Partition, from: number, ms: number): Promise<Sample> {
  const places = Array.from({ length: READERS }, () => from);
  return perSecond(ms, READERS, async (reader) => {
    const at = places[reader] ?? from;
    const last = (await partition.read(at, { bytesMax: READ_BYTES })).at(-1);
    if (!last) throw new TypeError(`nothing is read at ${at}`);
    places[reader] = last.lastOffset + 1 >= partition.end ? from : last.lastOffset + 1;
    return last.lastOffset + 1 - at;
  });
}

/** What so many workers get done together. */
async function perSecond(ms: number, workers: number, work: (worker: number) => Promise<number>): Promise<Sample> {
  const began = performance.now();
  let count = 0;
  const worker = async (index: number): Promise<void> => {
    while (performance.now() - began < ms) {
      // Added behind the wait: others add meanwhile.
      const done = await work(index);
      count += done;
    }
  };
  await Promise.all(Array.from({ length: workers }, (_, index) => worker(index)));
  return { value: (count * 1_000) / (performance.now() - began) };
}

async function withStreams<T>(shards: number, measure: (opened: Opened) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "lambent-bench-"));
  const store = await openSqliteStore({ file: join(folder, "store.db") });
  const onProblem = (error: unknown): void => console.error(error);
  const streams = await openStreams({ store, clock: systemClock, random: seededRandom(1), secureRandom: systemSecureRandom, onProblem });
  try {
    await streams.create(REALM, "bench", { shards, madeBy: "lambent" });
    const partitions = await Promise.all(Array.from({ length: shards }, (_, number) => streams.partition(REALM, "bench", number)));
    return await measure({ folder, store, streams, partitions });
  } finally {
    await streams.close();
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One record after the other, written and synced on the same file system. */
function fdatasyncsPerSecond(folder: string, ms: number): Sample {
  const file = openSync(join(folder, "bound"), "w");
  const began = performance.now();
  let count = 0;
  for (; performance.now() - began < ms; count++) {
    writeSync(file, RECORD.value);
    fdatasyncSync(file);
  }
  const value = (count * 1_000) / (performance.now() - began);
  closeSync(file);
  return { value };
}
