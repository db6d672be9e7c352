/** One LZ4 frame, as Kafka's clients send it: blocks that may refer to those before them, with the checksums its header names. */
import type { Decompressed } from "./compression.ts";
import { repeat } from "./snappy.ts";
import { xxh32 } from "./xxh32.ts";

const MAGIC = 0x184d2204;
const VERSION_BITS = 0xc0;
const VERSION = 0x40;
const BLOCK_CHECKSUM_BIT = 0x10;
const CONTENT_SIZE_BIT = 0x08;
const CONTENT_CHECKSUM_BIT = 0x04;
const DICTIONARY_BIT = 0x01;
/** Set in a block's length when the block is not compressed. */
const PLAIN_BIT = 0x80000000;
/** No byte of a block becomes more bytes. */
const EXPANSION_MAX = 255;
/** A match is at least so long. */
const MATCH_BYTES_MIN = 4;

const CORRUPT: Decompressed = { kind: "corrupt" };
const TOO_LARGE: Decompressed = { kind: "tooLarge" };

interface FrameHeader {
  readonly end: number;
  readonly blockChecksums: boolean;
  readonly contentChecksum: boolean;
  readonly contentBytes: number | undefined;
}

export function decompressLz4(bytes: Buffer, bytesMax: number): Decompressed {
  const header = readHeader(bytes);
  if (!header) return CORRUPT;
  if (header.contentBytes !== undefined && header.contentBytes > bytesMax) return TOO_LARGE;
  const target = new Growing(Math.min(bytesMax, header.contentBytes ?? bytes.length * 4, bytes.length * EXPANSION_MAX), bytesMax);
  let at = header.end;
  for (;;) {
    if (at + 4 > bytes.length) return CORRUPT;
    const word = bytes.readUInt32LE(at);
    at += 4;
    if (word === 0) break;
    const begin = at;
    at += (word & ~PLAIN_BIT) >>> 0;
    if (at + (header.blockChecksums ? 4 : 0) > bytes.length) return CORRUPT;
    const block = bytes.subarray(begin, at);
    if (header.blockChecksums) {
      if (xxh32(block) !== bytes.readUInt32LE(at)) return CORRUPT;
      at += 4;
    }
    const ending = word >= PLAIN_BIT ? target.add(block, 0, block.length) : decodeBlock(block, target);
    if (ending !== "ok") return { kind: ending };
  }
  if (header.contentChecksum) {
    if (at + 4 > bytes.length || xxh32(target.written()) !== bytes.readUInt32LE(at)) return CORRUPT;
    at += 4;
  }
  if (at !== bytes.length || (header.contentBytes ?? target.length) !== target.length) return CORRUPT;
  return { kind: "decompressed", bytes: target.written() };
}

function readHeader(bytes: Buffer): FrameHeader | undefined {
  if (bytes.length < 7 || bytes.readUInt32LE(0) !== MAGIC) return undefined;
  const flags = bytes.readUInt8(4);
  if ((flags & VERSION_BITS) !== VERSION || (flags & DICTIONARY_BIT) !== 0) return undefined;
  const hasContentSize = (flags & CONTENT_SIZE_BIT) !== 0;
  const checksumAt = hasContentSize ? 14 : 6;
  if (bytes.length <= checksumAt || ((xxh32(bytes.subarray(4, checksumAt)) >>> 8) & 0xff) !== bytes[checksumAt]) return undefined;
  return {
    end: checksumAt + 1,
    blockChecksums: (flags & BLOCK_CHECKSUM_BIT) !== 0,
    contentChecksum: (flags & CONTENT_CHECKSUM_BIT) !== 0,
    contentBytes: hasContentSize ? Number(bytes.readBigUInt64LE(6)) : undefined,
  };
}

type BlockEnding = "ok" | "corrupt" | "tooLarge";

/** Literals and a match, again and again; the last has no match. */
function decodeBlock(block: Buffer, target: Growing): BlockEnding {
  let at = 0;
  while (at < block.length) {
    const token = block[at++] as number;
    let literals = token >>> 4;
    if (literals === 15) {
      let byte: number | undefined;
      do {
        byte = block[at++];
        if (byte === undefined) return "corrupt";
        literals += byte;
      } while (byte === 255);
    }
    if (at + literals > block.length) return "corrupt";
    if (target.add(block, at, literals) !== "ok") return "tooLarge";
    at += literals;
    if (at === block.length) return "ok";
    if (at + 2 > block.length) return "corrupt";
    const distance = block.readUInt16LE(at);
    at += 2;
    let length = (token & 15) + MATCH_BYTES_MIN;
    if ((token & 15) === 15) {
      let byte: number | undefined;
      do {
        byte = block[at++];
        if (byte === undefined) return "corrupt";
        length += byte;
      } while (byte === 255);
    }
    const ending = target.repeat(distance, length);
    if (ending !== "ok") return ending;
  }
  // A block ends with literals; one that ends with a match, or is empty, is none.
  return "corrupt";
}

/** What is decompressed so far; it grows with what is really there, up to its bound. */
class Growing {
  length = 0;
  #bytes: Buffer;
  readonly #bytesMax: number;

  constructor(atFirst: number, bytesMax: number) {
    this.#bytes = Buffer.allocUnsafe(atFirst);
    this.#bytesMax = bytesMax;
  }

  written(): Buffer {
    return this.#bytes.subarray(0, this.length);
  }

  add(source: Buffer, at: number, count: number): "ok" | "tooLarge" {
    if (!this.#makeRoom(count)) return "tooLarge";
    // Most are a few bytes, which a view would cost more than.
    if (count <= 32) for (let index = 0; index < count; index += 1) this.#bytes[this.length + index] = source[at + index] as number;
    else this.#bytes.set(source.subarray(at, at + count), this.length);
    this.length += count;
    return "ok";
  }

  repeat(distance: number, count: number): BlockEnding {
    if (!this.#makeRoom(count)) return "tooLarge";
    if (!repeat(this.#bytes, this.length, distance, count)) return "corrupt";
    this.length += count;
    return "ok";
  }

  #makeRoom(count: number): boolean {
    const needed = this.length + count;
    if (needed <= this.#bytes.length) return true;
    if (needed > this.#bytesMax) return false;
    const larger = Buffer.allocUnsafe(Math.min(this.#bytesMax, Math.max(needed, this.#bytes.length * 2)));
    larger.set(this.written());
    this.#bytes = larger;
    return true;
  }
}
