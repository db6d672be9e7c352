/** The bytes of a snapshot: little-endian numbers one after the other, a checksum at the end. */

/** Bytes of one snapshot; the largest forest that can be asked for stays below. */
export const SNAPSHOT_BYTES_MAX = 16 * 1_048_576;

export class SnapshotWriter {
  #buffer = new Uint8Array(256);
  #view = new DataView(this.#buffer.buffer);
  #used = 0;

  byte(value: number): void {
    const at = this.#take(1);
    this.#view.setUint8(at, value);
  }

  short(value: number): void {
    const at = this.#take(2);
    this.#view.setUint16(at, value, true);
  }

  whole(value: number): void {
    const at = this.#take(4);
    this.#view.setUint32(at, value, true);
  }

  float(value: number): void {
    const at = this.#take(8);
    this.#view.setFloat64(at, value, true);
  }

  floats(values: Float64Array): void {
    for (const value of values) this.float(value);
  }

  append(other: SnapshotWriter): void {
    const bytes = other.bytes();
    const at = this.#take(bytes.length);
    this.#buffer.set(bytes, at);
  }

  bytes(): Uint8Array {
    return this.#buffer.slice(0, this.#used);
  }

  #take(count: number): number {
    const at = this.#used;
    this.#used += count;
    if (this.#used > this.#buffer.length) {
      const larger = new Uint8Array(this.#used * 2);
      larger.set(this.#buffer);
      this.#buffer = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }
}

/** Reads what a writer wrote. Beyond the end, and where `check` found something wrong, it goes on with zeros; `isSound` says so. */
export class SnapshotReader {
  readonly #view: DataView;
  #at = 0;
  #sound = true;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Nothing was missing or wrong so far. */
  get isSound(): boolean {
    return this.#sound;
  }

  /** Nothing was missing or wrong, and all of it was read. */
  get isDone(): boolean {
    return this.#sound && this.#at === this.#view.byteLength;
  }

  /** Notes whether what was read makes sense; the same truth is given back. */
  check(holds: boolean): boolean {
    this.#sound &&= holds;
    return holds;
  }

  byte(): number {
    const at = this.#take(1);
    return at < 0 ? 0 : this.#view.getUint8(at);
  }

  short(): number {
    const at = this.#take(2);
    return at < 0 ? 0 : this.#view.getUint16(at, true);
  }

  whole(): number {
    const at = this.#take(4);
    return at < 0 ? 0 : this.#view.getUint32(at, true);
  }

  float(): number {
    const at = this.#take(8);
    return at < 0 ? 0 : this.#view.getFloat64(at, true);
  }

  /** A float that has to be a number. */
  finite(): number {
    const value = this.float();
    return this.check(Number.isFinite(value)) ? value : 0;
  }

  /** A count that must not be above `most`. */
  count(most: number): number {
    const value = this.whole();
    return this.check(value <= most) ? value : 0;
  }

  #take(count: number): number {
    const at = this.#at;
    if (!this.check(at + count <= this.#view.byteLength)) return -1;
    this.#at += count;
    return at;
  }
}

/** FNV-1a: finds damage, not forgery. */
export function checksumOf(bytes: Uint8Array): number {
  let sum = 0x811c9dc5;
  for (const byte of bytes) sum = Math.imul(sum ^ byte, 0x01000193);
  return sum >>> 0;
}
