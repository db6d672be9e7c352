import { isLambentError, type Random, randomBelow } from "../../src/base/index.ts";
import { DEFAULT_STREAM_MAPPING_SETTINGS } from "../../src/sources/index.ts";
import { checkBatch, type CheckedBatch, hashKeyOf, shardFor } from "../../src/streams/index.ts";
import { readDeclaration } from "../../src/windows/index.ts";
import { producerBatch } from "../crash/producer-batch.ts";
import { type Reading, textOf } from "../crash/stream-journal.ts";
import { declarationOf, lastReading, WINDOW_NAMES } from "../crash/window-results.ts";
import { arnOfQueue, REALM } from "./application.ts";
import type { Life } from "./life.ts";
import type { StreamChecks } from "./stream-checks.ts";
import type { Trace } from "./trace.ts";

/** Read by a function; by shards, which are split. */
export const CLICKS = "clicks";
/** Read by two windows; its partitions are filled by idempotent producers, and become more. */
export const READINGS = "readings";
/** Nobody reads it, and it keeps little. */
export const NOTES = "notes";
/** What the mapped function fails with for good. */
export const GIVEN_UP = "given-up";
/** Clicks of this device never succeed. */
export const POISON = "poison";
const DEVICES = ["a", "b", "c", "d", POISON];
const PARTITIONS_MAX = 4;
const NOTES_BYTES_MAX = 40_000;
const RECORDS_PER_CALL_MAX = 6;
/** Between two readings, at most; and how far one is behind. Windows are told that they come so late, and more. */
const STEP_MS_MAX = 15_000;
const DISORDER_MS_MAX = 20_000;
const OUT_OF_ORDERNESS = "40s";
const BATCH_LIMITS = { batchBytesMax: 2 ** 24, recordBytesMax: 2 ** 20 };

export interface StreamStepParts {
  readonly random: Random;
  readonly checks: StreamChecks;
  readonly trace: Trace;
  /** Told of what can only be a defect. */
  readonly broken: (what: string) => void;
}

/** A client of Kafka that outlives the server: what it heard no answer of it sends again, with the same numbers. */
interface IdempotentProducer {
  readonly partition: number;
  id: bigint | undefined;
  epoch: number;
  sequence: number;
  underWay: { readonly call: number; readonly readings: readonly Reading[] } | undefined;
}

/** Whoever uses streams: puts, splits, adds partitions, trims. */
export class StreamSteps {
  readonly #parts: StreamStepParts;
  readonly #producers: IdempotentProducer[] = [];
  readonly #isBusy = new Set<IdempotentProducer>();
  /** Times of devices: each is there once. */
  readonly #taken = new Set<string>();
  #at = 1_700_000_000_000;

  constructor(parts: StreamStepParts) {
    this.#parts = parts;
  }

  async setUp({ streams, windows, sources }: Life): Promise<void> {
    const { random } = this.#parts;
    await streams.create(REALM, CLICKS, { shards: 1 + randomBelow(random, 2), madeBy: "kinesis" });
    await streams.create(REALM, READINGS, { shards: 1 + randomBelow(random, 2), madeBy: "kafka" });
    await streams.create(REALM, NOTES, { shards: 1, madeBy: "kafka", settings: { retentionBytes: NOTES_BYTES_MAX } });
    // Made before the windows make it with as many shards as their source: results go by hashes, so that it may be split.
    await streams.create(REALM, "sums", { shards: 1, madeBy: "kinesis" });
    for (const name of WINDOW_NAMES) await windows.create(REALM, name, readDeclaration(declarationOf(name, READINGS, OUT_OF_ORDERNESS)));
    for (const { number } of streams.get(REALM, READINGS).shards) this.#addProducer(number);
    await sources.create(REALM, {
      ...{ functionName: "reader", qualifier: undefined, enabled: true, tags: {} },
      stream: { kind: "stream", stream: CLICKS, form: "kinesis", start: { kind: "trimHorizon" } },
      settings: {
        ...DEFAULT_STREAM_MAPPING_SETTINGS,
        ...{
          batchSize: 1 + randomBelow(random, 8),
          windowMs: random.next() < 0.3 ? 1_000 : 0,
          parallelization: 1 + randomBelow(random, 4),
        },
        ...{ bisects: random.next() < 0.6, retriesMax: 4 + randomBelow(random, 4), answers: "reported", onFailure: arnOfQueue(GIVEN_UP) },
      },
    });
    await sources.settled();
  }

