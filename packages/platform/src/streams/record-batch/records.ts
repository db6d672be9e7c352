import { LambentError } from "../../base/index.ts";
import type { BatchFault, StoredBatch, StreamRecordView } from "./batch.ts";
import { compressionOf, decompress } from "./compression.ts";
import {
  APPEND_TIME_BIT,
  ATTRIBUTES_AT,
  BASE_OFFSET_AT,
  BASE_TIMESTAMP_AT,
  BATCH_DECOMPRESSED_BYTES_MAX,
  BATCH_HEADERS_MAX,
  COMPRESSION_BITS,
  COUNT_AT,
  HEADER_BYTES,
  MAX_TIMESTAMP_AT,
  RECORD_HEADERS_BYTES_MAX,
  TIMESTAMP_MAX,
} from "./format.ts";
import { VarintCursor } from "./varint.ts";

/** Where the parts of one record stand, with what it says of itself. Filled anew for each record. */
interface RecordParts {
  timestampDelta: number;
  offsetDelta: number;
  keyAt: number;
  /** -1: it has none. */
  keyBytes: number;
  valueAt: number;
  valueBytes: number;
  headersAt: number;
  headers: number;
  end: number;
}

function noParts(): RecordParts {
  return { timestampDelta: 0, offsetDelta: 0, keyAt: 0, keyBytes: 0, valueAt: 0, valueBytes: 0, headersAt: 0, headers: 0, end: 0 };
}

/** Reads the parts of the record that begins at the cursor, which then stands behind it. Gives what is wrong with it, if something is. */
function nextRecord(cursor: VarintCursor, parts: RecordParts): string | undefined {
  const length = cursor.varint();
  const end = cursor.at + length;
  if (!(length >= 0 && end <= cursor.bytes.length)) return "its length is not that of a record";
  cursor.at += 1;
  parts.timestampDelta = cursor.varlong();
  parts.offsetDelta = cursor.varint();
  parts.keyBytes = cursor.varint();
  parts.keyAt = cursor.at;
  if (!(parts.keyBytes >= -1 && parts.keyAt + parts.keyBytes <= end)) return "its key's length is none";
  cursor.at += Math.max(0, parts.keyBytes);
  parts.valueBytes = cursor.varint();
  parts.valueAt = cursor.at;
  if (!(parts.valueBytes >= -1 && parts.valueAt + parts.valueBytes <= end)) return "its value's length is none";
  cursor.at += Math.max(0, parts.valueBytes);
  parts.headers = cursor.varint();
  parts.headersAt = cursor.at;
  parts.end = end;
  if (!(parts.headers >= 0)) return "it has no number of headers";
  for (let header = 0; header < parts.headers; header += 1) {
    const nameBytes = cursor.varint();
    if (!(nameBytes >= 0 && cursor.at + nameBytes <= end)) return "the name's length of a header is none";
    cursor.at += nameBytes;
    const valueBytes = cursor.varint();
    if (!(valueBytes >= -1 && cursor.at + valueBytes <= end)) return "the value's length of a header is none";
    cursor.at += Math.max(0, valueBytes);
  }
  return cursor.at === end ? undefined : "its length is not that of its parts";
}

/** Says which bound a record passes, if it does: its key and value together, or its headers. */
export function sizeFault(keyAndValueBytes: number, headersBytes: number, recordBytesMax: number): string | undefined {
  if (keyAndValueBytes > recordBytesMax) return `A record has ${keyAndValueBytes} bytes; at most ${recordBytesMax} are allowed.`;
  if (headersBytes > RECORD_HEADERS_BYTES_MAX)
    return `A record's headers have ${headersBytes} bytes; at most ${RECORD_HEADERS_BYTES_MAX} are allowed.`;
  return undefined;
}

export interface RecordsChecked {
  readonly kind: "right";
  readonly maxTimestamp: number;
}

