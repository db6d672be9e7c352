/** Columns of texts and numbers in one run of bytes: what is written for thousands of records at once costs little a record. */
import { LambentError } from "../../base/index.ts";

/** Puts sections one behind the other, each with its length. */
export class ColumnWriter {
  readonly #sections: Buffer[] = [];
  #bytes = 0;

  json(value: unknown): this {
    return this.text(JSON.stringify(value));
  }

  text(text: string): this {
    return this.#add(Buffer.from(text));
  }

  numbers(numbers: readonly number[]): this {
    const array = Float64Array.from(numbers);
    return this.#add(Buffer.from(array.buffer, array.byteOffset, array.byteLength));
  }

  /** `first` tells what the bytes are, and which version of it. */
  done(first: number): Buffer {
    const all = Buffer.allocUnsafe(1 + this.#bytes);
    all.writeUInt8(first, 0);
    let at = 1;
    for (const section of this.#sections) {
      at = all.writeUInt32LE(section.length, at);
      at += section.copy(all, at);
    }
    return all;
  }

  #add(section: Buffer): this {
    this.#sections.push(section);
    this.#bytes += 4 + section.length;
    return this;
  }
}

/** Reads what a `ColumnWriter` wrote, in the same order. Throws `StorageCorrupt` for anything else. */
export class ColumnReader {
  readonly #bytes: Buffer;
  readonly #what: string;
  #at = 1;

  constructor(bytes: Uint8Array, first: number, what: string) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#what = what;
    if (this.#bytes[0] !== first)
      throw new LambentError("StorageCorrupt", `${what} has format ${this.#bytes[0]}; this Lambent reads ${first}.`);
  }

  json<T>(): T {
    return JSON.parse(this.text()) as T;
  }

  text(): string {
    return this.#section().toString("utf8");
  }

  numbers(): number[] {
    const section = this.#section();
    const aligned = new ArrayBuffer(section.length);
    section.copy(new Uint8Array(aligned));
    return Array.from(new Float64Array(aligned));
  }

  #section(): Buffer {
    const from = this.#at + 4;
    const length = from <= this.#bytes.length ? this.#bytes.readUInt32LE(this.#at) : Number.POSITIVE_INFINITY;
    if (from + length > this.#bytes.length) throw new LambentError("StorageCorrupt", `${this.#what} ends too early.`);
    this.#at = from + length;
    return this.#bytes.subarray(from, this.#at);
  }
}
