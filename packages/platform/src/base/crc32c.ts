import { BYTES_A_STEP, entry, lookUpStep, fillSlicingTables, newSlicingTable } from "./slicing-tables.ts";

/** CRC32C (Castagnoli). */

/** Reflected. */
export const CRC32C_POLYNOMIAL = { low: 0x82f63b78, high: 0 };

/** A constant, so that the compiler knows its bounds; filled at the first use. */
const TABLE = newSlicingTable();
let isFilled = false;

/** The CRC32C, as an unsigned number, of what had the CRC `before` (0: of nothing) and `bytes` behind it. */
export function crc32c(bytes: Uint8Array, before: number): number {
  isFilled ||= fillSlicingTables(CRC32C_POLYNOMIAL, TABLE, newSlicingTable());
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const stepsEnd = words.byteLength - (words.byteLength % BYTES_A_STEP);
  let crc = ~before;
  let position = 0;
  for (; position < stepsEnd; position += BYTES_A_STEP) {
    const first = words.getInt32(position, true) ^ crc;
    const second = words.getInt32(position + 4, true);
    crc = lookUpStep(TABLE, first, second, words.getInt32(position + 8, true), words.getInt32(position + 12, true));
  }
  for (; position < words.byteLength; position += 1) crc = (crc >>> 8) ^ entry(TABLE, (crc ^ words.getUint8(position)) & 0xff);
  return ~crc >>> 0;
}