/** Holds decompressed records against what a batch's header says of them. */
export function checkRecords(
  bytes: Buffer,
  { count, baseTimestamp, recordBytesMax }: { readonly count: number; readonly baseTimestamp: number; readonly recordBytesMax: number },
): RecordsChecked | BatchFault {
  const cursor = new VarintCursor(bytes);
  const parts = noParts();
  let greatestDelta = Number.NEGATIVE_INFINITY;
  let headers = 0;
  for (let index = 0; index < count; index += 1) {
    const wrong = nextRecord(cursor, parts) ?? (parts.offsetDelta === index ? undefined : "its offset does not follow the one before");
    if (wrong !== undefined) return { kind: "fault", fault: "invalidRecord", message: `Record ${index} of the batch: ${wrong}.` };
    const tooLarge = sizeFault(Math.max(0, parts.keyBytes) + Math.max(0, parts.valueBytes), parts.end - parts.headersAt, recordBytesMax);
    if (tooLarge !== undefined) return { kind: "fault", fault: "tooLarge", message: tooLarge };
    headers += parts.headers;
    if (headers > BATCH_HEADERS_MAX)
      return { kind: "fault", fault: "tooLarge", message: `The records of the batch have more than ${BATCH_HEADERS_MAX} headers.` };
    const timestamp = baseTimestamp + parts.timestampDelta;
    if (!(timestamp >= -1 && timestamp <= TIMESTAMP_MAX))
      return { kind: "fault", fault: "invalidTimestamp", message: `Record ${index} of the batch has no time: ${timestamp}.` };
    if (parts.timestampDelta > greatestDelta) greatestDelta = parts.timestampDelta;
  }
  if (cursor.at !== bytes.length)
    return { kind: "fault", fault: "invalidRecord", message: `The batch has bytes behind its ${count} records.` };
  return { kind: "right", maxTimestamp: baseTimestamp + greatestDelta };
}

/** The records of a batch that is kept. */
export function readRecords({ bytes }: Pick<StoredBatch, "bytes">): StreamRecordView[] {
  const attributes = bytes.readInt16BE(ATTRIBUTES_AT);
  const compression = compressionOf(attributes & COMPRESSION_BITS);
  const content = compression && decompress(compression, bytes.subarray(HEADER_BYTES), BATCH_DECOMPRESSED_BYTES_MAX);
  if (content?.kind !== "decompressed") throw damaged("its records cannot be decompressed");
  const baseOffset = Number(bytes.readBigInt64BE(BASE_OFFSET_AT));
  const baseTimestamp = Number(bytes.readBigInt64BE(BASE_TIMESTAMP_AT));
  const arrival = (attributes & APPEND_TIME_BIT) === 0 ? undefined : Number(bytes.readBigInt64BE(MAX_TIMESTAMP_AT));
  const cursor = new VarintCursor(content.bytes);
  const parts = noParts();
  const records: StreamRecordView[] = [];
  for (let index = 0, count = bytes.readInt32BE(COUNT_AT); index < count; index += 1) {
    const wrong = nextRecord(cursor, parts) ?? (parts.offsetDelta >= index ? undefined : "its offset is that of one before");
    if (wrong !== undefined) throw damaged(`record ${index}: ${wrong}`);
    const { keyAt, keyBytes, valueAt, valueBytes } = parts;
    records.push({
      // Logs that are not ours have gaps.
      offset: baseOffset + parts.offsetDelta,
      timestamp: arrival ?? baseTimestamp + parts.timestampDelta,
      key: keyBytes < 0 ? undefined : content.bytes.subarray(keyAt, keyAt + keyBytes),
      value: valueBytes < 0 ? undefined : content.bytes.subarray(valueAt, valueAt + valueBytes),
      headers: parts.headers === 0 ? [] : headersOf(content.bytes, parts),
    });
  }
  return records;
}

/** Those of a record that was found right. */
function headersOf(bytes: Buffer, parts: RecordParts): (readonly [string, Buffer | undefined])[] {
  const cursor = new VarintCursor(bytes);
  cursor.at = parts.headersAt;
  return Array.from({ length: parts.headers }, () => {
    const name = slice(cursor, cursor.varint()) ?? Buffer.alloc(0);
    return [name.toString("utf8"), slice(cursor, cursor.varint())] as const;
  });
}

function slice(cursor: VarintCursor, length: number): Buffer | undefined {
  if (length < 0) return undefined;
  const begin = cursor.at;
  cursor.at += length;
  return cursor.bytes.subarray(begin, cursor.at);
}

function damaged(what: string): LambentError {
  return new LambentError("StorageCorrupt", `A batch of records is damaged: ${what}.`);
}
