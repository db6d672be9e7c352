import { STRING_BYTES_MAX } from "./reader.ts";

/** Shorter bytes are copied; longer ones go out as they are, beside what is written around them. */
const COPIED_BYTES_MAX = 2_048;
const CHUNK_BYTES = 1_024;

/** Writes Kafka's primitive types. Large bytes, as those of records, are never copied: the result is a list of buffers. */
export class Writer {
  readonly #parts: Buffer[] = [];
  #chunk: Buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  #used = 0;
  #length = 0;

  /** Bytes written so far. */
  get length(): number {
    return this.#length + this.#used;
  }

  int8(value: number): void {
    const at = this.#room(1);
    this.#chunk.writeInt8(value, at);
  }

  int16(value: number): void {
    const at = this.#room(2);
    this.#chunk.writeInt16BE(value, at);
  }

  int32(value: number): void {
    const at = this.#room(4);
    this.#chunk.writeInt32BE(value, at);
  }

  /** A whole number below 2^53 either way. */
  int64(value: number): void {
    const at = this.#room(8);
    this.#chunk.writeInt32BE(Math.floor(value / 4_294_967_296), at);
    this.#chunk.writeUInt32BE(value >>> 0, at + 4);
  }

  bigInt64(value: bigint): void {
    const at = this.#room(8);
    this.#chunk.writeBigInt64BE(value, at);
  }

  bool(value: boolean): void {
    this.int8(value ? 1 : 0);
  }

  uuid(value: string): void {
    const at = this.#room(16);
    this.#chunk.write(value.replaceAll("-", ""), at, 16, "hex");
  }

  unsignedVarint(value: number): void {
    let left = value;
    for (; left > 0x7f; left = Math.floor(left / 0x80)) this.#uint8((left & 0x7f) | 0x80);
    this.#uint8(left);
  }

  /** What is longer than the protocol can say is cut: a message that quotes what was sent can be. */
  string(given: string | null, flexible: boolean): void {
    const isLong = given !== null && given.length * 3 > STRING_BYTES_MAX && Buffer.byteLength(given) > STRING_BYTES_MAX;
    const value = isLong
      ? Buffer.from(given)
          .toString("utf8", 0, STRING_BYTES_MAX - 3)
          .replace(/\uFFFD$/u, "")
      : given;
    const length = value === null ? -1 : Buffer.byteLength(value);
    if (flexible) this.unsignedVarint(length + 1);
    else this.int16(length);
    if (value === null) return;
    const at = this.#room(length);
    this.#chunk.write(value, at, length, "utf8");
  }

  bytes(value: Uint8Array | readonly Uint8Array[] | null, flexible: boolean): void {
    const parts = value === null ? [] : value instanceof Uint8Array ? [value] : value;
    const length = value === null ? -1 : parts.reduce((sum, part) => sum + part.length, 0);
    if (flexible) this.unsignedVarint(length + 1);
    else this.int32(length);
    for (const part of parts) this.#append(part);
  }

  /** The number of an array's elements; undefined for null. */
  elements(count: number | undefined, flexible: boolean): void {
    if (flexible) this.unsignedVarint((count ?? -1) + 1);
    else this.int32(count ?? -1);
  }

  /** What was written, in order. The writer is used up. */
  finish(): readonly Buffer[] {
    this.#flush();
    return this.#parts;
  }

  #uint8(value: number): void {
    const at = this.#room(1);
    this.#chunk.writeUInt8(value, at);
  }

  #append(bytes: Uint8Array): void {
    if (bytes.length <= COPIED_BYTES_MAX) {
      const at = this.#room(bytes.length);
      this.#chunk.set(bytes, at);
      return;
    }
    this.#flush();
    this.#parts.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    this.#length += bytes.length;
  }

  /** Where the next `length` bytes go. It may change the chunk: to be called before that is looked at. */
  #room(length: number): number {
    if (this.#used + length > this.#chunk.length) {
      this.#flush();
      this.#chunk = Buffer.allocUnsafe(Math.max(CHUNK_BYTES, length));
    }
    const at = this.#used;
    this.#used += length;
    return at;
  }

  #flush(): void {
    if (this.#used === 0) return;
    this.#parts.push(this.#chunk.subarray(0, this.#used));
    this.#length += this.#used;
    this.#chunk = this.#chunk.subarray(this.#used);
    this.#used = 0;
  }
}
