/**
 * The log of one partition as it stands in its cell: rows of batches, the index of its segments, what is known of producers. Everything in
 * memory here is durable: it changes once a commit is. One change is under way at a time, which is the caller's to see to.
 *
 * A commit is the rows it appends and, now and then, what a segment's beginning writes; nothing is written a record.
 */
import type { Instant } from "../../base/index.ts";
import { type CellKey, type Op, READ_ROWS_MAX, type Store } from "../../storage/index.ts";
import { NO_PRODUCER_ID, readFront, type StoredBatch } from "../record-batch/index.ts";
import type { AppendPlan, PlannedRow } from "./append-plan.ts";
import { KAFKA_PRODUCERS_MAX, type KafkaProducer, withBatch } from "./kafka-producers.ts";
import { Remembered } from "./remembered.ts";
import { type BatchRow, PART_BYTES, ROW_HEADER_BYTES, RowJoiner, splitRow } from "./row.ts";
import { type LogState, type Segment, type SegmentPlan, Segments } from "./segments.ts";
import { STAMPED_PRODUCERS_MAX, type StampedProducer, withStamped } from "./stamps.ts";

/** Rows of a segment: what an opening reads at most, beside its bytes. */
const SEGMENT_ROWS_MAX = 256;
const SEGMENT_BYTES_MAX = 1024 * 1024;
const SEGMENT_BYTES_MIN = 16 * 1024;
/** A bound of bytes or of time is kept to this part of it: so many segments it has at least. */
const SEGMENTS_A_BOUND = 64;
/**
 * Producers that changed since a segment began: each is written when the next one does. With those of one commit more, of which each may
 * have pushed out another, and the commit's rows, they are fewer ops than a commit takes.
 */
const PRODUCERS_CHANGED_MAX = 100;

/** The bounds of a stream that matter to how its log is cut. */
export interface Retention {
  /** -1 keeps for ever. */
  readonly retentionMs: number;
  readonly retentionBytes: number | undefined;
}

/** The segment that is appended to. */
interface OpenSegment {
  readonly segment: Pick<Segment, "appendedAt" | "arrivedBefore" | "bytesBefore">;
  readonly rows: number;
  readonly maxTimestamp: number;
}

interface PlannedSegment {
  readonly segment: OpenSegment["segment"];
  readonly plan: SegmentPlan;
  readonly ops: readonly Op[];
}

/** The oldest segment of which something is kept, and when its last record arrived, where another follows. */
interface Oldest {
  readonly bytesBefore: number;
  readonly lastArrival: Instant | undefined;
}

export class PartitionLog {
  readonly cell: CellKey;
  readonly segments: Segments;
  readonly kafka: Remembered<KafkaProducer>;
  readonly stamped: Remembered<StampedProducer>;
  readonly #store: Store;
  #first = 0;
  #end = 0;
  #position = 1;
  #bytes = 0;
  #appendedAt: Instant = 0;
  #open: OpenSegment | undefined;
  #oldest: Oldest | undefined;

  private constructor(store: Store, cell: CellKey) {
    this.#store = store;
    this.cell = cell;
    this.segments = new Segments(store, cell);
    this.kafka = new Remembered(cell, "producer/", KAFKA_PRODUCERS_MAX);
    this.stamped = new Remembered(cell, "stamped/", STAMPED_PRODUCERS_MAX);
  }

  /** Reads the index's last rows, the producers, and the log behind the last segment's beginning. */
  static async open(store: Store, cell: CellKey): Promise<PartitionLog> {
    const log = new PartitionLog(store, cell);
    const state = await log.segments.load();
    await Promise.all([log.kafka.load(store), log.stamped.load(store)]);
    await log.#replay(state);
    await log.#findOldest();
    return log;
  }

  get first(): number {
    return this.#first;
  }

  get end(): number {
    return this.#end;
  }

  get appendedAt(): Instant {
    return this.#appendedAt;
  }

  /** Of the rows that are kept. */
  get bytes(): number {
    return this.#first === this.#end ? 0 : this.#bytes - (this.#oldest?.bytesBefore ?? 0);
  }

