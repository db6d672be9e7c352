/** Numbers of variable length, zig-zag: small ones of either sign take a byte. */

/** A number that takes more bytes than this is none, of 32 and of 64 bits: clients refuse it, whatever its value. */
const VARINT_BYTES_MAX = 5;
const VARLONG_BYTES_MAX = 10;

/** Walks over bytes from outside. What is not there reads as `NaN`, which is within no bounds. */
export class VarintCursor {
  readonly bytes: Buffer;
  at = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  /** A length or a count. */
  varint(): number {
    return this.#read(VARINT_BYTES_MAX);
  }

  /** A difference of times. */
  varlong(): number {
    return this.#read(VARLONG_BYTES_MAX);
  }

  #read(bytesMax: number): number {
    const { bytes } = this;
    // Most are below 64.
    const first = bytes[this.at++];
    if (first === undefined) return Number.NaN;
    if (first < 0x80) return (first >>> 1) ^ -(first & 1);
    return this.#longer(first & 0x7f, bytesMax);
  }

  #longer(begun: number, bytesMax: number): number {
    let value = begun;
    let scale = 128;
    for (let count = 1; count < bytesMax; count += 1, scale *= 128) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) return Number.NaN;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
    return Number.NaN;
  }
}

/** Bytes that a number takes. */
export function varintBytes(value: number): number {
  let left = zigZag(value);
  let count = 1;
  for (; left >= 128; count += 1) left = Math.floor(left / 128);
  return count;
}

/** Writes a number; gives where it ends. */
export function writeVarint(target: Buffer, at: number, value: number): number {
  let left = zigZag(value);
  let end = at;
  for (; left >= 128; left = Math.floor(left / 128)) target[end++] = (left % 128) | 0x80;
  target[end++] = left;
  return end;
}

function zigZag(value: number): number {
  return value >= 0 ? value * 2 : value * -2 - 1;
}
