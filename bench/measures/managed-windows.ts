/**
 * Events a second through a managed window: a sliding mean over a minute for each of 10,000 keys, twenty events of each in the minute, a result for each
 * event. `reckoned`: the window's state alone, told what was read, until its results are rows for the sinks. `inMemory` and `durable`: from a stream of
 * four partitions to another one, exactly once, with a store in memory and with one on the disk of the temporary folder; the stream is filled before, in
 * batches of 500, and measured is from the window's making until its last result is in the other stream.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { seededRandom, systemClock, systemSecureRandom } from "../../packages/platform/src/base/index.ts";
import { openMemoryStore, openSqliteStore, type Store } from "../../packages/platform/src/storage/index.ts";
import { openStreams, type Streams } from "../../packages/platform/src/streams/index.ts";
import { WindowState } from "../../packages/platform/src/windows/engine/window-state.ts";
import { openWindows, readDeclaration } from "../../packages/platform/src/windows/index.ts";
import { noInputs, type Step } from "../../packages/platform/src/windows/journal/step.ts";
import type { Sample } from "../support/pair.ts";

export const KEYS = 10_000;
export const PARTITIONS = 4;
const BATCH = 500;
const REALM = { account: "000000000000", region: "us-east-1" };
/** Of event time: in a minute each key has twenty. */
const EVENT_MS = 0.3;
const LOOK_MS = 2;
/** Events of a minute. */
const WARM_UP = 200_000;

export interface ManagedWindowsResult {
  readonly reckoned: readonly Sample[];
  readonly inMemory: readonly Sample[];
  readonly durable: readonly Sample[];
}

export async function measureManagedWindows({ rounds, events }: { rounds: number; events: number }): Promise<ManagedWindowsResult> {
  const reckoned: Sample[] = [];
  const inMemory: Sample[] = [];
  const durable: Sample[] = [];
  for (let round = 0; round < rounds; round++) {
    reckoned.push(reckon(events));
    inMemory.push(await slidingMeans(openMemoryStore(), events));
    const folder = mkdtempSync(join(tmpdir(), "lambent-bench-windows-"));
    try {
      durable.push(await slidingMeans(await openSqliteStore({ file: join(folder, "store.db") }), events));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  return { reckoned, inMemory, durable };
}

/** What a minute of events leaves behind is there before it is measured. */
function reckon(events: number): Sample {
  const state = WindowState.fresh(definition(), undefined);
  const partitions = Array.from({ length: PARTITIONS }, (_, source) => source);
  state.apply(partitions.map((source) => ({ kind: "opened", source, next: 0, streamId: "readings" })));
  const turns: Step[][] = [];
  for (let from = 0; from < WARM_UP + events; from += BATCH * PARTITIONS)
    turns.push(partitions.map((source) => stepOf(source, from + source)));
  const warm = Math.ceil(WARM_UP / (BATCH * PARTITIONS));
  for (const turn of turns.slice(0, warm)) state.apply(turn);
  const begun = systemClock.monotonicMs();
  let results = 0;
  for (const turn of turns.slice(warm)) for (const { keys } of state.apply(turn)) results += keys.length;
  return { value: results / ((systemClock.monotonicMs() - begun) / 1_000) };
}

function stepOf(source: number, from: number): Step {
  const inputs = noInputs();
  for (let at = 0; at < BATCH; at += 1) {
    const { device, value, at: time } = eventOf(from + at * PARTITIONS);
    inputs.keys.push(device);
    inputs.times.push(time);
    inputs.values.push(value);
  }
  inputs.arrivals.push([BATCH, 0]);
  return { kind: "records", source, next: from, inputs, refused: [] };
}

async function slidingMeans(store: Store, events: number): Promise<Sample> {
  const common = { store, clock: systemClock, random: seededRandom(1), secureRandom: systemSecureRandom };
  const fail = (error: unknown): void => {
    throw error;
  };
  const streams = await openStreams({ ...common, onProblem: fail });
  const windows = await openWindows({
    ...{ ...common, streams, retryTimeFactor: 1, onProblem: fail },
    invoke: () => Promise.reject(new TypeError("no function is called")),
    targets: () => Promise.reject(new TypeError("no target is told")),
  });
  try {
    await streams.create(REALM, "readings", { shards: PARTITIONS, madeBy: "kafka" });
    await fill(streams, events);
    const begun = systemClock.monotonicMs();
    await windows.create(REALM, "means", definition());
    for (;;) {
      await setTimeout(LOOK_MS);
      const { running, failed } = await windows.describe(REALM, "means");
      if (failed !== undefined) throw new TypeError(failed);
      if (running?.sinks[0]?.sunk === events) break;
    }
    const seconds = (systemClock.monotonicMs() - begun) / 1_000;
    return { value: events / seconds };
  } finally {
    await windows.close();
    await streams.close();
    await store.close();
  }
}

function definition() {
  return readDeclaration({
    ...{ source: "readings", start: "earliest", key: "$.device", value: "$.value", time: "$.at" },
    ...{ window: { kind: "sliding", size: "1m" }, aggregates: { mean: "mean" }, outOfOrderness: "0s", jumpMax: "36500d" },
    // So that the last results come without later events.
    ...{ idleAfter: "100ms", sinks: [{ stream: "means" }] },
  });
}

async function fill(streams: Streams, events: number): Promise<void> {
  const partitions = await Promise.all(Array.from({ length: PARTITIONS }, (_, number) => streams.partition(REALM, "readings", number)));
  for (let from = 0; from < events; from += BATCH * PARTITIONS)
    await Promise.all(
      partitions.map((partition, number) => partition.append(batchOf(from + number, Math.min(BATCH, (events - from) / PARTITIONS)))),
    );
}

function batchOf(from: number, count: number): { readonly key: Buffer; readonly value: Buffer }[] {
  return Array.from({ length: count }, (_, at) => {
    const event = eventOf(from + at * PARTITIONS);
    return { key: Buffer.from(event.device), value: Buffer.from(JSON.stringify(event)) };
  });
}

function eventOf(number: number): { readonly device: string; readonly value: number; readonly at: number } {
  return { device: `device-${(number * 7_919) % KEYS}`, value: (number % 1_000) / 10, at: Math.floor(number * EVENT_MS) };
}
