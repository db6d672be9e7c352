import { CRC32C_POLYNOMIAL } from "../../base/index.ts";
import { CRC64NVME_POLYNOMIAL } from "./crc64nvme.ts";

/**
 * The CRC of a whole from those of its parts, without reading a byte: the CRC of `AB` is that of `A`, multiplied by
 * x^(bits of `B`) modulo the polynomial, plus that of `B`.
 */

/** Algorithms whose checksum of an object made of parts can be that of the whole (`FULL_OBJECT`). */
export type CombinableAlgorithm = "CRC32" | "CRC32C" | "CRC64NVME";

export interface ChecksummedPart {
  /** As `Checksum.digest` gives it. */
  readonly value: Uint8Array;
  readonly bytes: number;
}

/** The checksum of `parts` put one behind the other. */
export function combineCrc(algorithm: CombinableAlgorithm, parts: readonly ChecksummedPart[]): Buffer {
  const field = FIELDS[algorithm];
  let whole = new Uint32Array(field.length);
  // Parts of an upload are of one size but the last: its power is worked out once.
  const powers = new Map<number, Words>();
  for (const { value, bytes } of parts) {
    let shift = powers.get(bytes);
    if (!shift) powers.set(bytes, (shift = powerOfBytes(algorithm, bytes)));
    whole = multiply(whole, shift, field);
    const words = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    for (let word = 0; word < whole.length; word += 1) whole[word] = at(whole, word) ^ words.readUInt32BE(word * 4);
  }
  const combined = Buffer.allocUnsafe(field.length * 4);
  for (let word = 0; word < whole.length; word += 1) combined.writeUInt32BE(at(whole, word), word * 4);
  return combined;
}

/** A polynomial below the field's, reflected: the highest bit of the first word is x^0. */
type Words = Uint32Array<ArrayBuffer>;

const FIELDS: Readonly<Record<CombinableAlgorithm, Words>> = {
  CRC32: Uint32Array.of(0xedb88320),
  CRC32C: Uint32Array.of(CRC32C_POLYNOMIAL.low),
  CRC64NVME: Uint32Array.of(CRC64NVME_POLYNOMIAL.high, CRC64NVME_POLYNOMIAL.low),
};

/** Powers of a length that is below 2^53 bytes. */
const LENGTH_BITS = 53;

/** For each algorithm x^(8 · 2^n), n from 0. */
const doublings = new Map<CombinableAlgorithm, readonly Words[]>();

function doublingsOf(algorithm: CombinableAlgorithm): readonly Words[] {
  const known = doublings.get(algorithm);
  if (known) return known;
  const field = FIELDS[algorithm];
  // x^8, one bit in the ninth place.
  let power = new Uint32Array(field.length);
  power[0] = 0x00800000;
  const powers: Words[] = [];
  for (let bit = 0; bit < LENGTH_BITS; bit += 1) {
    powers.push(power);
    power = multiply(power, power, field);
  }
  doublings.set(algorithm, powers);
  return powers;
}

/** x^(8 · bytes). */
function powerOfBytes(algorithm: CombinableAlgorithm, bytes: number): Words {
  const field = FIELDS[algorithm];
  let power = new Uint32Array(field.length);
  power[0] = 0x80000000;
  let left = bytes;
  for (const doubling of doublingsOf(algorithm)) {
    if (left === 0) break;
    if (left % 2 === 1) power = multiply(power, doubling, field);
    left = Math.floor(left / 2);
  }
  return power;
}

function multiply(a: Words, b: Words, field: Words): Words {
  const product = new Uint32Array(field.length);
  const shifted = b.slice();
  const last = field.length - 1;
  for (const word of a) {
    for (let bit = 31; bit >= 0; bit -= 1) {
      if ((word >>> bit) & 1) add(product, shifted);
      const carries = at(shifted, last) & 1;
      for (let index = last; index > 0; index -= 1) shifted[index] = (at(shifted, index) >>> 1) | (at(shifted, index - 1) << 31);
      shifted[0] = at(shifted, 0) >>> 1;
      if (carries) add(shifted, field);
    }
  }
  return product;
}

function add(to: Words, words: Words): void {
  for (let index = 0; index < to.length; index += 1) to[index] = at(to, index) ^ at(words, index);
}

function at(words: Words, index: number): number {
  return words[index] as number;
}
