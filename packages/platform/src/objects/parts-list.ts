/**
 * The files that an object is made of, in their order, as one row: what `b/` holds of an object whose body is `parts`.
 *
 * Every record has the same length and says where its part ends, so a range of an object of 10,000 parts is found by a
 * search in the row as it lies there: nothing is decoded but the parts that are read.
 */
import { invariant } from "../base/index.ts";
import type { ByteRange } from "../storage/index.ts";
import type { BodyPart } from "./version.ts";

/** Parts of one upload, and so of one object. @limit */
export const PARTS_MAX = 10_000;

const FORMAT = 1;
/** Format, length of a file's name, length of a checksum. */
const HEAD_BYTES = 3;
/** Up to 256 TiB. */
const END_BYTES = 6;
const MD5_BYTES = 16;

/** What is to be read of one file. */
export interface Piece {
  readonly part: BodyPart;
  /** Of the file's bytes; undefined where all of it is read. */
  readonly range: ByteRange | undefined;
}

/** The row of a list of parts (1–10,000). Names of files are as long as each other, and so are checksums. */
export function encodeParts(parts: readonly BodyPart[]): Buffer {
  invariant(parts.length >= 1 && parts.length <= PARTS_MAX, `an object has 1 to ${PARTS_MAX} parts, not ${parts.length}`);
  const first = parts[0];
  const nameBytes = first?.file.length ?? 0;
  const checksumBytes = digestOf(first?.checksum).length;
  const row = Buffer.allocUnsafe(HEAD_BYTES + parts.length * (END_BYTES + MD5_BYTES + checksumBytes + nameBytes));
  row.set([FORMAT, nameBytes, checksumBytes]);
  let at = HEAD_BYTES;
  let end = 0;
  for (const { file, bytes, md5, checksum } of parts) {
    const digest = digestOf(checksum);
    invariant(Buffer.byteLength(file) === nameBytes && digest.length === checksumBytes, "parts of one list are described alike");
    end += bytes;
    at = row.writeUIntBE(end, at, END_BYTES);
    at += row.write(md5, at, MD5_BYTES, "hex");
    at += digest.copy(row, at);
    at += row.write(file, at, nameBytes, "latin1");
  }
  invariant(at === row.length, "a part's MD5 is 32 hexadecimal digits");
  return row;
}

/** A list of parts, read where it lies. */
export class PartsList {
  readonly count: number;
  /** Of all parts together. */
  readonly bytes: number;
  readonly #row: Buffer;
  readonly #nameBytes: number;
  readonly #checksumBytes: number;
  readonly #recordBytes: number;

  constructor(row: Uint8Array) {
    this.#row = Buffer.from(row.buffer, row.byteOffset, row.byteLength);
    const [format, nameBytes = 0, checksumBytes = 0] = this.#row;
    this.#nameBytes = nameBytes;
    this.#checksumBytes = checksumBytes;
    this.#recordBytes = END_BYTES + MD5_BYTES + checksumBytes + nameBytes;
    this.count = (this.#row.length - HEAD_BYTES) / this.#recordBytes;
    invariant(format === FORMAT && this.count >= 1 && Number.isInteger(this.count), "the row is a list of parts");
    this.bytes = this.#end(this.count - 1);
  }

  /** The part at `index`, from 0. */
  part(index: number): BodyPart {
    const { start, end } = this.#span(index);
    const md5At = this.#recordAt(index) + END_BYTES;
    const checksumAt = md5At + MD5_BYTES;
    const nameAt = checksumAt + this.#checksumBytes;
    return {
      file: this.#row.toString("latin1", nameAt, nameAt + this.#nameBytes),
      bytes: end - start,
      md5: this.#row.toString("hex", md5At, checksumAt),
      ...(this.#checksumBytes === 0 ? {} : { checksum: this.#row.toString("base64", checksumAt, nameAt) }),
    };
  }

  *[Symbol.iterator](): Generator<BodyPart> {
    for (let index = 0; index < this.count; index += 1) yield this.part(index);
  }

  /** What of which files is to be read for `range`, all where it is undefined; files without bytes are left out. */
  *pieces(range: ByteRange = { start: 0, end: this.bytes - 1 }): Generator<Piece> {
    for (let index = this.#indexAt(range.start); index < this.count; index += 1) {
      const span = this.#span(index);
      if (span.start > range.end) return;
      if (span.end === span.start) continue;
      const start = Math.max(range.start, span.start) - span.start;
      const end = Math.min(range.end + 1, span.end) - span.start - 1;
      const isWhole = start === 0 && end === span.end - span.start - 1;
      yield { part: this.part(index), range: isWhole ? undefined : { start, end } };
    }
  }

  /** Where the part that is the `number`-th (from 1) lies: from `start` up to before `end`; undefined where there are fewer. */
  span(number: number): { readonly start: number; readonly end: number } | undefined {
    return Number.isInteger(number) && number >= 1 && number <= this.count ? this.#span(number - 1) : undefined;
  }

  /** The first part that ends behind `offset`. */
  #indexAt(offset: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#end(middle) > offset) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #span(index: number): { readonly start: number; readonly end: number } {
    return { start: index === 0 ? 0 : this.#end(index - 1), end: this.#end(index) };
  }

  #end(index: number): number {
    return this.#row.readUIntBE(this.#recordAt(index), END_BYTES);
  }

  #recordAt(index: number): number {
    return HEAD_BYTES + index * this.#recordBytes;
  }
}

/**
 * Where the `number`-th part (from 1) of an object lies, for reading it as a part; undefined where there is no such part.
 * A part without bytes has no range.
 */
export function partRange(parts: PartsList, number: number): { readonly range: ByteRange | undefined; readonly count: number } | undefined {
  const span = parts.span(number);
  if (!span) return undefined;
  return { range: span.end === span.start ? undefined : { start: span.start, end: span.end - 1 }, count: parts.count };
}

function digestOf(checksum: string | undefined): Buffer {
  return Buffer.from(checksum ?? "", "base64");
}
