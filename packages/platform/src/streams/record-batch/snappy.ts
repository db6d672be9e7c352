/** Snappy, plain and in the blocks that Java clients send ("xerial"). Only what is decompressed is ever allocated, and that is bounded before. */
import type { Decompressed } from "./compression.ts";

const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
/** The magic, a version, and the oldest version that can read it. */
const XERIAL_HEADER_BYTES = 16;

const CORRUPT: Decompressed = { kind: "corrupt" };
const TOO_LARGE: Decompressed = { kind: "tooLarge" };

export function decompressSnappy(bytes: Buffer, bytesMax: number): Decompressed {
  const blocks = blocksOf(bytes);
  if (!blocks) return CORRUPT;
  let total = 0;
  for (const block of blocks) {
    const length = lengthOf(block);
    if (length === undefined) return CORRUPT;
    total += length.value;
    if (total > bytesMax) return TOO_LARGE;
  }
  // Elements of two and three bytes become 64 at most: a length that no such block can have is not worth its memory.
  if (total > bytes.length * 64) return CORRUPT;
  const target = Buffer.allocUnsafe(total);
  let at = 0;
  for (const block of blocks) {
    const { value, end } = lengthOf(block) ?? { value: 0, end: 0 };
    if (!decodeElements(block, end, target.subarray(at, at + value))) return CORRUPT;
    at += value;
  }
  return { kind: "decompressed", bytes: target };
}

function blocksOf(bytes: Buffer): Buffer[] | undefined {
  if (!bytes.subarray(0, XERIAL_MAGIC.length).equals(XERIAL_MAGIC)) return [bytes];
  if (bytes.length < XERIAL_HEADER_BYTES) return undefined;
  const blocks: Buffer[] = [];
  for (let at = XERIAL_HEADER_BYTES; at < bytes.length;) {
    if (at + 4 > bytes.length) return undefined;
    const begin = at + 4;
    at = begin + bytes.readUInt32BE(at);
    if (at > bytes.length || at === begin) return undefined;
    blocks.push(bytes.subarray(begin, at));
  }
  return blocks;
}

/** What a block says it decompresses to, in front of its elements. */
function lengthOf(block: Buffer): { readonly value: number; readonly end: number } | undefined {
  let value = 0;
  for (let at = 0; at < 5; at += 1) {
    const byte = block[at];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * 2 ** (7 * at);
    if (byte < 0x80) return { value, end: at + 1 };
  }
  return undefined;
}

function decodeElements(source: Buffer, begin: number, target: Buffer): boolean {
  let from = begin;
  let to = 0;
  while (from < source.length) {
    const tag = source[from++] ?? 0;
    if ((tag & 3) === 0) {
      let length = (tag >>> 2) + 1;
      if (length > 60) {
        const lengthBytes = length - 60;
        if (from + lengthBytes > source.length) return false;
        length = source.readUIntLE(from, lengthBytes) + 1;
        from += lengthBytes;
      }
      if (from + length > source.length || to + length > target.length) return false;
      target.set(source.subarray(from, from + length), to);
      from += length;
      to += length;
    } else {
      const offsetBytes = [0, 1, 2, 4][tag & 3] ?? 0;
      if (from + offsetBytes > source.length) return false;
      const isNear = offsetBytes === 1;
      const length = isNear ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1;
      const distance = source.readUIntLE(from, offsetBytes) + (isNear ? (tag >>> 5) << 8 : 0);
      from += offsetBytes;
      if (!repeat(target, to, distance, length)) return false;
      to += length;
    }
  }
  return to === target.length;
}

/** Writes again what stands `distance` before: also what it writes itself meanwhile. False where that is not there, or has no room. */
export function repeat(target: Buffer, at: number, distance: number, length: number): boolean {
  if (distance === 0 || distance > at || at + length > target.length) return false;
  if (distance >= length && length > 16) {
    target.copyWithin(at, at - distance, at - distance + length);
    return true;
  }
  for (let index = at; index < at + length; index += 1) target[index] = target[index - distance] as number;
  return true;
}
