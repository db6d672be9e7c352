/** A run of texts and bytes of any length, in blocks that go into a commit each. */
import { LambentError } from "../../base/index.ts";

const BLOCK_BYTES = 1_048_576;

export class ByteWriter {
  #parts: Buffer[] = [];
  #bytes = 0;

  text(text: string): void {
    this.bytes(Buffer.from(text));
  }

  bytes(bytes: Uint8Array): void {
    const length = Buffer.allocUnsafe(4);
    length.writeUInt32LE(bytes.byteLength);
    this.#parts.push(length, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    this.#bytes += 4 + bytes.byteLength;
  }

  /** The blocks that are full. */
  *full(): Generator<Uint8Array> {
    if (this.#bytes < BLOCK_BYTES) return;
    const all = Buffer.concat(this.#parts);
    let at = 0;
    for (; all.length - at >= BLOCK_BYTES; at += BLOCK_BYTES) yield all.subarray(at, at + BLOCK_BYTES);
    this.#parts = [all.subarray(at)];
    this.#bytes = all.length - at;
  }

  /** What is left. */
  *rest(): Generator<Uint8Array> {
    if (this.#bytes > 0) yield Buffer.concat(this.#parts);
  }
}

/** Reads what a `ByteWriter` wrote. Throws `StorageCorrupt` where something is missing. */
export class ByteReader {
  readonly #blocks: readonly Uint8Array[];
  #block = 0;
  #at = 0;

  constructor(blocks: readonly Uint8Array[]) {
    this.#blocks = blocks.filter(({ byteLength }) => byteLength > 0);
  }

  get isDone(): boolean {
    return this.#block >= this.#blocks.length;
  }

  text(): string {
    return this.bytes().toString("utf8");
  }

  bytes(): Buffer {
    return this.#take(this.#take(4).readUInt32LE());
  }

  #take(count: number): Buffer {
    const taken = Buffer.allocUnsafe(count);
    for (let filled = 0; filled < count;) {
      const block = this.#blocks[this.#block];
      if (!block) throw new LambentError("StorageCorrupt", "A block of a window's snapshot ends too early.");
      const some = Math.min(count - filled, block.byteLength - this.#at);
      taken.set(block.subarray(this.#at, this.#at + some), filled);
      filled += some;
      this.#at += some;
      if (this.#at === block.byteLength) {
        this.#block += 1;
        this.#at = 0;
      }
    }
    return taken;
  }
}
