/**
 * How state is written down: a stream of bytes, cut into blocks wherever one is full. Numbers of times and sums are doubles, counts
 * take as many bytes as they need. A reader that finds anything but what a writer wrote throws `SnapshotFault`.
 */

/** Bytes of one block of a snapshot. @limit */
export const SNAPSHOT_BLOCK_BYTES_MAX = 1_048_576;

/** A snapshot that cannot be taken up: damaged, of a version that is not known, or of another definition. */
export class SnapshotFault extends Error {
  override readonly name = "SnapshotFault";
}

export class BlockWriter {
  readonly #double = new Uint8Array(8);
  readonly #doubleView = new DataView(this.#double.buffer);
  readonly #text = new TextEncoder();
  #full: Uint8Array[] = [];
  #block = new Uint8Array(SNAPSHOT_BLOCK_BYTES_MAX);
  #view = new DataView(this.#block.buffer);
  #used = 0;

  byte(value: number): void {
    if (this.#used === SNAPSHOT_BLOCK_BYTES_MAX) this.#turn();
    this.#block[this.#used++] = value;
  }

  /** A whole number from 0 to 2^53 - 1. */
  count(value: number): void {
    let rest = value;
    while (rest >= 128) {
      this.byte((rest % 128) + 128);
      rest = Math.floor(rest / 128);
    }
    this.byte(rest);
  }

  double(value: number): void {
    if (this.#used + 8 <= SNAPSHOT_BLOCK_BYTES_MAX) {
      this.#view.setFloat64(this.#used, value);
      this.#used += 8;
      return;
    }
    this.#doubleView.setFloat64(0, value);
    this.#append(this.#double);
  }

  text(value: string): void {
    this.bytes(this.#text.encode(value));
  }

  bytes(value: Uint8Array): void {
    this.count(value.length);
    this.#append(value);
  }

  #append(value: Uint8Array): void {
    for (let at = 0; at < value.length;) {
      if (this.#used === SNAPSHOT_BLOCK_BYTES_MAX) this.#turn();
      const part = value.subarray(at, at + SNAPSHOT_BLOCK_BYTES_MAX - this.#used);
      this.#block.set(part, this.#used);
      this.#used += part.length;
      at += part.length;
    }
  }

  json(value: unknown): void {
    this.text(JSON.stringify(value));
  }

  /** The blocks that are full; asked for while writing, so that not all have to be held. */
  takeFull(): readonly Uint8Array[] {
    const full = this.#full;
    this.#full = [];
    return full;
  }

  /** What is left behind the full blocks. */
  end(): readonly Uint8Array[] {
    const rest = this.#block.slice(0, this.#used);
    this.#used = 0;
    return rest.length === 0 ? this.takeFull() : [...this.takeFull(), rest];
  }

  #turn(): void {
    this.#full.push(this.#block);
    this.#block = new Uint8Array(SNAPSHOT_BLOCK_BYTES_MAX);
    this.#view = new DataView(this.#block.buffer);
    this.#used = 0;
  }
}

export class BlockReader {
  readonly #blocks: Iterator<Uint8Array>;
  readonly #double = new DataView(new ArrayBuffer(8));
  readonly #text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  #block: Uint8Array = new Uint8Array(0);
  #view = new DataView(this.#block.buffer);
  #used = 0;

  constructor(blocks: Iterable<Uint8Array>) {
    this.#blocks = blocks[Symbol.iterator]();
  }

  byte(): number {
    if (this.#used === this.#block.length && !this.#turn()) throw new SnapshotFault("The snapshot ends too early.");
    return this.#block[this.#used++] as number;
  }

  count(): number {
    let value = 0;
    for (let weight = 1; weight < 2 ** 56; weight *= 128) {
      const byte = this.byte();
      value += (byte % 128) * weight;
      if (byte < 128 && value <= Number.MAX_SAFE_INTEGER) return value;
    }
    throw new SnapshotFault("The snapshot has a count beyond 2^53.");
  }

  double(): number {
    if (this.#used + 8 <= this.#block.length) {
      this.#used += 8;
      return this.#view.getFloat64(this.#used - 8);
    }
    for (let at = 0; at < 8; at++) this.#double.setUint8(at, this.byte());
    return this.#double.getFloat64(0);
  }

  text(): string {
    try {
      return this.#text.decode(this.#bytes());
    } catch (fault) {
      if (fault instanceof TypeError) throw new SnapshotFault("The snapshot has a text that is not UTF-8.");
      throw fault;
    }
  }

  bytes(): Uint8Array {
    return this.#bytes().slice();
  }

  /** A view of the block where they are in one. */
  #bytes(): Uint8Array {
    const length = this.count();
    if (length <= this.#block.length - this.#used) return this.#block.subarray(this.#used, (this.#used += length));
    // The length is believed only as far as there are blocks.
    const parts: Uint8Array[] = [];
    for (let missing = length; missing > 0;) {
      if (this.#used === this.#block.length && !this.#turn()) throw new SnapshotFault("The snapshot ends too early.");
      const part = this.#block.subarray(this.#used, this.#used + missing);
      this.#used += part.length;
      missing -= part.length;
      parts.push(part);
    }
    return joined(parts, length);
  }

  json(): unknown {
    try {
      return JSON.parse(this.text()) as unknown;
    } catch (fault) {
      if (fault instanceof SyntaxError) throw new SnapshotFault("The snapshot has a value that is not JSON.");
      throw fault;
    }
  }

  /** Nothing may follow. */
  end(): void {
    if (this.#used < this.#block.length || this.#turn()) throw new SnapshotFault("The snapshot goes on where it should end.");
  }

  #turn(): boolean {
    for (;;) {
      const next = this.#blocks.next();
      if (next.done === true) return false;
      if (next.value.length === 0) continue;
      this.#block = next.value;
      this.#view = new DataView(next.value.buffer, next.value.byteOffset, next.value.byteLength);
      this.#used = 0;
      return true;
    }
  }
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
