/** Records that wait until the watermark says that none before them is missing; then they come in order of time, equal times as they arrived. */
import type { BlockReader, BlockWriter } from "./blocks.ts";
import { bytesOf } from "./json-values.ts";
import { TimeHeap } from "./time-heap.ts";

const WAITING_BYTES = 112;

export interface WaitingRecord {
  readonly source: number;
  readonly key: string;
  readonly time: number;
  readonly order: number;
  readonly value: unknown;
}

export class WaitingRecords {
  readonly #heap = new TimeHeap();
  readonly #records: (WaitingRecord | undefined)[] = [];
  readonly #free: number[] = [];
  #bytes = 0;

  get size(): number {
    return this.#heap.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Time of the next, Infinity when none waits. */
  get time(): number {
    return this.#heap.time;
  }

  push(record: WaitingRecord): void {
    const place = this.#free.pop() ?? this.#records.length;
    this.#records[place] = record;
    this.#heap.push(record.time, record.order, place);
    this.#bytes += weightOf(record);
  }

  /** The next, which no longer waits; there has to be one. */
  take(): WaitingRecord {
    const place = this.#heap.item;
    const record = this.#records[place] as WaitingRecord;
    this.#heap.pop();
    this.#records[place] = undefined;
    this.#free.push(place);
    this.#bytes -= weightOf(record);
    return record;
  }

  /** Drops those of a key. */
  forget(key: string): void {
    const kept = this.#records.filter((record) => record !== undefined && record.key !== key);
    this.#heap.clear();
    this.#records.length = 0;
    this.#free.length = 0;
    this.#bytes = 0;
    for (const record of kept) if (record) this.push(record);
  }

  *write(to: BlockWriter): IterableIterator<void> {
    to.count(this.size);
    for (const record of this.#records) {
      if (record === undefined) continue;
      to.count(record.source);
      to.text(record.key);
      to.double(record.time);
      to.count(record.order);
      to.json(record.value);
      yield;
    }
  }

  *read(from: BlockReader): IterableIterator<void> {
    for (let left = from.count(); left > 0; left--) {
      const source = from.count();
      const key = from.text();
      const time = from.double();
      const order = from.count();
      this.push({ source, key, time, order, value: from.json() });
      yield;
    }
  }
}

function weightOf({ key, value }: WaitingRecord): number {
  return WAITING_BYTES + 2 * key.length + (bytesOf(value) ?? 0);
}
