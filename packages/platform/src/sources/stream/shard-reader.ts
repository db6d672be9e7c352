/**
 * A mapping at work on one shard: reads it, hands its records to slots, and has what they settle written, as `shard-machine.ts` and
 * `slot-machine.ts` decide.
 *
 * Owns the one read that waits and the slots. Keeps P2, P4 (records of a key go through one slot), P5 (position, window, record and what
 * is told of failures are one commit), P6, P7 (records held). Deliberately does not: know other shards, or which of them come first.
 */
import { type Clock, deferred, type Deferred, invariant, isLambentError, type SecureRandom, type Timer } from "../../base/index.ts";
import { functionArn } from "../../functions/index.ts";
import type { InvokeOutcome, InvokeRequest } from "../../invoker/index.ts";
import type { Realm } from "../../model/index.ts";
import type { Outbox } from "../../outbox/index.ts";
import { readRecords, type ShardRecord, type StoredBatch, streamArn } from "../../streams/index.ts";
import type { StreamMapping } from "../mappings/mapping.ts";
import type { HeldBytes } from "../queue/held-bytes.ts";
import type { Moment, SlotRules } from "./cut.ts";
import { formOf, type HeldRecord, type RecordForm } from "./forms.ts";
import { Outcomes } from "./outcomes.ts";
import { isDone, positionOf, type Progress, progressFrom, slotOf, withSlots } from "./progress.ts";
import type { RecordLog } from "./record-log.ts";
import { ShardBook } from "./shard-book.ts";
import { type ShardEffect, type ShardEvent, type ShardState, shardStep } from "./shard-machine.ts";
import { Slot, type SlotShard } from "./slot.ts";
import { startOf } from "./start.ts";
import { KAFKA_RETRIES_WITH_DESTINATION_MAX } from "./stream-rules.ts";

/** Bytes one read aims at; a first record batch that is larger is read whole. */
const READ_BYTES = 1024 * 1024;
/** Bytes of events that are held of one shard, beyond those of the last read (P7). @limit */
export const SHARD_HELD_BYTES_MAX = 16 * 1024 * 1024;
/** Records that are held of one shard, beyond those of the last read (P7). @limit */
export const SHARD_HELD_RECORDS_MAX = 20_000;

export interface ShardParts {
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
  readonly realm: Realm;
  readonly mapping: StreamMapping;
  readonly number: number;
  /** Throws `NotFound` while there is no such stream, or none with such a shard. */
  readonly partition: () => Promise<RecordLog>;
  readonly cell: () => Promise<Outbox>;
  /** Of all mappings of streams. */
  readonly heldBytes: HeldBytes;
  readonly invoke: (request: InvokeRequest) => Promise<InvokeOutcome>;
  readonly onRefused: (slot: Slot) => void;
  /** Empty while there is no such function. */
  readonly roleArn: () => string;
  readonly kafkaAddress: () => string;
  /** How the last batch went: `undefined` problem means well. */
  readonly onResult: (problem: string | undefined) => void;
  /** The shard is closed, and all of it is done. */
  readonly onEnded: () => void;
  readonly onProblem: (error: unknown) => void;
}

/** What there is while the shard is read. */
interface Open {
  readonly partition: RecordLog;
  readonly book: ShardBook;
  readonly form: RecordForm;
  readonly outcomes: Outcomes;
  readonly slots: readonly Slot[];
}

export class ShardReader implements SlotShard {
  readonly #parts: ShardParts;
  #state: ShardState = { kind: "stopped" };
  #open: Open | undefined;
  #cursor = 0;
  #handingOutFrom: number | undefined;
  #read: Moment["read"] = "behind";
  #heldBytes = 0;
  #heldRecords = 0;
  #reading: AbortController | undefined;
  #timer: Timer | undefined;
  #whenStopped: Deferred<void>[] = [];
  #endWritten = false;
  /** Catches what goes wrong. */
  #beginning: Promise<void> | undefined;

