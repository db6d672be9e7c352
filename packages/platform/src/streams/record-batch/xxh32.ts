/** xxHash, 32 bits, seed 0: the checksums of LZ4's frames. */

const PRIME_1 = 0x9e3779b1;
const PRIME_2 = 0x85ebca77;
const PRIME_3 = 0xc2b2ae3d;
const PRIME_4 = 0x27d4eb2f;
const PRIME_5 = 0x165667b1;
const STRIPE_BYTES = 16;

export function xxh32(bytes: Buffer): number {
  let at = 0;
  let hash: number;
  if (bytes.length >= STRIPE_BYTES) {
    const lanes = [(PRIME_1 + PRIME_2) | 0, PRIME_2 | 0, 0, -PRIME_1 | 0] as [number, number, number, number];
    for (; at + STRIPE_BYTES <= bytes.length; at += STRIPE_BYTES) {
      lanes[0] = round(lanes[0], bytes.readInt32LE(at));
      lanes[1] = round(lanes[1], bytes.readInt32LE(at + 4));
      lanes[2] = round(lanes[2], bytes.readInt32LE(at + 8));
      lanes[3] = round(lanes[3], bytes.readInt32LE(at + 12));
    }
    hash = rotate(lanes[0], 1) + rotate(lanes[1], 7) + rotate(lanes[2], 12) + rotate(lanes[3], 18);
  } else hash = PRIME_5;
  hash = (hash + bytes.length) | 0;
  for (; at + 4 <= bytes.length; at += 4) hash = Math.imul(rotate((hash + Math.imul(bytes.readInt32LE(at), PRIME_3)) | 0, 17), PRIME_4);
  for (; at < bytes.length; at += 1) hash = Math.imul(rotate((hash + Math.imul(bytes.readUInt8(at), PRIME_5)) | 0, 11), PRIME_1);
  hash = Math.imul(hash ^ (hash >>> 15), PRIME_2);
  hash = Math.imul(hash ^ (hash >>> 13), PRIME_3);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function round(lane: number, word: number): number {
  return Math.imul(rotate((lane + Math.imul(word, PRIME_2)) | 0, 13), PRIME_1);
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
