import { Buckets } from "./buckets.ts";
import type { RangeShape } from "./shape.ts";

/** So many ranges of a cell are compared one by one, which costs less than to find the right ones. */
const COMPARED_MAX = 8;

/** Items by a bound, the lowest first: those whose bound a number has reached come before the others. */
class Ordered<Item> {
  readonly #bounds: number[] = [];
  readonly #items: Item[] = [];

  add(bound: number, item: Item): void {
    const at = this.#placeOf(bound);
    this.#bounds.splice(at, 0, bound);
    this.#items.splice(at, 0, item);
  }

  remove(bound: number, item: Item): void {
    const at = this.#items.indexOf(item, this.#placeOf(bound));
    if (at < 0) return;
    this.#bounds.splice(at, 1);
    this.#items.splice(at, 1);
  }

  collect(value: number, found: Item[]): void {
    for (let at = 0; at < this.#items.length && (this.#bounds[at] ?? 0) <= value; at += 1) {
      const item = this.#items[at];
      if (item !== undefined) found.push(item);
    }
  }

  #placeOf(bound: number): number {
    let from = 0;
    let to = this.#bounds.length;
    while (from < to) {
      const at = (from + to) >>> 1;
      if ((this.#bounds[at] ?? 0) >= bound) to = at;
      else from = at + 1;
    }
    return from;
  }
}

/** The ranges of one size that have a part of one stretch of the number line. */
class Cell<Item> {
  readonly #from: number;
  readonly #to: number;
  /** Where each begins and ends, in turns. */
  readonly #bounds: number[] = [];
  readonly #items: Item[] = [];
  #crowd: Crowd<Item> | undefined;

  constructor(at: number, size: number) {
    this.#from = at * size;
    this.#to = (at + 1) * size;
  }

  get isEmpty(): boolean {
    return this.#items.length === 0;
  }

  add(low: number, high: number, item: Item): void {
    this.#bounds.push(low, high);
    this.#items.push(item);
    if (this.#crowd) this.#crowd.add(low, high, item);
    else if (this.#items.length > COMPARED_MAX) {
      this.#crowd = new Crowd(this.#from, this.#to);
      for (const [at, each] of this.#items.entries()) this.#crowd.add(this.#bounds[2 * at] ?? 0, this.#bounds[2 * at + 1] ?? 0, each);
    }
  }

  remove(low: number, high: number, item: Item): void {
    const at = this.#items.findIndex(
      (each, place) => each === item && this.#bounds[2 * place] === low && this.#bounds[2 * place + 1] === high,
    );
    if (at < 0) return;
    this.#items.splice(at, 1);
    this.#bounds.splice(2 * at, 2);
    this.#crowd?.remove(low, high, item);
    if (this.#items.length <= COMPARED_MAX / 2) this.#crowd = undefined;
  }

  collect(value: number, found: Item[]): void {
    if (this.#crowd) return this.#crowd.collect(value, found);
    for (let at = 0; at < this.#items.length; at += 1) {
      const item = this.#items[at];
      if (item !== undefined && (this.#bounds[2 * at] ?? 0) <= value && (this.#bounds[2 * at + 1] ?? 0) >= value) found.push(item);
    }
  }
}

/**
 * Many ranges of one cell, sorted so that those that have a number come first, and the first that has not ends the search. Ends
 * are kept as negative numbers: the highest comes first then, and a number reaches it from above.
 */
class Crowd<Item> {
  readonly #from: number;
  readonly #to: number;
  /** Ranges that begin here and end in the next cell. */
  readonly #beginnings = new Ordered<Item>();
  /** Ranges that began in the cell before. */
  readonly #ends = new Ordered<Item>();
  /** Ranges that begin and end here. They are longer than half of the cell, so its middle is in them. */
  readonly #inner = { beginnings: new Ordered<Item>(), ends: new Ordered<Item>() };

  constructor(from: number, to: number) {
    this.#from = from;
    this.#to = to;
  }

  add(low: number, high: number, item: Item): void {
    const { beginnings, ends } = this.#listsOf(low, high);
    beginnings?.add(low, item);
    ends?.add(-high, item);
  }

  remove(low: number, high: number, item: Item): void {
    const { beginnings, ends } = this.#listsOf(low, high);
    beginnings?.remove(low, item);
    ends?.remove(-high, item);
  }

  collect(value: number, found: Item[]): void {
    this.#beginnings.collect(value, found);
    this.#ends.collect(-value, found);
    // Whichever half the value is in, the middle and with it the other bound of an inner range lies beyond it.
    if (value - this.#from < this.#to - value) this.#inner.beginnings.collect(value, found);
    else this.#inner.ends.collect(-value, found);
  }

  #listsOf(low: number, high: number): { readonly beginnings?: Ordered<Item>; readonly ends?: Ordered<Item> } {
    if (low < this.#from) return { ends: this.#ends };
    return high < this.#to ? this.#inner : { beginnings: this.#beginnings };
  }
}

/**
 * Finds the ranges that a number is in: one look-up for each size of range that occurs. A range stands in cells of the smallest
 * power of two that is at least as long as it is, so it is in one or two of them.
 */
export class RangeIndex<Item extends object> {
  readonly #sizes = new Map<number, Map<number, Cell<Item>>>();
  /** Ranges of one number only. */
  readonly #points = new Buckets<number, Item>();

  add({ low, high }: RangeShape, item: Item): void {
    if (low === high) this.#points.add(low, item);
    // Nothing lies between `> x` and `< y` when they are neighbours.
    if (low >= high) return;
    const { size, places } = placeOf(low, high);
    const cells = this.#sizes.get(size) ?? new Map<number, Cell<Item>>();
    this.#sizes.set(size, cells);
    for (const at of places) {
      const cell = cells.get(at) ?? new Cell<Item>(at, size);
      cells.set(at, cell);
      cell.add(low, high, item);
    }
  }

  remove({ low, high }: RangeShape, item: Item): void {
    if (low === high) this.#points.remove(low, item);
    if (low >= high) return;
    const { size, places } = placeOf(low, high);
    const cells = this.#sizes.get(size);
    for (const at of places) {
      const cell = cells?.get(at);
      cell?.remove(low, high, item);
      if (cell?.isEmpty) cells?.delete(at);
    }
    if (cells?.size === 0) this.#sizes.delete(size);
  }

  collect(value: number, found: Item[]): void {
    if (this.#points.size > 0) this.#points.collect(value, found);
    for (const [size, cells] of this.#sizes) cells.get(Math.floor(value / size))?.collect(value, found);
  }
}

/** Dividing by a power of two is exact, so neighbours are told apart however small the cells are. */
function placeOf(low: number, high: number): { readonly size: number; readonly places: readonly number[] } {
  for (let size = 2 ** Math.ceil(Math.log2(high - low)); ; size *= 2) {
    const first = Math.floor(low / size);
    const last = Math.floor(high / size);
    // More than two cells only where the length was rounded down to a power of two.
    if (last - first <= 1) return { size, places: first === last ? [first] : [first, last] };
  }
}
