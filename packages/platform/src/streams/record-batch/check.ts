import { crc32c } from "../../base/index.ts";
import type { BatchFault, BatchLimits, CheckedBatch } from "./batch.ts";
import { compressionOf, decompress } from "./compression.ts";
import {
  ATTRIBUTES_AT,
  BASE_SEQUENCE_AT,
  BASE_TIMESTAMP_AT,
  BATCH_DECOMPRESSED_BYTES_MAX,
  BATCH_RECORDS_MAX,
  COMPRESSION_BITS,
  COUNT_AT,
  CRC_AT,
  FRONT_BYTES,
  HEADER_BYTES,
  LAST_OFFSET_DELTA_AT,
  LENGTH_AT,
  MAGIC,
  MAGIC_AT,
  NO_PRODUCER_ID,
  PRODUCER_EPOCH_AT,
  PRODUCER_ID_AT,
  TRANSACTIONAL_BITS,
} from "./format.ts";
import { checkRecords } from "./records.ts";

/** Bytes that a record takes at least: no batch has more records than that allows. */
const RECORD_BYTES_MIN = 7;

/**
 * Holds a batch that came from outside against its format, down to the last record: what passes can be read by everybody. Nothing is copied
 * but what is decompressed, and that is bounded. Gives the fault rather than throw it.
 */
export function checkBatch(bytes: Buffer, limits: BatchLimits): CheckedBatch | BatchFault {
  const wrong = checkHeader(bytes, limits);
  if (wrong) return wrong;
  const attributes = bytes.readInt16BE(ATTRIBUTES_AT);
  const compression = compressionOf(attributes & COMPRESSION_BITS);
  if (!compression) return fault("unsupportedCompression", `Compression ${attributes & COMPRESSION_BITS} is none that is known.`);
  const content = decompress(compression, bytes.subarray(HEADER_BYTES), BATCH_DECOMPRESSED_BYTES_MAX);
  if (content.kind === "corrupt") return fault("corrupt", `The records are not ${compression}.`);
  if (content.kind === "tooLarge")
    return fault("tooLarge", `The records have more than ${BATCH_DECOMPRESSED_BYTES_MAX} bytes, decompressed.`);
  const count = bytes.readInt32BE(COUNT_AT);
  if (count * RECORD_BYTES_MIN > content.bytes.length) return fault("invalidRecord", `The batch has no room for ${count} records.`);
  const baseTimestamp = Number(bytes.readBigInt64BE(BASE_TIMESTAMP_AT));
  const records = checkRecords(content.bytes, { count, baseTimestamp, recordBytesMax: limits.recordBytesMax });
  if (records.kind === "fault") return records;
  return {
    kind: "checked",
    bytes,
    count,
    compression,
    maxTimestamp: records.maxTimestamp,
    producerId: bytes.readBigInt64BE(PRODUCER_ID_AT),
    producerEpoch: bytes.readInt16BE(PRODUCER_EPOCH_AT),
    baseSequence: bytes.readInt32BE(BASE_SEQUENCE_AT),
  };
}

function checkHeader(bytes: Buffer, { batchBytesMax }: BatchLimits): BatchFault | undefined {
  if (bytes.length > batchBytesMax) return fault("tooLarge", `A batch has ${bytes.length} bytes; at most ${batchBytesMax} are allowed.`);
  if (bytes.length <= MAGIC_AT) return fault("corrupt", `A batch has ${bytes.length} bytes, which is no batch.`);
  // Formats before this one have it in the same place.
  if (bytes.readInt8(MAGIC_AT) !== MAGIC)
    return fault("unsupportedMagic", `Format ${bytes.readInt8(MAGIC_AT)} of records is not supported.`);
  if (bytes.length < HEADER_BYTES) return fault("corrupt", `A batch has ${bytes.length} bytes, less than its header.`);
  if (bytes.readInt32BE(LENGTH_AT) !== bytes.length - FRONT_BYTES) return fault("corrupt", "A batch is not as long as it says.");
  if (crc32c(bytes.subarray(ATTRIBUTES_AT), 0) !== bytes.readUInt32BE(CRC_AT))
    return fault("corrupt", "A batch does not have the checksum that it says.");
  if ((bytes.readInt16BE(ATTRIBUTES_AT) & TRANSACTIONAL_BITS) !== 0) return fault("transactional", "Transactions are not supported.");
  const count = bytes.readInt32BE(COUNT_AT);
  if (count < 1) return fault("invalidRecord", `A batch has ${count} records; it has one at least.`);
  if (count > BATCH_RECORDS_MAX) return fault("tooLarge", `A batch has ${count} records; at most ${BATCH_RECORDS_MAX} are allowed.`);
  if (bytes.readInt32BE(LAST_OFFSET_DELTA_AT) !== count - 1)
    return fault("invalidRecord", `A batch of ${count} records says that the last is number ${bytes.readInt32BE(LAST_OFFSET_DELTA_AT)}.`);
  const isNumbered = bytes.readBigInt64BE(PRODUCER_ID_AT) !== NO_PRODUCER_ID;
  if (isNumbered && (bytes.readInt16BE(PRODUCER_EPOCH_AT) < 0 || bytes.readInt32BE(BASE_SEQUENCE_AT) < 0))
    return fault("invalidRecord", "A batch of a numbered producer has no epoch or sequence.");
  return undefined;
}

function fault(kind: BatchFault["fault"], message: string): BatchFault {
  return { kind: "fault", fault: kind, message };
}
