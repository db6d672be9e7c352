import { type Instant, Lru } from "../../base/index.ts";
import type { CellKey, Op, Store } from "../../storage/index.ts";
import { damagedLog } from "./row.ts";

/**
 * Where in a partition's log its records are: the log in segments of about a mebibyte, of which only the beginnings are known. They stand in
 * state rows, in blocks; in memory are a line a block, the last block, and those looked at lately. So a partition of a hundred gigabytes is
 * opened, and held, for some kilobytes.
 */

/** The beginning of a segment. */
export interface Segment {
  /** Of its first record. */
  readonly offset: number;
  /** Of its first row in the cell's log. */
  readonly position: number;
  /** When that arrived; nothing before it arrived later. */
  readonly appendedAt: Instant;
  /** When the last record before it arrived. */
  readonly arrivedBefore: Instant;
  /** Bytes of all rows before it, those no longer kept included. */
  readonly bytesBefore: number;
  /** The greatest time of the records in it; -Infinity while it is the last. */
  readonly maxTimestamp: number;
}

/** Segments one behind the other, as one row: `segments/<number>`. */
interface Block extends Segment {
  readonly number: number;
}

/** Where a partition stands; what is not here is read from the rows behind. */
export interface LogState {
  /** The oldest record that is kept. */
  readonly first: number;
  /** Where the next record and row went when this was written, and the bytes before. */
  readonly base: { readonly offset: number; readonly position: number; readonly bytes: number; readonly appendedAt: Instant };
  /** A line each, oldest first. */
  readonly blocks: readonly Block[];
}

export const EMPTY_LOG: LogState = { first: 0, base: { offset: 0, position: 1, bytes: 0, appendedAt: 0 }, blocks: [] };

const LOG_KEY = "log";
const SEGMENTS_PREFIX = "segments/";
const SEGMENTS_PER_BLOCK = 128;
const NUMBERS_PER_SEGMENT = 6;
/** More are forgotten with the next trim. */
const BLOCKS_REMOVED_MAX = 100;
/** Blocks beside the last that are kept in memory. */
const BLOCKS_CACHED_MAX = 2;

/** What is to be written, and what is so once it is. */
export interface SegmentPlan {
  readonly ops: readonly Op[];
  readonly blocks: readonly Block[];
  readonly last: readonly Segment[];
}

/** When the oldest record of a partition may have arrived, without opening it: not later than that. Undefined where there never was one. */
export async function oldestArrival(store: Store, cell: CellKey): Promise<Instant | undefined> {
  const row = await store.get(cell, LOG_KEY);
  if (!row) return undefined;
  const { blocks, base } = JSON.parse(Buffer.from(row).toString("utf8")) as LogState;
  return blocks[0]?.appendedAt ?? base.appendedAt;
}

export class Segments {
  readonly #store: Store;
  readonly #cell: CellKey;
  readonly #cached = new Lru<number, readonly Segment[]>(BLOCKS_CACHED_MAX);
  #blocks: readonly Block[] = [];
  /** Those of the last block. */
  #last: readonly Segment[] = [];

  constructor(store: Store, cell: CellKey) {
    this.#store = store;
    this.#cell = cell;
  }

  async load(): Promise<LogState> {
    const row = await this.#store.get(this.#cell, LOG_KEY);
    if (!row) return EMPTY_LOG;
    const state = JSON.parse(Buffer.from(row).toString("utf8"), revive) as LogState;
    this.#blocks = state.blocks;
    const newest = state.blocks.at(-1);
    if (newest) this.#last = await this.#read(newest.number);
    return state;
  }

  /** The last one, to which is appended. */
  get newest(): Segment | undefined {
    return this.#last.at(-1);
  }