  /** What a crash interrupted is not under way any more; its answers are those of a dead process. */
  crashed(): void {
    this.#isBusy.clear();
  }

  async step(life: Life): Promise<void> {
    const { random } = this.#parts;
    const choice = random.next();
    const producer = this.#producers[randomBelow(random, this.#producers.length)];
    if (choice < 0.42 && producer) await this.#produce(life, producer);
    else if (choice < 0.7) await this.#click(life);
    else if (choice < 0.8) await this.#note(life);
    else if (choice < 0.86) await this.#split(life, CLICKS);
    else if (choice < 0.92) await this.#split(life, "sums");
    else if (choice < 0.95) await this.#addPartition(life);
    else await this.#dropSome(life);
  }

  /** Nothing fails any more: everything under way comes to its end, then all windows are closed. */
  async finish(life: Life): Promise<void> {
    for (const producer of this.#producers) if (producer.underWay) await this.#produce(life, producer);
    const at = this.#at + 86_400_000;
    for (const { number } of life.streams.get(REALM, READINGS).shards)
      await this.#append(life, READINGS, number, () => [lastReading(number, at)]);
  }

  #addProducer(partition: number): void {
    this.#producers.push({ partition, id: undefined, epoch: 0, sequence: 0, underWay: undefined });
  }

  async #produce({ streams }: Life, producer: IdempotentProducer): Promise<void> {
    const { trace, broken, checks } = this.#parts;
    if (this.#isBusy.has(producer)) return;
    this.#isBusy.add(producer);
    try {
      if (!producer.underWay) this.#beginAnew(producer);
      if (producer.id === undefined) Object.assign(producer, await streams.newProducerId(), { sequence: 0 });
      const underWay = (producer.underWay ??= this.#begin(READINGS, this.#readings(`kafka-${producer.partition}`)));
      const { call, readings } = underWay;
      const partition = await streams.partition(REALM, READINGS, producer.partition);
      const outcome = await partition.appendBatch(batchOf(readings, producer));
      if (outcome.kind === "outOfOrderSequence" || outcome.kind === "invalidProducerEpoch")
        return broken(`P1: the batch of ${readings[0]?.id} is refused as ${outcome.kind}`);
      trace.add(`${outcome.kind} ${readings.map(({ id }) => id).join(" ")} at ${producer.partition}:${outcome.baseOffset}`);
      checks.history.add({ kind: "put", call, places: readings.map((_, index) => [producer.partition, outcome.baseOffset + index]) });
      // The answer of a dead process may come behind that of the next one.
      if (producer.underWay !== underWay) return;
      producer.underWay = undefined;
      producer.sequence += readings.length;
    } finally {
      this.#isBusy.delete(producer);
    }
  }

  /** Now and then it is another client, or the same one with its numbers begun anew. */
  #beginAnew(producer: IdempotentProducer): void {
    const chance = this.#parts.random.next();
    if (chance < 0.05) producer.id = undefined;
    else if (chance < 0.1 && producer.id !== undefined) Object.assign(producer, { epoch: producer.epoch + 1, sequence: 0 });
  }

  /** To the shard of the device; who puts does not wait for the call before. */
  async #click(life: Life): Promise<void> {
    const device = DEVICES[randomBelow(this.#parts.random, DEVICES.length)] ?? "";
    const shard = shardFor(life.streams.get(REALM, CLICKS), hashKeyOf(device));
    await this.#append(life, CLICKS, shard.number, () => this.#readings("clicks", device));
  }

  async #note(life: Life): Promise<void> {
    for (let count = 0; count < 3; count++) await this.#append(life, NOTES, 0, () => this.#readings("notes"));
  }

