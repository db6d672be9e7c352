import { Buckets } from "./buckets.ts";

/** Lengths a literal is known by: by the longest of these it has room for. */
const GRAM_LENGTHS = [8, 4, 2, 1] as const;
/** Places of one literal that are tried for the gram fewest others are known by. */
const PLACES_MAX = 64;
const BASE = 0x01_00_01_93;
/** Bits that say which hashes may be known: 8 KiB, which stay near the processor when the hashes themselves do not. */
const FILTER_BITS = 65_536;

/** A short piece of a literal, by which the literal is found. */
export interface Gram {
  readonly length: number;
  readonly hash: number;
}

/**
 * Finds texts that may stand anywhere in a value: each is known by the hash of one short piece of it, and a hash that is
 * carried along the value is looked up at every place. One pass for each length in use, however many texts there are; what is
 * found is a candidate only.
 */
export class GramIndex<Item extends object> {
  readonly #lengths = new Map<number, GramsOfLength<Item>>();

  /** The piece of a literal that fewest others are known by, and by how many. */
  choose(literal: string): { readonly gram: Gram; readonly crowd: number } | undefined {
    const length = GRAM_LENGTHS.find((each) => each <= literal.length);
    if (length === undefined) return undefined;
    const grams = this.#lengths.get(length);
    let best: { gram: Gram; crowd: number } | undefined;
    for (let at = Math.min(literal.length - length, PLACES_MAX - 1); at >= 0 && best?.crowd !== 0; at -= 1) {
      const hash = hashOf(literal, at, length);
      const crowd = grams?.count(hash) ?? 0;
      if (!best || crowd < best.crowd) best = { gram: { length, hash }, crowd };
    }
    return best;
  }

  add({ length, hash }: Gram, item: Item): void {
    const grams = this.#lengths.get(length) ?? new GramsOfLength<Item>(length);
    this.#lengths.set(length, grams);
    grams.add(hash, item);
  }

  remove({ length, hash }: Gram, item: Item): void {
    const grams = this.#lengths.get(length);
    grams?.remove(hash, item);
    if (grams?.isEmpty) this.#lengths.delete(length);
  }

  collect(value: string, found: Item[]): void {
    if (this.#lengths.size > 0) for (const grams of this.#lengths.values()) grams.collect(value, found);
  }
}

class GramsOfLength<Item extends object> {
  readonly #length: number;
  readonly #known = new Buckets<number, Item>();
  readonly #filter = new Uint32Array(FILTER_BITS / 32);
  /** What the first character of a gram adds to its hash. */
  readonly #leading: number;
  #gone = 0;

  constructor(length: number) {
    this.#length = length;
    this.#leading = Array.from({ length: length - 1 }).reduce<number>((power) => Math.imul(power, BASE), 1);
  }

  get isEmpty(): boolean {
    return this.#known.size === 0;
  }

  count(hash: number): number {
    return this.#known.count(hash);
  }

  add(hash: number, item: Item): void {
    this.#known.add(hash, item);
    this.#mark(hash);
  }

  /** A bit may stand for several hashes, so it stays; when more have gone than are left, all are set anew. */
  remove(hash: number, item: Item): void {
    this.#known.remove(hash, item);
    this.#gone += 1;
    if (this.#gone <= this.#known.size) return;
    this.#gone = 0;
    this.#filter.fill(0);
    for (const each of this.#known.keys()) this.#mark(each);
  }

  collect(value: string, found: Item[]): void {
    const length = this.#length;
    if (length > value.length) return;
    let hash = hashOf(value, 0, length);
    for (let at = length; ; at += 1) {
      const bit = bitOf(hash);
      if (((this.#filter[bit >>> 5] ?? 0) >>> (bit & 31)) & 1) this.#known.collect(hash, found);
      if (at >= value.length) return;
      const rest = (hash - Math.imul(value.charCodeAt(at - length), this.#leading)) | 0;
      hash = (Math.imul(rest, BASE) + value.charCodeAt(at)) | 0;
    }
  }

  #mark(hash: number): void {
    const bit = bitOf(hash);
    this.#filter[bit >>> 5] = (this.#filter[bit >>> 5] ?? 0) | (1 << (bit & 31));
  }
}

const bitOf = (hash: number): number => (hash ^ (hash >>> 16)) & (FILTER_BITS - 1);

function hashOf(text: string, from: number, length: number): number {
  let hash = 0;
  for (let at = from; at < from + length; at += 1) hash = (Math.imul(hash, BASE) + text.charCodeAt(at)) | 0;
  return hash;
}
