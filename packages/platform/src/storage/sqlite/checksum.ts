import { crc32 } from "node:zlib";

/**
 * The checksum a row is stored with: over the cell's number, the row's key and its body, so that a row which turns
 * up under another key or in another cell is found out too.
 */
export function rowChecksum(cell: number, key: Uint8Array, value: Uint8Array): number {
  const number = Buffer.allocUnsafe(4);
  number.writeUInt32LE(cell);
  return crc32(value, crc32(key, crc32(number)));
}

/** A whole number (position, revision) as the eight bytes that stand for it in checksums and frames. */
export function numberKey(number: number): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeDoubleLE(number);
  return bytes;
}