  /** Appends what was planned, in one commit; a row that is too large for one, its parts in others before. */
  async append(plan: AppendPlan, now: Instant, retention: Retention): Promise<{ readonly segmentBegan: boolean }> {
    const from = this.#position;
    let position = from;
    const rows: Buffer[] = [];
    for (const { row } of plan.rows) {
      if (row.length <= ROW_HEADER_BYTES + PART_BYTES) {
        rows.push(row);
        continue;
      }
      const { parts, last } = splitRow(row);
      for (const part of parts) {
        await this.#commit([{ kind: "append", cell: this.cell, value: part }]);
        position = this.#position += 1;
      }
      rows.push(last);
    }
    const begin = this.#isSegmentFull(now, retention) ? this.#planSegment(from, now) : undefined;
    await this.#commit([...rows.map((value): Op => ({ kind: "append", cell: this.cell, value })), ...(begin?.ops ?? [])]);
    this.#position = position + rows.length;
    if (begin) this.#segmentBegan(begin);
    for (const [id, producer] of plan.kafka) this.kafka.set(id, producer);
    for (const [name, producer] of plan.stamped) this.stamped.set(name, producer);
    for (const row of plan.rows) this.#appended(row);
    this.#end = plan.end;
    return { segmentBegan: begin !== undefined };
  }

