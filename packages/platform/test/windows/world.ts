/** Streams and managed windows over one disk, on a manual clock: opened, crashed and opened again. */
import assert from "node:assert/strict";
import { ManualClock, seededRandom, systemSecureRandom } from "../../src/base/index.ts";
import type { InvokeOutcome } from "../../src/invoker/index.ts";
import type { Realm } from "../../src/model/index.ts";
import type { HandOver, Parcel } from "../../src/outbox/index.ts";
import { type FaultPlan, MemoryDisk, openMemoryStore, type Store } from "../../src/storage/index.ts";
import { openStreams, readRecords, type Streams } from "../../src/streams/index.ts";
import { openWindows, type OutsideParts, readDeclaration, type WindowCall, type Windows } from "../../src/windows/index.ts";

export const REALM: Realm = { account: "000000000000", region: "us-east-1" };

export interface World {
  readonly clock: ManualClock;
  readonly disk: MemoryDisk;
  readonly store: Store;
  readonly streams: Streams;
  readonly windows: Windows;
  /** What was not foreseen. */
  readonly problems: unknown[];
  close(): Promise<void>;
}

export interface WorldOptions {
  readonly disk?: MemoryDisk;
  readonly clock?: ManualClock;
  readonly faults?: FaultPlan;
  readonly invoke?: (call: WindowCall) => Promise<InvokeOutcome>;
  /** Journal rows after which a snapshot is taken. */
  readonly rowsMax?: number;
  readonly handOver?: (parcel: Parcel, id: string) => HandOver;
  readonly outside?: OutsideParts;
}

export const TAKEN: HandOver = { kind: "taken", recorded: false, durationMs: 0 };

export async function openWorld(options: WorldOptions = {}): Promise<World> {
  const { disk = new MemoryDisk(), clock = new ManualClock(), faults, handOver = () => TAKEN } = options;
  const store = openMemoryStore({ disk, ...(faults ? { faults } : {}) });
  const problems: unknown[] = [];
  const random = seededRandom(7);
  const onProblem = (error: unknown): void => void problems.push(error);
  const streams = await openStreams({ store, clock, random, secureRandom: systemSecureRandom, onProblem });
  const windows = await openWindows({
    ...{ store, clock, random, secureRandom: systemSecureRandom, streams, retryTimeFactor: 1, onProblem },
    invoke: options.invoke ?? (() => assert.fail("no function is called")),
    ...(options.rowsMax === undefined ? {} : { journalBounds: { rowsMax: options.rowsMax, bytesMin: 1_000_000 } }),
    ...(options.outside ? { outside: options.outside } : {}),
    targets: async () => ({ handOver: async (handings) => handings.map(({ parcel, id }) => handOver(parcel, id)) }),
  });
  return {
    ...{ clock, disk, store, streams, windows, problems },
    async close() {
      await windows.close();
      await streams.close();
      await store.close();
    },
  };
}

/** A declaration of sums by device over a minute, into `sums`; `change` says what is otherwise. */
export function declared(change: Readonly<Record<string, unknown>> = {}) {
  return readDeclaration({
    ...{ source: "readings", start: "earliest", key: "$.device", value: "$.value", time: "$.at" },
    ...{ window: { kind: "tumbling", size: "1m" }, aggregates: { sum: "sum", count: "count" } },
    ...{ outOfOrderness: "0s", jumpMax: "3650d", sinks: [{ stream: "sums" }] },
    ...change,
  });
}

export interface Reading {
  readonly device: string;
  readonly value: unknown;
  readonly at: number;
}

/** Puts readings on a partition, in one append. */
export async function put(streams: Streams, partition: number, readings: readonly Reading[], stream = "readings"): Promise<void> {
  const records = readings.map((reading) => ({ key: Buffer.from(reading.device), value: Buffer.from(JSON.stringify(reading)) }));
  await (await streams.partition(REALM, stream, partition)).append(records);
}

/** All records of a stream as JSON, partition by partition. */
export async function contents(streams: Streams, stream: string): Promise<Record<string, unknown>[]> {
  const found: Record<string, unknown>[] = [];
  for (const { number } of streams.get(REALM, stream).shards) {
    const partition = await streams.partition(REALM, stream, number);
    for (let next = partition.first; next < partition.end;) {
      const batches = await partition.read(next, { bytesMax: 1_000_000 });
      for (const batch of batches) {
        for (const record of readRecords(batch)) found.push(JSON.parse(String(record.value)) as Record<string, unknown>);
        next = batch.lastOffset + 1;
      }
    }
  }
  return found;
}

/** Lets time go on until `work` has ended. */
export async function pumped<T>(clock: ManualClock, work: Promise<T>, stepMs = 10): Promise<T> {
  let ended = false;
  const end = (): void => void (ended = true);
  work.then(end, end);
  for (let turn = 0; !ended; turn += 1) await clock.advance(turn < 5 ? 0 : stepMs);
  return work;
}

/** Lets time go on until something is so. */
export async function until(clock: ManualClock, isSo: () => boolean | Promise<boolean>, stepMs = 50): Promise<void> {
  for (let turn = 0; turn < 2_000; turn += 1) {
    if (await isSo()) return;
    await clock.advance(turn < 20 ? 0 : stepMs);
  }
  assert.fail("it never came to be so");
}
