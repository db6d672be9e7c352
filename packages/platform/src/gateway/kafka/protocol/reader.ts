import { LambentError } from "../../../base/index.ts";

/** Elements of all arrays and tagged fields of one message: a short frame cannot ask for much memory (P7). @limit */
export const MESSAGE_ELEMENTS_MAX = 200_000;

/** Bytes of one string: the most that the older encoding can say. @limit */
export const STRING_BYTES_MAX = 32_767;

/** Bytes that hold 32 bits, seven at a time. */
const VARINT_BYTES_MAX = 5;

/** Reads Kafka's primitive types from one frame. Each length is held against what is left before anything is made of it; throws `MalformedRequest`. */
export class Reader {
  readonly #bytes: Buffer;
  #at = 0;
  #elementsLeft = MESSAGE_ELEMENTS_MAX;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  int8(): number {
    return this.#bytes.readInt8(this.#take(1));
  }

  int16(): number {
    return this.#bytes.readInt16BE(this.#take(2));
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#take(4));
  }

  /** As a number: positions and times are below 2^53; what is not is nobody's, and may lose its last digits. */
  int64(): number {
    const at = this.#take(8);
    return this.#bytes.readInt32BE(at) * 4_294_967_296 + this.#bytes.readUInt32BE(at + 4);
  }

  bigInt64(): bigint {
    return this.#bytes.readBigInt64BE(this.#take(8));
  }

  bool(): boolean {
    return this.int8() !== 0;
  }

  uuid(): string {
    const at = this.#take(16);
    const hex = this.#bytes.toString("hex", at, at + 16);
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  }

  unsignedVarint(): number {
    let value = 0;
    for (let index = 0; index < VARINT_BYTES_MAX; index += 1) {
      const byte = this.#bytes.readUInt8(this.#take(1));
      value += (byte & 0x7f) * 2 ** (7 * index);
      if (byte < 0x80) return value;
    }
    return malformed("a length has more than five bytes");
  }

  string(flexible: boolean): string {
    return this.nullableString(flexible) ?? malformed("a string that must be there is null");
  }

  nullableString(flexible: boolean): string | null {
    const length = flexible ? this.unsignedVarint() - 1 : this.int16();
    if (length === -1) return null;
    if (length < 0 || length > STRING_BYTES_MAX) return malformed(`a string has ${length} bytes; ${STRING_BYTES_MAX} are allowed`);
    const at = this.#take(length);
    return this.#bytes.toString("utf8", at, at + length);
  }

  /** A view of the frame's memory. */
  bytes(flexible: boolean): Buffer {
    return this.nullableBytes(flexible) ?? malformed("bytes that must be there are null");
  }

  nullableBytes(flexible: boolean): Buffer | null {
    const length = flexible ? this.unsignedVarint() - 1 : this.int32();
    if (length === -1) return null;
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** How many elements follow. Each has at least one byte, and all of a message are counted. */
  elements(flexible: boolean): number {
    return this.nullableElements(flexible) ?? malformed("an array that must be there is null");
  }

  nullableElements(flexible: boolean): number | undefined {
    const count = flexible ? this.unsignedVarint() - 1 : this.int32();
    if (count === -1) return undefined;
    if (count < 0 || count > this.left) return malformed(`an array of ${count} elements stands before ${this.left} bytes`);
    this.#count(count);
    return count;
  }

  /** Tagged fields are additions that a reader may leave out: none of those that exist is needed here. */
  skipTaggedFields(): void {
    const count = this.unsignedVarint();
    this.#count(count);
    for (let index = 0; index < count; index += 1) {
      this.unsignedVarint();
      this.#take(this.unsignedVarint());
    }
  }

  #count(elements: number): void {
    this.#elementsLeft -= elements;
    if (this.#elementsLeft < 0) malformed(`a message has more than ${MESSAGE_ELEMENTS_MAX} elements`);
  }

  #take(length: number): number {
    const at = this.#at;
    if (length < 0 || length > this.#bytes.length - at) return malformed(`${length} bytes are to follow, and ${this.left} do`);
    this.#at = at + length;
    return at;
  }
}

function malformed(what: string): never {
  throw new LambentError("MalformedRequest", `Not a message of Kafka's protocol: ${what}.`);
}
