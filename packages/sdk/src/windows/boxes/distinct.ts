import { type BlockReader, type BlockWriter, SnapshotFault } from "../blocks.ts";
import type { JsonValue } from "../definition.ts";
import { identityOf } from "../json-values.ts";
import type { Box } from "./box.ts";

/** Different values that are counted exactly; beyond, with a standard error of `DISTINCT_STANDARD_ERROR`. @limit */
export const DISTINCT_EXACT_MAX = 256;
const REGISTERS = 4_096;
/** HyperLogLog's 1.04 / √registers. */
export const DISTINCT_STANDARD_ERROR: number = 1.04 / Math.sqrt(REGISTERS);
/** Bits of a hash behind those that choose the register. */
const RANK_BITS = 41;

/** How many different values: a set of their hashes while they are few, then HyperLogLog with Ertl's estimate, which needs no tables. */
export class Distinct implements Box {
  #state: { readonly kind: "few"; readonly hashes: Set<number> } | { readonly kind: "many"; readonly ranks: Uint8Array } = {
    kind: "few",
    hashes: new Set(),
  };

  get bytes(): number {
    return this.#state.kind === "few" ? 64 + 32 * this.#state.hashes.size : 64 + REGISTERS;
  }

  add(value: JsonValue): void {
    this.#addHash(hashOf(identityOf(value)));
  }

  merge(other: Distinct): void {
    if (other.#state.kind === "few") {
      for (const hash of other.#state.hashes) this.#addHash(hash);
      return;
    }
    const ranks = this.#toMany();
    for (const [at, rank] of other.#state.ranks.entries()) if (rank > (ranks[at] as number)) ranks[at] = rank;
  }

  result(): JsonValue {
    return this.#state.kind === "few" ? this.#state.hashes.size : Math.round(estimate(this.#state.ranks));
  }

  write(to: BlockWriter): void {
    if (this.#state.kind === "many") {
      to.byte(1);
      to.bytes(this.#state.ranks);
      return;
    }
    to.byte(0);
    to.count(this.#state.hashes.size);
    for (const hash of this.#state.hashes) to.count(hash);
  }

  read(from: BlockReader): void {
    if (from.byte() === 0) {
      for (let left = from.count(); left > 0; left--) this.#addHash(from.count());
      return;
    }
    const ranks = from.bytes();
    if (ranks.length !== REGISTERS) throw new SnapshotFault(`The snapshot has ${ranks.length} registers of a count of distinct values.`);
    this.#state = { kind: "many", ranks };
  }

  #addHash(hash: number): void {
    if (this.#state.kind === "many") return note(this.#state.ranks, hash);
    this.#state.hashes.add(hash);
    if (this.#state.hashes.size > DISTINCT_EXACT_MAX) this.#toMany();
  }

  #toMany(): Uint8Array {
    if (this.#state.kind === "many") return this.#state.ranks;
    const ranks = new Uint8Array(REGISTERS);
    for (const hash of this.#state.hashes) note(ranks, hash);
    this.#state = { kind: "many", ranks };
    return ranks;
  }
}

/** The register that a hash chooses keeps the longest run of leading zeros of what is left of it. */
function note(ranks: Uint8Array, hash: number): void {
  const register = hash % REGISTERS;
  const rest = Math.floor(hash / REGISTERS);
  const rank = rest === 0 ? RANK_BITS + 1 : RANK_BITS - Math.floor(Math.log2(rest));
  if (rank > (ranks[register] as number)) ranks[register] = rank;
}

/** Ertl, New cardinality estimation algorithms for HyperLogLog sketches (2017), algorithm 6. */
function estimate(ranks: Uint8Array): number {
  const histogram = new Float64Array(RANK_BITS + 2);
  for (const rank of ranks) histogram[rank] = (histogram[rank] as number) + 1;
  let z = REGISTERS * tau(1 - (histogram[RANK_BITS + 1] as number) / REGISTERS);
  for (let rank = RANK_BITS; rank >= 1; rank--) z = 0.5 * (z + (histogram[rank] as number));
  z += REGISTERS * sigma((histogram[0] as number) / REGISTERS);
  return (REGISTERS / (2 * Math.LN2)) * (REGISTERS / z);
}

function sigma(share: number): number {
  if (share === 1) return Infinity;
  let [power, weight, result] = [share, 1, share];
  for (let before = -1; before !== result; weight *= 2) {
    before = result;
    power *= power;
    result += power * weight;
  }
  return result;
}

function tau(share: number): number {
  if (share === 0 || share === 1) return 0;
  let [root, weight, result] = [share, 1, 1 - share];
  for (let before = -1; before !== result;) {
    before = result;
    root = Math.sqrt(root);
    weight *= 0.5;
    result -= (1 - root) ** 2 * weight;
  }
  return result / 3;
}

/** 53 bits of a text, mixed so that each depends on every character. */
export function hashOf(text: string): number {
  let [low, high] = [0x9e3779b9, 0x85ebca6b];
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    low = Math.imul(low ^ unit, 0x01000193);
    low = (low << 13) | (low >>> 19);
    high = Math.imul(high ^ unit, 0xcc9e2d51);
    high = (high << 15) | (high >>> 17);
  }
  const mixedLow = finish(low ^ text.length ^ finish(high));
  const mixedHigh = finish(high ^ mixedLow ^ 0x27d4eb2f);
  return (mixedHigh >>> 0) * 2_097_152 + (mixedLow >>> 11);
}

/** The last step of MurmurHash3: one bit of the input changes half of the output. */
function finish(word: number): number {
  let mixed = word ^ (word >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
