/**
 * CBOR (RFC 8949), as far as rpcv2Cbor uses it. Reading takes every well-formed item: both lengths, every float, any
 * tag (1 is a time, others are passed over). Writing uses definite lengths and the shortest integers.
 */
import { isUtf8 } from "node:buffer";
import { LambentError } from "../../base/index.ts";
import { requireDepth } from "../bounds.ts";
import { dateFromSeconds } from "./text.ts";

const UNSIGNED = 0;
const NEGATIVE = 1;
const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;
const MAP = 5;
const TAG = 6;
const SIMPLE = 7;
const INDEFINITE = 31;
const BREAK = 0xff;
const TIME_TAG = 1;

/** @throws LambentError MalformedRequest */
export function decodeCbor(bytes: Buffer): unknown {
  const reader = new CborReader(bytes);
  const value = reader.item(0);
  reader.requireEnd();
  return value;
}

const malformed = (why: string): LambentError => new LambentError("MalformedRequest", `The body is not CBOR: ${why}.`);

class CborReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  requireEnd(): void {
    if (this.#at !== this.#bytes.length) throw malformed("bytes follow its end");
  }

  item(depth: number): unknown {
    requireDepth(depth);
    const first = this.#byte();
    const major = first >> 5;
    const info = first & 31;
    switch (major) {
      case UNSIGNED:
        return this.#argument(info);
      case NEGATIVE:
        return -1 - this.#argument(info);
      case BYTES:
        return info === INDEFINITE ? Buffer.concat(this.#chunks(BYTES)) : this.#take(this.#argument(info));
      case TEXT:
        return asText(info === INDEFINITE ? Buffer.concat(this.#chunks(TEXT)) : this.#take(this.#argument(info)));
      case ARRAY:
        return this.#array(info, depth);
      case MAP:
        return this.#map(info, depth);
      case TAG:
        return this.#tagged(info, depth);
      default:
        return this.#simple(info);
    }
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw malformed("it is cut off");
    this.#at += 1;
    return byte;
  }

  #take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw malformed("it is cut off");
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  #argument(info: number): number {
    if (info < 24) return info;
    if (info > 27) throw malformed("a length is reserved or misplaced");
    const bytes = this.#take(1 << (info - 24));
    return bytes.length === 8 ? Number(bytes.readBigUInt64BE(0)) : bytes.readUIntBE(0, bytes.length);
  }

  /** The definite parts of a text or byte string of indefinite length. */
  #chunks(major: number): Buffer[] {
    const chunks: Buffer[] = [];
    for (let first = this.#byte(); first !== BREAK; first = this.#byte()) {
      if (first >> 5 !== major || (first & 31) === INDEFINITE) throw malformed("a part of a string is of another kind");
      chunks.push(this.#take(this.#argument(first & 31)));
    }
    return chunks;
  }

  /** Calls `each` for every entry; a count that the bytes cannot hold fails before anything is made for it. */
  #entries(info: number, each: () => void): void {
    if (info === INDEFINITE) {
      while (this.#bytes[this.#at] !== BREAK) each();
      this.#at += 1;
      return;
    }
    const count = this.#argument(info);
    if (count > this.#bytes.length - this.#at) throw malformed("it is cut off");
    for (let index = 0; index < count; index += 1) each();
  }

  #array(info: number, depth: number): unknown[] {
    const array: unknown[] = [];
    this.#entries(info, () => array.push(this.item(depth + 1)));
    return array;
  }

  #map(info: number, depth: number): Record<string, unknown> {
    const map: Record<string, unknown> = { __proto__: null };
    this.#entries(info, () => {
      const key = this.item(depth + 1);
      if (typeof key !== "string") throw malformed("a key is not text");
      map[key] = this.item(depth + 1);
    });
    return map;
  }

  #tagged(info: number, depth: number): unknown {
    const tag = this.#argument(info);
    const value = this.item(depth + 1);
    if (tag !== TIME_TAG) return value;
    if (typeof value !== "number") throw malformed("a time is not a number");
    return dateFromSeconds(value, "A time");
  }

  #simple(info: number): unknown {
    switch (info) {
      case 20:
        return false;
      case 21:
        return true;
      case 22:
      case 23:
        return null;
      case 25:
        return halfFloat(this.#take(2).readUInt16BE(0));
      case 26:
        return this.#take(4).readFloatBE(0);
      case 27:
        return this.#take(8).readDoubleBE(0);
      default:
        throw malformed("a simple value is unknown");
    }
  }
}

function asText(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw malformed("text is not UTF-8");
  return bytes.toString("utf8");
}

function halfFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * 2 ** -14 * (fraction / 1024);
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * 2 ** (exponent - 15) * (1 + fraction / 1024);
}

/** Writes text, numbers, booleans, null, bytes, dates, arrays and plain objects. */
export function encodeCbor(value: unknown): Buffer {
  const parts: Buffer[] = [];
  write(value, parts);
  return Buffer.concat(parts);
}

function write(value: unknown, parts: Buffer[]): void {
  if (typeof value === "string") {
    const bytes = Buffer.from(value, "utf8");
    parts.push(head(TEXT, bytes.length), bytes);
  } else if (typeof value === "number") {
    parts.push(numberBytes(value));
  } else if (typeof value === "boolean") {
    parts.push(Buffer.of((SIMPLE << 5) | (value ? 21 : 20)));
  } else if (value instanceof Uint8Array) {
    parts.push(head(BYTES, value.length), Buffer.from(value.buffer, value.byteOffset, value.byteLength));
  } else if (value instanceof Date) {
    parts.push(head(TAG, TIME_TAG), numberBytes(value.getTime() / 1000));
  } else if (Array.isArray(value)) {
    parts.push(head(ARRAY, value.length));
    for (const entry of value) write(entry, parts);
  } else if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).filter(([, entry]) => entry !== undefined);
    parts.push(head(MAP, entries.length));
    for (const [key, entry] of entries) {
      write(key, parts);
      write(entry, parts);
    }
  } else parts.push(Buffer.of((SIMPLE << 5) | 22));
}

function numberBytes(value: number): Buffer {
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) return value < 0 ? head(NEGATIVE, -1 - value) : head(UNSIGNED, value);
  const bytes = Buffer.alloc(9);
  bytes[0] = (SIMPLE << 5) | 27;
  bytes.writeDoubleBE(value, 1);
  return bytes;
}

function head(major: number, argument: number): Buffer {
  const kind = major << 5;
  if (argument < 24) return Buffer.of(kind | argument);
  if (argument < 0x100) return Buffer.of(kind | 24, argument);
  if (argument < 0x1_0000) return Buffer.of(kind | 25, argument >> 8, argument & 0xff);
  const long = argument >= 0x1_0000_0000;
  const bytes = Buffer.alloc(long ? 9 : 5);
  bytes[0] = kind | (long ? 27 : 26);
  if (long) bytes.writeBigUInt64BE(BigInt(argument), 1);
  else bytes.writeUInt32BE(argument, 1);
  return bytes;
}
