/** Aggregates of values over a window that slides by records: values come at one end and go at the other. Exact, for the values are there. */
import { exactQuantile, topOf } from "./boxes/index.ts";
import type { JsonValue } from "./definition.ts";
import type { Fifo } from "./fifo.ts";
import { grownFloats } from "./growing.ts";
import { fieldOf, identityOf } from "./json-values.ts";
import type { BoxColumn } from "./plan.ts";

export interface WindowBag {
  add(value: JsonValue): void;
  /** The oldest value goes. */
  remove(value: JsonValue): void;
  /** Of the window whose records' values are `values`. */
  result(values: Fifo<JsonValue>): JsonValue;
}

/** The bag of one aggregate. */
export function bagOf({ box, path }: BoxColumn): WindowBag {
  switch (box.kind) {
    case "first":
      return inPlace((values) => fieldOf(values.at(0), path));
    case "last":
      return inPlace((values) => fieldOf(values.last(), path));
    case "collect":
      return inPlace((values) => values.newest(box.most).map((value) => fieldOf(value, path) as JsonValue));
    case "distinct":
      return new Counts((counts) => counts.size);
    case "topK":
      return new Counts((counts) => topOf(counts, box.most, 0));
    case "largest":
      return new SortedNumbers((sorted, size) => Array.from(sorted.subarray(Math.max(0, size - box.most), size)).toReversed());
    case "quantiles":
      return new SortedNumbers((sorted, size) => box.asked.map((quantile) => exactQuantile(sorted, size, quantile)));
  }
}

/** What stands in the window as it is. */
function inPlace(result: (values: Fifo<JsonValue>) => unknown): WindowBag {
  const nothing = (): void => undefined;
  return { add: nothing, remove: nothing, result: (values) => result(values) as JsonValue };
}

class Counts implements WindowBag {
  readonly #counts = new Map<string, number>();
  readonly #result: (counts: ReadonlyMap<string, number>) => JsonValue;

  constructor(result: (counts: ReadonlyMap<string, number>) => JsonValue) {
    this.#result = result;
  }

  add(value: JsonValue): void {
    const identity = identityOf(value);
    this.#counts.set(identity, (this.#counts.get(identity) ?? 0) + 1);
  }

  remove(value: JsonValue): void {
    const identity = identityOf(value);
    const count = this.#counts.get(identity) ?? 0;
    if (count > 1) this.#counts.set(identity, count - 1);
    else this.#counts.delete(identity);
  }

  result(): JsonValue {
    return this.#result(this.#counts);
  }
}

/** All numbers of the window in rising order; a place is found by halving and made by moving what is behind it. */
class SortedNumbers implements WindowBag {
  #numbers = new Float64Array(16);
  #size = 0;
  readonly #result: (sorted: Float64Array, size: number) => JsonValue;

  constructor(result: (sorted: Float64Array, size: number) => JsonValue) {
    this.#result = result;
  }

  add(value: JsonValue): void {
    if (this.#size === this.#numbers.length) this.#numbers = grownFloats(this.#numbers, this.#size * 2);
    const at = this.#placeOf(value as number);
    this.#numbers.copyWithin(at + 1, at, this.#size);
    this.#numbers[at] = value as number;
    this.#size += 1;
  }

  remove(value: JsonValue): void {
    const at = this.#placeOf(value as number);
    this.#numbers.copyWithin(at, at + 1, this.#size);
    this.#size -= 1;
  }

  result(): JsonValue {
    return this.#result(this.#numbers, this.#size);
  }

  /** Of the first number that is not below `value`. */
  #placeOf(value: number): number {
    let low = 0;
    for (let high = this.#size; low < high;) {
      const middle = (low + high) >> 1;
      if ((this.#numbers[middle] as number) < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