  constructor(parts: ShardParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#apply({ kind: "start" });
  }

  /** Begins nothing new; resolves once what is in flight has ended. */
  stop(): Promise<void> {
    const stopped = deferred<void>();
    this.#whenStopped.push(stopped);
    this.#apply({ kind: "stop" });
    return stopped.promise;
  }

  // For its slots.

  get cursor(): number {
    return this.#cursor;
  }

  doneBefore(slot: Slot): number {
    // While slots get what was read one by one, the others do not know what is to come.
    const readBefore = this.#handingOutFrom ?? this.#cursor;
    return this.#slots().reduce((least, each) => (each === slot ? least : Math.min(least, each.firstOpen ?? readBefore)), readBefore);
  }

  moment(): Pick<Moment, "keptFrom" | "read"> {
    return { keptFrom: this.#open?.partition.first ?? 0, read: this.#read };
  }

  release(records: readonly HeldRecord[]): void {
    const bytes = records.reduce((sum, each) => sum + each.bytes, 0);
    this.#heldBytes -= bytes;
    this.#heldRecords -= records.length;
    this.#parts.heldBytes.release(bytes);
    if (!this.#isFull()) this.#apply({ kind: "released" });
  }

  onRefused(slot: Slot): void {
    this.#parts.onRefused(slot);
  }

  onResult(problem: string | undefined): void {
    this.#parts.onResult(problem);
  }

  onRested(): void {
    const slots = this.#open?.slots ?? [];
    if (this.#state.kind === "draining" && slots.every((slot) => slot.isStopped)) return this.#apply({ kind: "drained" });
    if (this.#state.kind === "atEnd") this.#noteEnd();
  }

  onFailed(error: unknown): void {
    this.#told(error);
    this.#apply({ kind: "stop" });
    this.onRested();
  }

  #apply(event: ShardEvent): void {
    const { state, effects } = shardStep(this.#state, event, this.#parts.clock.monotonicMs());
    this.#state = state;
    for (const effect of effects) this.#carryOut(effect);
  }

  #carryOut(effect: ShardEffect): void {
    const { clock } = this.#parts;
    switch (effect.kind) {
      case "open":
        this.#beginning = this.#begin();
        return;
      case "read":
        return void this.#readOn();
      case "stopReading":
        this.#reading?.abort();
        this.#reading = undefined;
        return;
      case "press":
        for (const slot of this.#slots()) slot.press();
        return;
      case "wakeAt":
        this.#timer = clock.schedule(Math.max(0, effect.at - clock.monotonicMs()), () => this.#apply({ kind: "wake" }));
        return;
      case "stopSlots":
        this.#timer?.cancel();
        for (const slot of this.#slots()) slot.stop();
        // Those that were stopped before, or none.
        return this.onRested();
      case "stopped":
        return this.#ended();
    }
  }

  #slots(): readonly Slot[] {
    return this.#open?.slots ?? [];
  }

  #ended(): void {
    const book = this.#open?.book;
    this.#open = undefined;
    this.#parts.heldBytes.release(this.#heldBytes);
    this.#heldBytes = 0;
    this.#heldRecords = 0;
    const waiting = this.#whenStopped.splice(0);
    // The cell is another reader's then.
    void Promise.all([this.#beginning, book?.idle()]).then(() => {
      for (const stopped of waiting) stopped.resolve();
    });
  }

  async #begin(): Promise<void> {
    const reading = new AbortController();
    this.#reading = reading;
    try {
      const open = this.#open ?? (await this.#opened());
      if (this.#reading !== reading) return;
      const isFirst = this.#open === undefined;
      this.#open = open;
      if (open.book.progress.ended) {
        this.#endWritten = true;
        this.#apply({ kind: "ended" });
        return this.#parts.onEnded();
      }
      if (isFirst) {
        this.#cursor = positionOf(open.book.progress);
        for (const slot of open.slots) slot.start(open.book.window);
      }
      this.#apply({ kind: "opened" });
    } catch (error) {
      if (this.#reading === reading) this.#failed(error);
    }
  }

  async #opened(): Promise<Open> {
    const { clock, realm, mapping, partition: find, cell, roleArn, kafkaAddress, secureRandom } = this.#parts;
    const { settings, source, uuid, functionName, qualifier } = mapping;
    const partition = await find();
    const book = await ShardBook.open(await cell(), clock, async (kept) => {
      const slots = settings.parallelization;
      if (kept?.streamId === partition.stream.id) return withSlots(kept, slots);
      const start = await startOf(source.start, partition);
      const fresh = progressFrom(partition.stream.id, start.offset, slots);
      return { ...fresh, ended: start.ended } satisfies Progress;
    });
    const { stream } = partition;
    const shard = shardOf(partition);
    const form = formOf(mapping, { realm, stream, shard, roleArn: roleArn(), kafkaAddress: kafkaAddress() });
    const outcomes = new Outcomes({
      ...{ clock, secureRandom, realm, uuid, form },
      streamId: stream.id,
      functionArn: functionArn(realm, functionName, qualifier),
      onFailure: settings.onFailure,
      origin: {
        ...{ form: source.form, stream: stream.name, shard, streamArn: streamArn(realm, stream.name) },
        clusterArn: source.form === "kafka" && source.cluster.kind === "managed" ? source.cluster.arn : undefined,
        bootstrapServers: source.form === "kafka" && source.cluster.kind !== "managed" ? source.cluster.servers.join(",") : kafkaAddress(),
      },
      noted: (id) => book.noted(id),
    });
    const slots = book.progress.next.map((_next, index) => {
      const { invoke } = this.#parts;
      const reports = settings.answers === "reported";
      const common = { clock, secureRandom, realm, functionName, qualifier, index, form, book, outcomes, invoke, reports };
      return new Slot({ ...common, rules: rulesOf(mapping), shard: this });
    });
    return { partition, book, form, outcomes, slots };
  }

  /** Reads until something came, or the shard ends. */
  async #readOn(): Promise<void> {
    const reading = new AbortController();
    this.#reading = reading;
    const isMine = (): boolean => this.#reading === reading;
    const open = this.#open;
    invariant(open, "a shard is opened before it is read");
    const { partition } = open;
    try {
      await this.#skipLost(open);
      if (isMine() && this.#cursor >= partition.end) {
        if (isClosed(partition)) return this.#atEnd();
        this.#caughtUp(open);
        await partition.wait(this.#cursor, reading.signal);
        if (!isMine()) return;
        if (this.#cursor >= partition.end && !isClosed(partition)) return this.#failed(await this.#whyNothing());
        if (this.#cursor >= partition.end) return this.#atEnd();
      }
      // A shard that holds nothing may always read: others that hold much for long do not keep it from going on.
      if (isMine() && this.#heldRecords > 0) await this.#parts.heldBytes.room();
      if (!isMine()) return;
      const batches = await partition.read(this.#cursor, { bytesMax: READ_BYTES });
      if (isMine()) this.#take(open, batches);
    } catch (error) {
      if (isMine()) this.#failed(error);
    }
  }

  #take(open: Open, batches: readonly StoredBatch[]): void {
    const { form, book, slots } = open;
    const taken: HeldRecord[][] = slots.map(() => []);
    this.#handingOutFrom = this.#cursor;
    let [bytes, count] = [0, 0];
    for (const batch of batches) {
      // Few bytes may hold many records, compressed: what is not looked into now is read again.
      if (bytes >= SHARD_HELD_BYTES_MAX || count >= SHARD_HELD_RECORDS_MAX) break;
      for (const record of readRecords(batch)) {
        if (record.offset < this.#cursor) continue;
        const keyed = { offset: record.offset, key: form.keyOf(record) };
        if (isDone(book.progress, keyed)) continue;
        const held = form.held(record, batch.appendedAt);
        if (!held) continue;
        taken[slotOf(keyed, slots.length)]?.push(held);
        bytes += held.bytes;
        count += 1;
      }
      this.#cursor = batch.lastOffset + 1;
    }
    this.#read = "behind";
    for (const records of taken) {
      const bytes = records.reduce((sum, each) => sum + each.bytes, 0);
      this.#heldBytes += bytes;
      this.#heldRecords += records.length;
      this.#parts.heldBytes.take(bytes);
    }
    for (const [index, slot] of slots.entries()) {
      const records = taken[index] ?? [];
      if (records.length > 0) slot.take(records);
    }
    this.#handingOutFrom = undefined;
    this.#notePosition(open);
    this.#reading = undefined;
    this.#apply({ kind: "read", full: this.#isFull() });
  }

  #isFull(): boolean {
    return this.#heldBytes >= SHARD_HELD_BYTES_MAX || this.#heldRecords >= SHARD_HELD_RECORDS_MAX;
  }

  /** Everything that was read is done, by filters: nobody else would say so. */
  #notePosition({ book, slots }: Open): void {
    if (positionOf(book.progress) >= this.#cursor || !slots.every((slot) => slot.isEmpty)) return;
    book.write({ from: this.#cursor }).catch((error: unknown) => this.onFailed(error));
  }

  /** What the stream has let go before it was read has ended, too. */
  async #skipLost({ partition, book, outcomes }: Open): Promise<void> {
    const { first } = partition;
    if (this.#cursor >= first) return;
    const lost = this.#cursor;
    this.#cursor = first;
    await book.write({ from: first, record: outcomes.lost(lost, first - 1) });
  }

  #caughtUp({ slots }: Open): void {
    this.#read = "caughtUp";
    for (const slot of slots) if (slot.hasWindow) slot.wake();
  }

  #atEnd(): void {
    this.#reading = undefined;
    this.#read = "ended";
    this.#apply({ kind: "ended" });
    for (const slot of this.#slots()) slot.wake();
    this.onRested();
  }

  /** Its children may be read then. */
  #noteEnd(): void {
    const open = this.#open;
    if (
      !open ||
      this.#endWritten ||
      this.#read !== "ended" ||
      !open.slots.every((slot) => slot.isEmpty && !slot.hasWindow && !slot.isStopped)
    )
      return;
    this.#endWritten = true;
    open.book.write({ from: this.#cursor, ended: true }).then(
      () => this.#parts.onEnded(),
      (error: unknown) => this.onFailed(error),
    );
  }

  /** A wait ended and nothing had come. */
  async #whyNothing(): Promise<unknown> {
    await this.#parts.partition();
    return undefined;
  }

  #failed(error: unknown): void {
    this.#reading = undefined;
    // Who made the mapping hears of it when the stream comes back.
    if (isLambentError(error, "NotFound")) {
      this.#parts.onResult(error.message);
      return this.#apply({ kind: "ended" });
    }
    if (error !== undefined) this.#told(error);
    this.#apply({ kind: "failed" });
  }

  #told(error: unknown): void {
    if (!isLambentError(error)) this.#parts.onProblem(error);
    this.#parts.onResult(error instanceof Error ? error.message : String(error));
  }
}

/** AWS bounds the retries of Kafka's records by itself where somebody waits for what failed. */
function rulesOf({ settings, source }: StreamMapping): SlotRules {
  const unbounded = source.form === "kafka" && settings.onFailure !== undefined ? KAFKA_RETRIES_WITH_DESTINATION_MAX : Infinity;
  const { batchSize, windowMs, bisects, retriesMax = unbounded, recordAgeMsMax = Infinity, tumblingMs } = settings;
  return { batchSize, windowMs, bisects, retriesMax, recordAgeMsMax, tumblingMs };
}

function shardOf({ stream, number }: RecordLog): ShardRecord {
  const shard = stream.shards[number];
  invariant(shard, `stream ${stream.name} has a shard ${number}`);
  return shard;
}

function isClosed(partition: RecordLog): boolean {
  return shardOf(partition).closed !== undefined;
}
