/**
 * A row of a partition's log: a batch with what its header does not say, or a part of one that is too large for a commit. Parts lie directly
 * before the row that makes them a batch; parts that nothing follows are what a crash left, and nobody sees them.
 *
 * `version u8 · kind u8 · parts u16 · arrival f64 · bytes of the stamps u32 · batch · stamps (JSON)`, highest byte first.
 */
import type { Instant } from "../../base/index.ts";
import { invariant, LambentError } from "../../base/index.ts";
import type { StampedRange } from "./stamps.ts";

const VERSION = 1;
const WHOLE = 1;
const PART = 2;
export const ROW_HEADER_BYTES = 16;

/** Bytes of one batch. A client's request is bounded elsewhere; this is what a batch of records of the greatest size needs. @limit */
export const BATCH_BYTES_MAX = 16 * 1024 * 1024;
/** Bytes of a batch in one commit: what is larger goes in several before. */
export const PART_BYTES = 2 * 1024 * 1024;
/** Parts before these belong to no batch. */
const PARTS_HELD_BYTES_MAX = BATCH_BYTES_MAX + PART_BYTES;

export interface BatchRow {
  readonly appendedAt: Instant;
  /** Whose records it holds. */
  readonly stamps: readonly StampedRange[];
  readonly batch: Buffer;
}

/** Makes a row of memory that has room for the header in front of the batch. */
export function sealRow(row: Buffer, appendedAt: Instant, stamps: readonly StampedRange[], parts = 0): Buffer {
  const text = stamps.length === 0 ? undefined : Buffer.from(JSON.stringify(stamps));
  row.writeUInt8(VERSION, 0);
  row.writeUInt8(WHOLE, 1);
  row.writeUInt16BE(parts, 2);
  row.writeDoubleBE(appendedAt, 4);
  row.writeUInt32BE(text?.length ?? 0, 12);
  return text ? Buffer.concat([row, text]) : row;
}

/** A row of a part of a batch. */
export function partRow(bytes: Buffer): Buffer {
  const row = Buffer.allocUnsafe(ROW_HEADER_BYTES + bytes.length);
  row.fill(0, 0, ROW_HEADER_BYTES);
  row.writeUInt8(VERSION, 0);
  row.writeUInt8(PART, 1);
  row.set(bytes, ROW_HEADER_BYTES);
  return row;
}

/** Puts batches together from rows in their order. */
export class RowJoiner {
  /** Parts that may be those of the next batch. */
  #parts: Buffer[] = [];
  /** Bytes of them. */
  #bytes = 0;

  /** The batch that this row completes; undefined for a part. */
  add(value: Uint8Array): BatchRow | undefined {
    const row = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    if (row.length < ROW_HEADER_BYTES || row.readUInt8(0) !== VERSION) throw damagedLog("a row is of no version that is known");
    if (row.readUInt8(1) === PART) {
      this.#parts.push(row.subarray(ROW_HEADER_BYTES));
      this.#bytes += row.length;
      while (this.#bytes > PARTS_HELD_BYTES_MAX) this.#bytes -= (this.#parts.shift()?.length ?? 0) + ROW_HEADER_BYTES;
      return undefined;
    }
    const last = row.subarray(ROW_HEADER_BYTES);
    const partCount = row.readUInt16BE(2);
    if (partCount > this.#parts.length) throw damagedLog("parts of a batch are missing");
    const content = partCount === 0 ? last : Buffer.concat([...this.#parts.slice(-partCount), last]);
    this.#parts = [];
    this.#bytes = 0;
    // The stamps may begin in the last of the parts.
    const stampsAt = content.length - row.readUInt32BE(12);
    if (stampsAt < 0) throw damagedLog("a row is shorter than its stamps");
    const stamps = stampsAt === content.length ? [] : (JSON.parse(content.toString("utf8", stampsAt)) as StampedRange[]);
    return { appendedAt: row.readDoubleBE(4), stamps, batch: content.subarray(0, stampsAt) };
  }
}

/** Splits a row whose batch is too large for a commit: its parts, and the row behind them. */
export function splitRow(row: Buffer): { readonly parts: readonly Buffer[]; readonly last: Buffer } {
  const parts: Buffer[] = [];
  let at = ROW_HEADER_BYTES;
  for (; row.length - at > PART_BYTES; at += PART_BYTES) parts.push(partRow(row.subarray(at, at + PART_BYTES)));
  invariant(parts.length > 0, "a row that is split is larger than a part");
  const last = Buffer.allocUnsafe(ROW_HEADER_BYTES + row.length - at);
  last.set(row.subarray(0, ROW_HEADER_BYTES));
  last.set(row.subarray(at), ROW_HEADER_BYTES);
  last.writeUInt16BE(parts.length, 2);
  return { parts, last };
}

export function damagedLog(what: string): LambentError {
  return new LambentError("StorageCorrupt", `The log of a partition is damaged: ${what}. Restore a backup.`);
}
