import type { BlockReader, BlockWriter } from "../blocks.ts";
import type { JsonValue } from "../definition.ts";
import type { Box } from "./box.ts";

/** Numbers whose quantiles are exact; beyond, a quantile's rank is right to within `QUANTILE_RANK_ERROR` of all. @limit */
export const QUANTILE_EXACT_MAX = 256;
/** Seen in tests over hostile orders with a million numbers; the theory of the sketch gives 1.4 % for 99 of 100. */
export const QUANTILE_RANK_ERROR = 0.015;
/** A level below the top holds two thirds of the one above, but at least so many. */
const LEVEL_CAPACITY_MIN = 8;
const LEVEL_SHRINK = 2 / 3;
/** Enough for 2^53 numbers. */
const LEVELS_MAX = 56;

/**
 * Quantiles in bounded memory (the sketch of Karnin, Lang and Liberty). A number on level h stands for 2^h. A level that is full is sorted and
 * every other number goes up; which half is decided by a generator that is part of the state, so that the same records always give the same.
 */
export class Quantiles implements Box {
  readonly #asked: readonly number[];
  #levels: number[][] = [[]];
  #records = 0;
  #held = 0;
  #capacity = QUANTILE_EXACT_MAX;
  #chance = 1;
  #min = Infinity;
  #max = -Infinity;

  constructor(asked: readonly number[]) {
    this.#asked = asked;
  }

  get bytes(): number {
    return 96 + 48 * this.#levels.length + 8 * this.#held;
  }

  add(value: JsonValue): void {
    const number = value as number;
    this.#levels[0]?.push(number);
    this.#records += 1;
    this.#held += 1;
    this.#min = Math.min(this.#min, number);
    this.#max = Math.max(this.#max, number);
    this.#compact();
  }

  merge(other: Quantiles): void {
    for (const [height, numbers] of other.#levels.entries()) {
      const own = this.#levels[height];
      if (own === undefined) this.#levels.push([...numbers]);
      else for (const number of numbers) own.push(number);
    }
    this.#records += other.#records;
    this.#held += other.#held;
    this.#min = Math.min(this.#min, other.#min);
    this.#max = Math.max(this.#max, other.#max);
    this.#compact();
  }

  result(): JsonValue {
    const weighted = this.#levels.flatMap((numbers, height) => numbers.map((number) => [number, 2 ** height] as const));
    weighted.sort(([a], [b]) => a - b);
    return this.#asked.map((quantile) => this.#at(weighted, quantile));
  }

  write(to: BlockWriter): void {
    to.count(this.#records);
    to.count(this.#chance);
    to.double(this.#min);
    to.double(this.#max);
    to.count(this.#levels.length);
    for (const numbers of this.#levels) {
      to.count(numbers.length);
      for (const number of numbers) to.double(number);
    }
  }

  read(from: BlockReader): void {
    this.#records = from.count();
    this.#chance = from.count();
    this.#min = from.double();
    this.#max = from.double();
    this.#levels = [];
    for (let left = from.count(); left > 0; left--) {
      const numbers: number[] = [];
      for (let more = from.count(); more > 0; more--) numbers.push(from.double());
      this.#held += numbers.length;
      this.#levels.push(numbers);
    }
    this.#capacity = this.#capacityOfAll();
  }

  /** The least number that at least `quantile` of all are not above. */
  #at(weighted: readonly (readonly [number, number])[], quantile: number): number | null {
    if (this.#records === 0) return null;
    if (quantile === 0) return this.#min;
    if (quantile === 1) return this.#max;
    const total = weighted.reduce((sum, [, weight]) => sum + weight, 0);
    const rank = Math.ceil(quantile * total);
    let reached = 0;
    for (const [number, weight] of weighted) {
      reached += weight;
      if (reached >= rank) return number;
    }
    return this.#max;
  }

  #compact(): void {
    if (this.#held <= this.#capacity) return;
    this.#capacity = this.#capacityOfAll();
    while (this.#held > this.#capacity) {
      const height = this.#levels.findIndex((numbers, at) => numbers.length >= this.#capacityOf(at));
      if (height === -1 || height >= LEVELS_MAX) return;
      this.#halve(height);
      this.#capacity = this.#capacityOfAll();
    }
  }

  #halve(height: number): void {
    const numbers = (this.#levels[height] ?? []).toSorted((a, b) => a - b);
    // One of an odd number stays, so that no weight is lost.
    const kept = numbers.length % 2 === 1 ? [numbers.pop() as number] : [];
    const from = this.#coin();
    const above = (this.#levels[height + 1] ??= []);
    for (let at = from; at < numbers.length; at += 2) above.push(numbers[at] as number);
    this.#levels[height] = kept;
    this.#held -= numbers.length / 2;
  }

  #capacityOfAll(): number {
    let capacity = 0;
    for (let height = 0; height < this.#levels.length; height++) capacity += this.#capacityOf(height);
    return capacity;
  }

  #capacityOf(height: number): number {
    const below = this.#levels.length - 1 - height;
    return Math.max(LEVEL_CAPACITY_MIN, Math.ceil(QUANTILE_EXACT_MAX * LEVEL_SHRINK ** below));
  }

  /** The next bit of Marsaglia's xorshift. */
  #coin(): 0 | 1 {
    let state = this.#chance;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#chance = state >>> 0;
    return (state & 1) as 0 | 1;
  }
}

/** The same over all numbers, in rising order. */
export function exactQuantile(sorted: Float64Array, size: number, quantile: number): number | null {
  if (size === 0) return null;
  return sorted[Math.max(0, Math.ceil(quantile * size) - 1)] as number;
}