  async #append({ streams }: Life, stream: string, shard: number, draw: () => readonly Reading[]): Promise<void> {
    const { trace, checks } = this.#parts;
    const partition = await streams.partition(REALM, stream, shard);
    // From here to the append nothing is awaited: numbers are drawn in the order in which records are put.
    const { call, readings } = this.#begin(stream, draw());
    try {
      const { firstOffset } = await partition.append(
        readings.map((each) => ({ key: Buffer.from(each.device), value: Buffer.from(textOf(each)) })),
      );
      checks.history.add({ kind: "put", call, places: readings.map((_, index) => [shard, firstOffset + index]) });
      if (stream === CLICKS) checks.clicked(readings);
      trace.add(`put ${readings.map(({ id, device }) => `${id} (${device})`).join(" ")} at ${stream} ${shard}:${firstOffset}`);
    } catch (error) {
      // A store that stopped may have committed, and so may one that is being left.
      if (isLambentError(error) && error.code !== "StorageStopped" && error.code !== "ShuttingDown")
        checks.history.add({ kind: "refused", call });
      throw error;
    }
  }

  #begin(stream: string, readings: readonly Reading[]): { readonly call: number; readonly readings: readonly Reading[] } {
    const call = this.#parts.checks.history.nextCall;
    this.#parts.checks.history.add({ kind: "putting", call, stream, readings });
    return { call, readings };
  }

  #readings(producer: string, device?: string): Reading[] {
    const { random, checks } = this.#parts;
    const first = checks.history.nextNumber(producer);
    return Array.from({ length: 1 + randomBelow(random, RECORDS_PER_CALL_MAX) }, (_, index) => {
      this.#at += 1 + randomBelow(random, STEP_MS_MAX);
      const of = device ?? DEVICES[randomBelow(random, DEVICES.length)] ?? "";
      return {
        id: `${producer}.${first + index}`,
        device: of,
        value: randomBelow(random, 1_000),
        at: this.#freeTime(of, randomBelow(random, DISORDER_MS_MAX)),
      };
    });
  }

  #freeTime(device: string, behindMs: number): number {
    let at = this.#at - behindMs;
    while (this.#taken.has(`${device} ${at}`)) at -= 1;
    this.#taken.add(`${device} ${at}`);
    return at;
  }

  async #split({ streams }: Life, stream: string): Promise<void> {
    const { random, trace } = this.#parts;
    const open = streams.get(REALM, stream).shards.filter(({ closed }) => !closed);
    const [left, right] = open.toSorted((one, other) => (BigInt(one.hashFrom) < BigInt(other.hashFrom) ? -1 : 1));
    if (left && right && random.next() < 0.4) {
      await streams.merge(REALM, stream, left.number, right.number);
      return trace.add(`merged ${left.number} and ${right.number} of ${stream}`);
    }
    const some = open[randomBelow(random, open.length)];
    if (!some || open.length > PARTITIONS_MAX) return;
    await streams.split(REALM, stream, some.number, String((BigInt(some.hashFrom) + BigInt(some.hashTo)) / 2n + 1n));
    trace.add(`split ${some.number} of ${stream}`);
  }

  async #addPartition({ streams }: Life): Promise<void> {
    const count = streams.get(REALM, READINGS).shards.length + 1;
    if (count > PARTITIONS_MAX) return;
    await streams.addPartitions(REALM, READINGS, count);
    if (!this.#producers.some(({ partition }) => partition === count - 1)) this.#addProducer(count - 1);
    this.#parts.trace.add(`added partition ${count - 1} of ${READINGS}`);
  }

  async #dropSome({ streams }: Life): Promise<void> {
    const partition = await streams.partition(REALM, NOTES, 0);
    const offset = partition.first + randomBelow(this.#parts.random, 1 + partition.end - partition.first);
    await partition.deleteBefore(offset);
    if (partition.first < offset) this.#parts.broken(`the notes before ${offset} were removed, and the first one is ${partition.first}`);
  }
}

/** As a client of Kafka makes it, and as the listener checks it. */
function batchOf(readings: readonly Reading[], { id = 0n, epoch, sequence }: IdempotentProducer): CheckedBatch {
  const checked = checkBatch(producerBatch(readings, { id, epoch, sequence }), BATCH_LIMITS);
  if (checked.kind !== "checked") throw new TypeError(checked.message);
  return checked;
}