  /** Forgets the records before `first`, and the rows of the segments that are wholly before it. */
  async trim(first: number): Promise<void> {
    if (first <= this.#first) return;
    const isAll = first === this.#end;
    const kept = await this.segments.lastWhere(({ offset }) => offset <= first);
    if (!kept) return;
    const { segment, next } = kept;
    const base = { offset: this.#end, position: this.#position, bytes: this.#bytes, appendedAt: this.#appendedAt };
    const plan = this.segments.planTrim(segment, { first, base });
    const before = isAll ? this.#position : segment.position;
    await this.#commit([{ kind: "trim", cell: this.cell, before }, ...plan.ops, ...this.#producerOps()]);
    this.segments.planned(plan);
    this.#producersWritten();
    this.#first = first;
    this.#oldest = isAll ? undefined : { bytesBefore: segment.bytesBefore, lastArrival: next?.arrivedBefore };
    if (isAll) this.#open = undefined;
  }

  /** The first record to keep by these bounds at this time: the beginning of a segment, or the end. */
  async firstToKeep(now: Instant, { retentionMs, retentionBytes }: Retention): Promise<number> {
    const newest = this.segments.newest;
    if (this.#first === this.#end || !newest) return this.#first;
    if (retentionMs >= 0 && this.#appendedAt + retentionMs <= now) return this.#end;
    const byTime = retentionMs < 0 ? undefined : await this.segments.lastWhere(({ arrivedBefore }) => arrivedBefore + retentionMs <= now);
    const byBytes =
      retentionBytes === undefined || this.bytes <= retentionBytes
        ? undefined
        : await this.segments.lastWhere(({ bytesBefore }) => this.#bytes - bytesBefore >= retentionBytes);
    return Math.max(this.#first, byTime?.segment.offset ?? 0, byBytes?.segment.offset ?? 0);
  }

  /** When time alone lets something go next; undefined when there is nothing, or it is kept for ever. */
  trimmableAt({ retentionMs }: Retention): Instant | undefined {
    if (retentionMs < 0 || this.#first === this.#end) return undefined;
    return (this.#oldest?.lastArrival ?? this.#appendedAt) + retentionMs;
  }

  /** Of the segment that is appended to. */
  get meanRowBytes(): number {
    const rows = this.#open?.rows ?? 0;
    return rows === 0 ? Infinity : (this.#bytes - (this.#open?.segment.bytesBefore ?? 0)) / rows;
  }

  /** Batches from the row at `position` on, those with records at or behind `offset`, with the row behind each. */
  async *batchesFrom(
    position: number,
    offset: number,
    rowsAtOnce: number,
  ): AsyncGenerator<{ readonly batch: StoredBatch; readonly nextPosition: number }> {
    const joiner = new RowJoiner();
    for (let next = position; ;) {
      const rows = await this.#store.read(this.cell, next, rowsAtOnce);
      for (const { position: at, value } of rows) {
        next = at + 1;
        const row = joiner.add(value);
        const batch = row && storedOf(row);
        // What the store has and nobody was told of yet is not there.
        if (batch && batch.lastOffset >= this.#end) return;
        if (batch && batch.lastOffset >= Math.max(offset, this.#first)) yield { batch, nextPosition: next };
      }
      if (rows.length === 0) return;
    }
  }

  #isSegmentFull(now: Instant, { retentionMs, retentionBytes }: Retention): boolean {
    const open = this.#open;
    if (!open) return true;
    const bytesMax = Math.min(SEGMENT_BYTES_MAX, Math.max(SEGMENT_BYTES_MIN, (retentionBytes ?? Infinity) / SEGMENTS_A_BOUND));
    return (
      open.rows >= SEGMENT_ROWS_MAX ||
      this.#bytes - open.segment.bytesBefore >= bytesMax ||
      (retentionMs >= 0 && now - open.segment.appendedAt > retentionMs / SEGMENTS_A_BOUND) ||
      this.kafka.changes + this.stamped.changes >= PRODUCERS_CHANGED_MAX
    );
  }

  #planSegment(position: number, now: Instant): PlannedSegment {
    const segment = { offset: this.#end, position, appendedAt: now, arrivedBefore: this.#appendedAt, bytesBefore: this.#bytes };
    const base = { offset: this.#end, position, bytes: this.#bytes, appendedAt: this.#appendedAt };
    const plan = this.segments.planBegin(segment, this.#open?.maxTimestamp ?? Number.NEGATIVE_INFINITY, { first: this.#first, base });
    return { segment, plan, ops: [...plan.ops, ...this.#producerOps()] };
  }

  #segmentBegan({ plan, segment }: PlannedSegment): void {
    this.segments.planned(plan);
    this.#producersWritten();
    this.#open = { segment, rows: 0, maxTimestamp: Number.NEGATIVE_INFINITY };
    if (!this.#oldest) this.#oldest = { bytesBefore: segment.bytesBefore, lastArrival: undefined };
    else this.#oldest = { ...this.#oldest, lastArrival: this.#oldest.lastArrival ?? segment.arrivedBefore };
  }

  #appended({ stored }: PlannedRow): void {
    this.#bytes += ROW_HEADER_BYTES + stored.bytes.length;
    this.#appendedAt = stored.appendedAt;
    this.#count(stored);
  }

  #count({ maxTimestamp }: Pick<StoredBatch, "maxTimestamp">): void {
    const open = this.#open;
    if (open) this.#open = { ...open, rows: open.rows + 1, maxTimestamp: Math.max(open.maxTimestamp, maxTimestamp) };
  }

  #producerOps(): Op[] {
    return [...this.kafka.ops(), ...this.stamped.ops()];
  }

  #producersWritten(): void {
    this.kafka.written();
    this.stamped.written();
  }

  async #replay({ first, base }: LogState): Promise<void> {
    const { newest } = this.segments;
    this.#first = first;
    this.#end = base.offset;
    this.#position = base.position;
    this.#bytes = base.bytes;
    this.#appendedAt = base.appendedAt;
    if (newest && newest.position > base.position) {
      this.#end = newest.offset;
      this.#position = newest.position;
      this.#bytes = newest.bytesBefore;
      this.#appendedAt = newest.appendedAt;
    }
    // Up to here, producers' rows say what they appended.
    const writtenUpTo = this.#position;
    if (newest && !(first === this.#end && newest.offset < first))
      this.#open = { segment: newest, rows: 0, maxTimestamp: Number.NEGATIVE_INFINITY };
    const joiner = new RowJoiner();
    for (let next = newest?.position ?? writtenUpTo; ;) {
      const rows = await this.#store.read(this.cell, next, Math.min(READ_ROWS_MAX, 2 * SEGMENT_ROWS_MAX));
      if (rows.length === 0) return;
      for (const { position, value } of rows) {
        next = position + 1;
        const row = joiner.add(value);
        if (position < writtenUpTo) {
          if (row) this.#count(readFront(row.batch));
          continue;
        }
        this.#position = next;
        if (row) this.#replayRow(row);
      }
    }
  }

  #replayRow(row: BatchRow): void {
    const front = readFront(row.batch);
    const { baseOffset, count, producerId, producerEpoch, baseSequence } = front;
    const { appendedAt } = row;
    this.#bytes += ROW_HEADER_BYTES + row.batch.length;
    this.#end = baseOffset + count;
    this.#appendedAt = appendedAt;
    this.#count(front);
    if (producerId !== NO_PRODUCER_ID) {
      const id = String(producerId);
      this.kafka.set(id, withBatch(this.kafka.get(id), producerEpoch, { baseSequence, count, baseOffset, appendedAt }));
    }
    for (const { producer, sequence, from, count: stampedCount } of row.stamps) {
      const append = { sequence, firstOffset: baseOffset + from, count: stampedCount, appendedAt };
      this.stamped.set(producer, withStamped(this.stamped.get(producer), append));
    }
  }

  async #findOldest(): Promise<void> {
    if (this.#first === this.#end) return;
    const found = await this.segments.lastWhere(({ offset }) => offset <= this.#first);
    if (found) this.#oldest = { bytesBefore: found.segment.bytesBefore, lastArrival: found.next?.arrivedBefore };
  }

  async #commit(ops: readonly Op[]): Promise<void> {
    await this.#store.commit(this.cell, "any", ops, "log");
  }
}

function storedOf({ appendedAt, batch }: BatchRow): StoredBatch {
  const { baseOffset, count, maxTimestamp } = readFront(batch);
  return { baseOffset, lastOffset: baseOffset + count - 1, appendedAt, maxTimestamp, bytes: batch };
}
