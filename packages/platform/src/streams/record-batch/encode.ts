import { crc32c, LambentError, type Instant } from "../../base/index.ts";
import type { NewRecord, RecordHeader } from "./batch.ts";
import {
  APPEND_TIME_BIT,
  ATTRIBUTES_AT,
  BASE_OFFSET_AT,
  BASE_SEQUENCE_AT,
  BASE_TIMESTAMP_AT,
  COUNT_AT,
  CRC_AT,
  FRONT_BYTES,
  HEADER_BYTES,
  LAST_OFFSET_DELTA_AT,
  LEADER_EPOCH_AT,
  LENGTH_AT,
  MAGIC,
  MAGIC_AT,
  MAX_TIMESTAMP_AT,
  NO_PRODUCER_ID,
  NO_TIMESTAMP,
  PRODUCER_EPOCH_AT,
  PRODUCER_ID_AT,
  TIMESTAMP_MAX,
} from "./format.ts";
import { sizeFault } from "./records.ts";
import { varintBytes, writeVarint } from "./varint.ts";

export interface EncodeOptions {
  readonly baseOffset: number;
  /** The time of records that have none. */
  readonly now: Instant;
}

/** Lengths, attributes, and the differences of time and offset of one record take no more. */
const RECORD_OVERHEAD_BYTES_MAX = 40;

/** Bytes that a record takes in a batch at most, whatever stands before it. Throws `RequestTooLarge` for one that is over its limit, and `InvalidParameter` for one with a time that is none. */
export function checkRecord({ key, value, headers = [], timestamp = 0 }: NewRecord, recordBytesMax: number): number {
  const bytes = (key?.length ?? 0) + (value?.length ?? 0);
  let headersBytes = 0;
  for (const header of headers) headersBytes += headerBytes(header);
  const tooLarge = sizeFault(bytes, headersBytes, recordBytesMax);
  if (tooLarge !== undefined) throw new LambentError("RequestTooLarge", tooLarge);
  if (!(Number.isSafeInteger(timestamp) && timestamp >= NO_TIMESTAMP && timestamp <= TIMESTAMP_MAX))
    throw new LambentError("InvalidParameter", `A record's time is ${timestamp}, which is none: milliseconds since 1970 are.`);
  return bytes + headersBytes + RECORD_OVERHEAD_BYTES_MAX;
}

/** A batch of these records, not compressed, with `headroom` bytes of the caller's in front. */
export function encodeBatch(records: readonly NewRecord[], { baseOffset, now }: EncodeOptions, headroom = 0): Buffer {
  const baseTimestamp = records[0]?.timestamp ?? now;
  const bodies = new Float64Array(records.length);
  let bytes = HEADER_BYTES;
  for (const [index, record] of records.entries()) {
    const body = bodyBytes(record, index, (record.timestamp ?? now) - baseTimestamp);
    bodies[index] = body;
    bytes += varintBytes(body) + body;
  }
  const whole = Buffer.allocUnsafe(headroom + bytes);
  const batch = whole.subarray(headroom);
  let maxTimestamp = baseTimestamp;
  let at = HEADER_BYTES;
  for (const [index, record] of records.entries()) {
    const timestamp = record.timestamp ?? now;
    if (timestamp > maxTimestamp) maxTimestamp = timestamp;
    at = writeVarint(batch, at, bodies[index] as number);
    at = writeBody(batch, at, record, index, timestamp - baseTimestamp);
  }
  batch.writeBigInt64BE(BigInt(baseOffset), BASE_OFFSET_AT);
  batch.writeInt32BE(bytes - FRONT_BYTES, LENGTH_AT);
  batch.writeInt32BE(0, LEADER_EPOCH_AT);
  batch.writeInt8(MAGIC, MAGIC_AT);
  batch.writeInt16BE(0, ATTRIBUTES_AT);
  batch.writeInt32BE(records.length - 1, LAST_OFFSET_DELTA_AT);
  batch.writeBigInt64BE(BigInt(baseTimestamp), BASE_TIMESTAMP_AT);
  batch.writeBigInt64BE(BigInt(maxTimestamp), MAX_TIMESTAMP_AT);
  batch.writeBigInt64BE(NO_PRODUCER_ID, PRODUCER_ID_AT);
  batch.writeInt16BE(-1, PRODUCER_EPOCH_AT);
  batch.writeInt32BE(-1, BASE_SEQUENCE_AT);
  batch.writeInt32BE(records.length, COUNT_AT);
  seal(batch);
  return whole;
}

/** Makes a batch say its greatest time; with `isArrival`, as the time of all its records. */
export function setTimes(batch: Buffer, timestamp: number, isArrival: boolean): void {
  const before = batch.readInt16BE(ATTRIBUTES_AT);
  const attributes = isArrival ? before | APPEND_TIME_BIT : before & ~APPEND_TIME_BIT;
  if (attributes === before && batch.readBigInt64BE(MAX_TIMESTAMP_AT) === BigInt(timestamp)) return;
  batch.writeInt16BE(attributes, ATTRIBUTES_AT);
  batch.writeBigInt64BE(BigInt(timestamp), MAX_TIMESTAMP_AT);
  seal(batch);
}

function seal(batch: Buffer): void {
  batch.writeUInt32BE(crc32c(batch.subarray(ATTRIBUTES_AT), 0), CRC_AT);
}

function bodyBytes({ key, value, headers = [] }: NewRecord, offsetDelta: number, timestampDelta: number): number {
  let bytes =
    1 + varintBytes(timestampDelta) + varintBytes(offsetDelta) + lengthened(key) + lengthened(value) + varintBytes(headers.length);
  for (const header of headers) bytes += headerBytes(header);
  return bytes;
}

function headerBytes([name, value]: RecordHeader): number {
  const nameBytes = Buffer.byteLength(name);
  return varintBytes(nameBytes) + nameBytes + lengthened(value);
}

function lengthened(bytes: Uint8Array | undefined): number {
  return bytes === undefined ? 1 : varintBytes(bytes.length) + bytes.length;
}

function writeBody(batch: Buffer, begin: number, record: NewRecord, offsetDelta: number, timestampDelta: number): number {
  const { key, value, headers = [] } = record;
  batch[begin] = 0;
  let at = writeVarint(batch, begin + 1, timestampDelta);
  at = writeVarint(batch, at, offsetDelta);
  at = writeBytes(batch, at, key);
  at = writeBytes(batch, at, value);
  at = writeVarint(batch, at, headers.length);
  for (const [name, content] of headers) {
    at = writeVarint(batch, at, Buffer.byteLength(name));
    at += batch.write(name, at, "utf8");
    at = writeBytes(batch, at, content);
  }
  return at;
}

function writeBytes(batch: Buffer, at: number, bytes: Uint8Array | undefined): number {
  if (bytes === undefined) return writeVarint(batch, at, -1);
  const begin = writeVarint(batch, at, bytes.length);
  batch.set(bytes, begin);
  return begin + bytes.length;
}