  /** A segment begins; `closed` is the greatest time in the one before. */
  planBegin(segment: Omit<Segment, "maxTimestamp">, closed: number, state: Omit<LogState, "blocks">): SegmentPlan {
    const begun: Segment = { ...segment, maxTimestamp: Number.NEGATIVE_INFINITY };
    const before = this.#last.map((each, index) => (index === this.#last.length - 1 ? { ...each, maxTimestamp: closed } : each));
    const newest = this.#blocks.at(-1);
    if (newest && before.length < SEGMENTS_PER_BLOCK) {
      const last = [...before, begun];
      return { last, blocks: this.#blocks, ops: [this.#putBlock(newest.number, last)] };
    }
    const ops: Op[] = [];
    const blocks = this.#blocks.slice(0, -1);
    if (newest) {
      blocks.push({ ...newest, maxTimestamp: Math.max(...before.map(({ maxTimestamp }) => maxTimestamp)) });
      ops.push(this.#putBlock(newest.number, before));
    }
    const number = (newest?.number ?? -1) + 1;
    blocks.push({ ...begun, number });
    ops.push(this.#putBlock(number, [begun]), this.#putLog({ ...state, blocks }));
    return { ops, blocks, last: [begun] };
  }

  /** Forgets the blocks all of whose segments are before `from`, as many as one commit can remove. The last one stays. */
  planTrim(from: Segment, state: Omit<LogState, "blocks">): SegmentPlan {
    const isBehind = this.#blocks.findIndex((_, index) => (this.#blocks[index + 1]?.position ?? Infinity) > from.position);
    const gone = this.#blocks.slice(0, Math.min(Math.max(0, isBehind), BLOCKS_REMOVED_MAX));
    const blocks = this.#blocks.slice(gone.length);
    const ops = gone.map(({ number }): Op => ({ kind: "delete", cell: this.#cell, key: keyOf(number) }));
    return { ops: [...ops, this.#putLog({ ...state, blocks })], blocks, last: this.#last };
  }

  /** What was planned is durable. */
  planned({ blocks, last }: SegmentPlan): void {
    const full = this.#blocks.at(-1);
    if (full && full.number !== blocks.at(-1)?.number) this.#cached.delete(full.number);
    this.#blocks = blocks;
    this.#last = last;
  }

  /**
   * The last segment of which `holds` is true, where it is true of all up to some one and of none behind; the first one when it is of none.
   * Undefined when there is none at all.
   */
  async lastWhere(
    holds: (segment: Segment) => boolean,
  ): Promise<{ readonly segment: Segment; readonly next: Segment | undefined } | undefined> {
    const at = Math.max(0, this.#blocks.findLastIndex(holds));
    const block = this.#blocks[at];
    if (!block) return undefined;
    const segments = await this.#segmentsOf(block.number);
    const index = Math.max(0, segments.findLastIndex(holds));
    const segment = segments[index];
    if (!segment) throw damagedLog("a block of its index is empty");
    return { segment, next: segments[index + 1] ?? this.#blocks[at + 1] };
  }

  /** Those with a record of that time or later, oldest first, each with the offset behind its last record; and the last one, of which that is not known. */
  async *reaching(timestamp: number): AsyncGenerator<{ readonly segment: Segment; readonly end: number }> {
    for (const [at, block] of this.#blocks.entries()) {
      const nextBlock = this.#blocks[at + 1];
      if (nextBlock && block.maxTimestamp < timestamp) continue;
      const segments = await this.#segmentsOf(block.number);
      for (const [index, segment] of segments.entries()) {
        const next = segments[index + 1] ?? nextBlock;
        if (!next || segment.maxTimestamp >= timestamp) yield { segment, end: next?.offset ?? Infinity };
      }
    }
  }

  async #segmentsOf(number: number): Promise<readonly Segment[]> {
    if (number === this.#blocks.at(-1)?.number) return this.#last;
    const known = this.#cached.get(number);
    if (known) return known;
    const read = await this.#read(number);
    this.#cached.set(number, read);
    return read;
  }

  async #read(number: number): Promise<Segment[]> {
    const row = await this.#store.get(this.#cell, keyOf(number));
    if (!row) throw damagedLog("a block of its index is missing");
    const view = new DataView(row.buffer, row.byteOffset, row.byteLength);
    return Array.from({ length: Math.floor(row.byteLength / (8 * NUMBERS_PER_SEGMENT)) }, (_, index) => {
      const at = (place: number): number => view.getFloat64((index * NUMBERS_PER_SEGMENT + place) * 8);
      return { offset: at(0), position: at(1), appendedAt: at(2), arrivedBefore: at(3), bytesBefore: at(4), maxTimestamp: at(5) };
    });
  }

  #putBlock(number: number, segments: readonly Segment[]): Op {
    const value = Buffer.allocUnsafe(segments.length * NUMBERS_PER_SEGMENT * 8);
    let at = 0;
    for (const { offset, position, appendedAt, arrivedBefore, bytesBefore, maxTimestamp } of segments)
      for (const part of [offset, position, appendedAt, arrivedBefore, bytesBefore, maxTimestamp]) at = value.writeDoubleBE(part, at);
    return { kind: "put", cell: this.#cell, key: keyOf(number), value };
  }

  #putLog(state: LogState): Op {
    return { kind: "put", cell: this.#cell, key: LOG_KEY, value: Buffer.from(JSON.stringify(state)) };
  }
}

function keyOf(number: number): string {
  return SEGMENTS_PREFIX + String(number).padStart(12, "0");
}

/** JSON has no infinity: the greatest time of a block that is not full stands as null. */
function revive(key: string, value: unknown): unknown {
  return key === "maxTimestamp" && value === null ? Number.NEGATIVE_INFINITY : value;
}
