/** Batches of a log that is not ours: with gaps in their offsets, where it is compacted, and with marks of transactions. Pure. */
import { crc32c } from "../../base/index.ts";
import type { BatchFault } from "./batch.ts";
import {
  ATTRIBUTES_AT,
  COMPRESSION_BITS,
  COUNT_AT,
  CRC_AT,
  FRONT_BYTES,
  HEADER_BYTES,
  LAST_OFFSET_DELTA_AT,
  LENGTH_AT,
  MAGIC,
  MAGIC_AT,
} from "./format.ts";
import { readFront } from "./stored.ts";

const TRANSACTIONAL_BIT = 0x10;
const CONTROL_BIT = 0x20;

/** What the header of a batch says; `readRecords` gives its records, or says that it is damaged. */
export interface ForeignBatch {
  readonly kind: "foreign";
  readonly bytes: Buffer;
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly maxTimestamp: number;
  readonly producerId: bigint;
  readonly isTransactional: boolean;
  /** A mark of the log itself, and no records of anybody's. */
  readonly isControl: boolean;
}

/** Holds the header of a batch against the format, and the rest against its checksum. Gives the fault rather than throw it. */
export function checkForeignBatch(bytes: Buffer): ForeignBatch | BatchFault {
  if (bytes.length <= MAGIC_AT) return fault("corrupt", `A batch has ${bytes.length} bytes, which is no batch.`);
  const magic = bytes.readInt8(MAGIC_AT);
  if (magic !== MAGIC)
    return fault("unsupportedMagic", `Format ${magic} of records is not supported; brokers write format ${MAGIC} since Kafka 0.11.`);
  if (bytes.length < HEADER_BYTES || bytes.readInt32BE(LENGTH_AT) !== bytes.length - FRONT_BYTES)
    return fault("corrupt", "A batch is not as long as it says.");
  if (crc32c(bytes.subarray(ATTRIBUTES_AT), 0) !== bytes.readUInt32BE(CRC_AT))
    return fault("corrupt", "A batch does not have the checksum that it says.");
  const attributes = bytes.readInt16BE(ATTRIBUTES_AT);
  const { baseOffset, count, maxTimestamp, producerId } = readFront(bytes);
  const lastOffset = baseOffset + bytes.readInt32BE(LAST_OFFSET_DELTA_AT);
  if (baseOffset < 0 || !Number.isSafeInteger(lastOffset) || lastOffset < baseOffset || count < 0 || count > lastOffset - baseOffset + 1)
    return fault("invalidRecord", `A batch says that it has ${count} records from ${baseOffset} to ${lastOffset}.`);
  return {
    ...{ kind: "foreign", bytes, baseOffset, lastOffset, maxTimestamp, producerId },
    isTransactional: (attributes & TRANSACTIONAL_BIT) !== 0,
    isControl: (attributes & CONTROL_BIT) !== 0,
  };
}

/** The batch without its records, in its place. Its checksum is not made anew. */
export function emptiedBatch(bytes: Buffer): Buffer {
  const empty = Buffer.from(bytes.subarray(0, HEADER_BYTES));
  empty.writeInt32BE(HEADER_BYTES - FRONT_BYTES, LENGTH_AT);
  empty.writeInt16BE(empty.readInt16BE(ATTRIBUTES_AT) & ~COMPRESSION_BITS, ATTRIBUTES_AT);
  empty.writeInt32BE(0, COUNT_AT);
  return empty;
}

function fault(kind: BatchFault["fault"], message: string): BatchFault {
  return { kind: "fault", fault: kind, message };
}
