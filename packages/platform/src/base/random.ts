import { randomBytes, randomUUID } from "node:crypto";

/** Chance for decisions (weights, jitter, sampling): replayable from its seed (P10). Never for secrets. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
}

/** Chance for secrets and identifiers: unpredictable, not replayable. */
export interface SecureRandom {
  /** `count` unpredictable bytes. */
  bytes(count: number): Buffer;
  /** A random UUID (version 4), lower case. */
  uuid(): string;
}

/** Unpredictable bytes fetched from the system at once: a request for a few costs as much as one for all of these. */
const POOL_BYTES = 4_096;
/** Longer keys are fetched by themselves. */
const POOLED_BYTES_MAX = 64;
let pool: Buffer = Buffer.alloc(0);
let poolUsed = 0;

/** The system's source of unpredictable bytes. */
export const systemSecureRandom: SecureRandom = {
  bytes(count) {
    if (count > POOLED_BYTES_MAX) return randomBytes(count);
    if (pool.length - poolUsed < count) {
      pool = randomBytes(POOL_BYTES);
      poolUsed = 0;
    }
    const from = poolUsed;
    poolUsed += count;
    // A copy of its own: the caller may keep or change it, and the pool must not keep what it gave away.
    const bytes = Buffer.allocUnsafe(count);
    pool.copy(bytes, 0, from, poolUsed);
    pool.fill(0, from, poolUsed);
    return bytes;
  },
  uuid: () => randomUUID(),
};

/** A generator whose whole sequence follows from `seed` (splitmix32: tiny, full period over its 32-bit state). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return {
    next() {
      state = (state + 0x9e3779b9) >>> 0;
      let mixed = state ^ (state >>> 16);
      mixed = Math.imul(mixed, 0x21f0aaad);
      mixed ^= mixed >>> 15;
      mixed = Math.imul(mixed, 0x735a2d97);
      mixed ^= mixed >>> 15;
      return (mixed >>> 0) / 4_294_967_296;
    },
  };
}

/** A whole number in [0, below), evenly spread. */
export function randomBelow(random: Random, below: number): number {
  return Math.floor(random.next() * below);
}

/** Fresh seed for a production `Random`; recorded by whoever must be able to replay. */
export function freshSeed(secure: SecureRandom): number {
  return secure.bytes(4).readUInt32LE(0);
}
