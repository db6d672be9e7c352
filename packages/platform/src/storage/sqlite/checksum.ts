import { crc32 } from "node:zlib";

/**
 * The checksum a row is stored with: over the cell's number, the row's key and its body, so that a row which turns
 * up under another key or in another cell is found out too.
 */
export function rowChecksum(cell: number, key: Uint8Array, value: Uint8Array): number {
  return crc32(value, crc32(key, cellChecksum(cell)));
}

/** What the checksums of all rows of a cell begin with. */
export function cellChecksum(cell: number): number {
  const number = Buffer.allocUnsafe(4);
  number.writeUInt32LE(cell);
  return crc32(number);
}

/** The same as `rowChecksum`, of a row whose body lies right behind its key. */
export function joinedRowChecksum(begun: number, keyAndValue: Uint8Array): number {
  return crc32(keyAndValue, begun);
}

/** A whole number (position, revision) as the eight bytes that stand for it in checksums and frames. */
export function numberKey(number: number): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeDoubleLE(number);
  return bytes;
}
