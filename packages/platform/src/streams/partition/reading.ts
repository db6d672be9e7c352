import { type Instant, LambentError, Lru } from "../../base/index.ts";
import { readRecords, type StoredBatch } from "../record-batch/index.ts";
import type { PartitionLog } from "./log.ts";
import type { Tail } from "./tails.ts";

export interface ReadOptions {
  /** Once there are so many, no more are added. The first batch comes whatever it has. */
  readonly bytesMax: number;
  readonly batchesMax?: number;
}

/** Where a record is, and its time by the scale that was asked for. */
export interface OffsetAndTime {
  readonly offset: number;
  readonly time: Instant;
}

interface Reaching extends OffsetAndTime {
  /** A time that records of its batch reach, at or behind its own. */
  readonly reached: Instant;
}

/** Readers whose next row is known without a look at the index. */
const PLACES_MAX = 64;
/** Rows of one look when nothing says how large they are. */
const ROWS_AT_ONCE_MIN = 2;
const ROWS_AT_ONCE_MAX = 512;

/** Reads a partition: its newest batches from memory, the others from the store. */
export class LogReader {
  readonly #log: PartitionLog;
  readonly #tail: Tail;
  /** Offset → the row that it begins. */
  readonly #places = new Lru<number, number>(PLACES_MAX);

  constructor(log: PartitionLog, tail: Tail) {
    this.#log = log;
    this.#tail = tail;
  }

  async read(from: number, { bytesMax, batchesMax = Infinity }: ReadOptions): Promise<StoredBatch[]> {
    this.#refuseOutside(from);
    const found: StoredBatch[] = [];
    let left = bytesMax;
    const take = (batch: StoredBatch): boolean => {
      if (found.length > 0 && (batch.bytes.length > left || found.length >= batchesMax)) return false;
      found.push(batch);
      left -= batch.bytes.length;
      return left > 0;
    };
    if (from === this.#log.end) return found;
    if (this.#tail.has(from)) {
      for (const batch of this.#tail.from(from)) if (!take(batch)) break;
      return found;
    }
    const { position, rowBytes } = await this.#placeOf(from);
    const rows = Math.min(ROWS_AT_ONCE_MAX, Math.max(ROWS_AT_ONCE_MIN, Math.ceil(Math.min(bytesMax / rowBytes, batchesMax))));
    for await (const { batch, nextPosition } of this.#log.batchesFrom(position, from, rows)) {
      if (!take(batch)) break;
      this.#places.set(batch.lastOffset + 1, nextPosition);
    }
    // It may have been removed while it was looked for: what is behind it is not what was asked for.
    this.#refuseOutside(from);
    return found;
  }

  async firstAppendedAt(time: Instant): Promise<OffsetAndTime | undefined> {
    const place = await this.#log.segments.lastWhere(({ appendedAt }) => appendedAt < time);
    if (!place) return undefined;
    for await (const { batch } of this.#log.batchesFrom(place.segment.position, 0, ROWS_AT_ONCE_MAX))
      if (batch.appendedAt >= time) return { offset: Math.max(batch.baseOffset, this.#log.first), time: batch.appendedAt };
    return undefined;
  }

  async firstCreatedAt(time: Instant): Promise<OffsetAndTime | undefined> {
    const found = await this.#firstReaching(time);
    return found && { offset: found.offset, time: found.time };
  }

  /** The first of the records with the greatest time: found by halving, since there is one at or behind each time up to it, and none beyond. */
  async latestCreated(): Promise<OffsetAndTime | undefined> {
    let reached = (await this.#firstReaching(0))?.reached;
    if (reached === undefined) return undefined;
    for (let behind = Number.MAX_SAFE_INTEGER; reached + 1 < behind;) {
      const middle: number = reached + Math.ceil((behind - reached) / 2);
      const found = await this.#firstReaching(middle);
      if (found) reached = found.reached;
      else behind = middle;
    }
    return this.firstCreatedAt(reached);
  }

  async #firstReaching(time: Instant): Promise<Reaching | undefined> {
    const { segments, first } = this.#log;
    for await (const { segment, end } of segments.reaching(time)) {
      if (end <= first) continue;
      for await (const { batch } of this.#log.batchesFrom(segment.position, segment.offset, ROWS_AT_ONCE_MAX)) {
        if (batch.baseOffset >= end) break;
        if (batch.maxTimestamp < time) continue;
        const record = readRecords(batch).find(({ offset, timestamp }) => offset >= first && timestamp >= time);
        // Of a batch whose first records are kept no more, the latest may be one of those.
        const reached = batch.baseOffset >= first ? batch.maxTimestamp : record?.timestamp;
        if (record && reached !== undefined) return { offset: record.offset, time: record.timestamp, reached };
      }
    }
    return undefined;
  }

  async #placeOf(offset: number): Promise<{ readonly position: number; readonly rowBytes: number }> {
    const place = await this.#log.segments.lastWhere((segment) => segment.offset <= offset);
    if (!place) return { position: 1, rowBytes: Infinity };
    const { segment, next } = place;
    const rowBytes = next ? (next.bytesBefore - segment.bytesBefore) / (next.position - segment.position) : this.#log.meanRowBytes;
    return { position: this.#places.get(offset) ?? segment.position, rowBytes };
  }

  #refuseOutside(offset: number): void {
    const { first, end } = this.#log;
    if (offset >= first && offset <= end) return;
    throw new LambentError("OffsetOutOfRange", `The position ${offset} is not between ${first} and ${end}, which is what is kept.`, {
      first,
      end,
    });
  }
}
