/** What waits to be appended, made into the rows of one commit. Changes nothing: what it leads to is true once the commit is durable. */
import type { Instant } from "../../base/index.ts";
import {
  type CheckedBatch,
  encodeBatch,
  type NewRecord,
  NO_PRODUCER_ID,
  place,
  readFront,
  setTimes,
  type StoredBatch,
} from "../record-batch/index.ts";
import { judge, type KafkaProducer, withBatch } from "./kafka-producers.ts";
import { ROW_HEADER_BYTES, sealRow } from "./row.ts";
import { type ProducerStamp, repeated, type StampedProducer, type StampedRange, withStamped } from "./stamps.ts";

export interface Appended {
  readonly firstOffset: number;
  readonly count: number;
  readonly appendedAt: Instant;
  /** It was appended before, under the same stamp. */
  readonly duplicate: boolean;
}

export type AppendBatchOutcome =
  /** `first` is the oldest offset that the partition keeps. */
  | { readonly kind: "appended" | "duplicate"; readonly baseOffset: number; readonly appendedAt: Instant; readonly first: number }
  | { readonly kind: "outOfOrderSequence" }
  | { readonly kind: "invalidProducerEpoch" };

export interface WaitingRecords {
  readonly kind: "records";
  readonly records: readonly NewRecord[];
  readonly bytes: number;
  readonly once: ProducerStamp | undefined;
  resolve(appended: Appended): void;
  reject(error: unknown): void;
}

export interface WaitingBatch {
  readonly kind: "batch";
  readonly batch: CheckedBatch;
  readonly bytes: number;
  resolve(outcome: AppendBatchOutcome): void;
  reject(error: unknown): void;
}

export type WaitingAppend = WaitingRecords | WaitingBatch;

export interface PlannedRow {
  readonly row: Buffer;
  readonly stored: StoredBatch;
}

export interface Known {
  kafka(producer: string): KafkaProducer | undefined;
  stamped(producer: string): StampedProducer | undefined;
}

export interface PlanInput {
  readonly end: number;
  readonly first: number;
  readonly now: Instant;
  readonly timestamps: "create" | "append";
  readonly known: Known;
}

/** Bytes of the records that become one batch, and how many. */
const MERGED_BYTES_MAX = 512 * 1024;
const MERGED_RECORDS_MAX = 10_000;

export class AppendPlan {
  readonly rows: PlannedRow[] = [];
  readonly kafka = new Map<string, KafkaProducer>();
  readonly stamped = new Map<string, StampedProducer>();
  readonly #input: PlanInput;
  /** What the callers are told once it is durable. */
  readonly #tell: (() => void)[] = [];
  #end: number;
  #merging: NewRecord[] = [];
  #mergingBytes = 0;
  #stamps: StampedRange[] = [];

  constructor(appends: readonly WaitingAppend[], input: PlanInput) {
    this.#input = input;
    this.#end = input.end;
    for (const append of appends) this.#add(append);
    this.#endMerging();
  }

  get end(): number {
    return this.#end;
  }

  tell(): void {
    for (const tell of this.#tell) tell();
  }

  #add(append: WaitingAppend): void {
    try {
      if (append.kind === "records") return this.#addRecords(append);
      this.#endMerging();
      this.#addBatch(append);
    } catch (error) {
      append.reject(error);
    }
  }

  #addRecords({ records, bytes, once, resolve }: WaitingRecords): void {
    const { now, known } = this.#input;
    if (once) {
      const producer = this.stamped.get(once.producer) ?? known.stamped(once.producer);
      const before = repeated(producer, once);
      if (before) {
        const { firstOffset, count, appendedAt } = before;
        this.#tell.push(() => resolve({ firstOffset, count, appendedAt, duplicate: true }));
        return;
      }
    }
    const fits = this.#mergingBytes + bytes <= MERGED_BYTES_MAX && this.#merging.length + records.length <= MERGED_RECORDS_MAX;
    if (!fits) this.#endMerging();
    const from = this.#merging.length;
    const firstOffset = this.#end + from;
    const count = records.length;
    if (once) {
      const producer = this.stamped.get(once.producer) ?? known.stamped(once.producer);
      this.stamped.set(once.producer, withStamped(producer, { sequence: once.sequence, firstOffset, count, appendedAt: now }));
      this.#stamps.push({ ...once, from, count });
    }
    for (const record of records) this.#merging.push(record);
    this.#mergingBytes += bytes;
    this.#tell.push(() => resolve({ firstOffset, count, appendedAt: now, duplicate: false }));
  }

  #endMerging(): void {
    if (this.#merging.length === 0) return;
    const { now, timestamps } = this.#input;
    const row = encodeBatch(this.#merging, { baseOffset: this.#end, now }, ROW_HEADER_BYTES);
    const batch = row.subarray(ROW_HEADER_BYTES);
    if (timestamps === "append") setTimes(batch, now, true);
    this.#push(row, this.#stamps);
    this.#merging = [];
    this.#mergingBytes = 0;
    this.#stamps = [];
  }

  #addBatch({ batch, resolve }: WaitingBatch): void {
    const { now, timestamps, first, known } = this.#input;
    const baseOffset = this.#end;
    if (batch.producerId !== NO_PRODUCER_ID) {
      const id = String(batch.producerId);
      const producer = this.kafka.get(id) ?? known.kafka(id);
      const verdict = judge(producer, batch);
      if (verdict.kind === "duplicate") {
        const { baseOffset: before, appendedAt } = verdict.batch;
        this.#tell.push(() => resolve({ kind: "duplicate", baseOffset: before, appendedAt, first }));
        return;
      }
      if (verdict.kind !== "next") {
        this.#tell.push(() => resolve(verdict));
        return;
      }
      const { baseSequence, count, producerEpoch } = batch;
      this.kafka.set(id, withBatch(producer, producerEpoch, { baseSequence, count, baseOffset, appendedAt: now }));
    }
    // A copy of its own: the caller's memory is that of a whole request, and what is kept lives longer.
    const row = Buffer.allocUnsafeSlow(ROW_HEADER_BYTES + batch.bytes.length);
    row.set(batch.bytes, ROW_HEADER_BYTES);
    const kept = row.subarray(ROW_HEADER_BYTES);
    place(kept, baseOffset);
    setTimes(kept, timestamps === "append" ? now : batch.maxTimestamp, timestamps === "append");
    this.#push(row, []);
    this.#tell.push(() => resolve({ kind: "appended", baseOffset, appendedAt: now, first }));
  }

  #push(row: Buffer, stamps: readonly StampedRange[]): void {
    const { now } = this.#input;
    const bytes = row.subarray(ROW_HEADER_BYTES);
    const { baseOffset, count, maxTimestamp } = readFront(bytes);
    const stored = { baseOffset, lastOffset: baseOffset + count - 1, appendedAt: now, maxTimestamp, bytes };
    this.rows.push({ row: sealRow(row, now, stamps), stored });
    this.#end += count;
  }
}
