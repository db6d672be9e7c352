import { Fifo } from "./fifo.ts";
import { LaneCells } from "./lane-cells.ts";
import type { LaneOperation } from "./lane-operations.ts";
import { ANSWER, type Cells, OWN_CELLS, SlidingQueue } from "./sliding-queue.ts";

/** What a sliding aggregate computes. `combine` has to be associative and must not change what it is given. */
export interface Operation<Value, Aggregate, Result> {
  lift(value: Value): Aggregate;
  combine(earlier: Aggregate, later: Aggregate): Aggregate;
  lower(aggregate: Aggregate): Result;
  /** The same on doubles side by side, which makes no objects. */
  readonly doubles?: LaneOperation;
}

/** How far a sliding aggregate reaches back: so many values, or so much time up to and including the newest. */
export type Reach = { readonly size: number } | { readonly sizeMs: number };

/**
 * The aggregate of the last values, for use inside a function: at most six combinations a value, however long the window and
 * whatever the operation. State lives as long as the instance does.
 *
 * ```ts
 * const mean = new SlidingAggregate(meanOf, { size: 10 });
 * export const handler = ({ celsius }) => ({ mean: mean.add(celsius) });
 * ```
 */
export class SlidingAggregate<Value, Aggregate, Result> {
  readonly #sizeMax: number;
  readonly #sizeMs: number;
  readonly #cells: ValueCells<Value, Result>;
  readonly #queue: SlidingQueue;
  /** Of the values in the window; empty without `sizeMs`. */
  readonly #times = new Fifo<number>();
  #newest = -Infinity;

  constructor(operation: Operation<Value, Aggregate, Result>, reach: Reach) {
    const [length, name] = "size" in reach ? [reach.size, "size"] : [reach.sizeMs, "sizeMs"];
    if (!Number.isSafeInteger(length) || length < 1) throw new RangeError(`${name} is ${length}; it has to be a whole number from 1.`);
    this.#sizeMax = "size" in reach ? reach.size : Infinity;
    this.#sizeMs = "sizeMs" in reach ? reach.sizeMs : Infinity;
    // An operation with doubles is one of numbers.
    const { doubles } = operation;
    this.#cells = doubles === undefined ? new ObjectCells(operation) : (new NumberCells(doubles) as unknown as ValueCells<Value, Result>);
    this.#queue = new SlidingQueue(this.#cells);
  }

  /** Values in the window. */
  get size(): number {
    return this.#queue.size;
  }

  /** The aggregate of the window, undefined while it is empty. */
  get result(): Result | undefined {
    return this.#queue.size === 0 ? undefined : this.#result();
  }

  /**
   * Takes a value and gives the aggregate with it. A window of time needs the value's time, which may not be before the one before:
   * values out of order are for `KeyedWindows`. Throws a RangeError.
   */
  add(value: Value, time?: number): Result {
    if (this.#sizeMs !== Infinity) this.#slideTo(time);
    else if (this.#queue.size === this.#sizeMax) this.#queue.shift();
    this.#cells.put(this.#queue.place(), value);
    this.#queue.push();
    return this.#result();
  }

  #slideTo(time: number | undefined): void {
    if (time === undefined || !Number.isFinite(time) || time < this.#newest)
      throw new RangeError(`time is ${time}; it has to be a number from ${this.#newest}, the one before.`);
    this.#newest = time;
    while (this.#times.size > 0 && (this.#times.at(0) as number) <= time - this.#sizeMs) {
      this.#queue.shift();
      this.#times.shift();
    }
    this.#times.push(time);
  }

  #result(): Result {
    this.#queue.query();
    return this.#cells.answer();
  }
}

/** Cells that values are put into. */
interface ValueCells<Value, Result> extends Cells {
  put(place: number, value: Value): void;
  answer(): Result;
}

class NumberCells extends LaneCells implements ValueCells<number, number> {
  readonly #operation: LaneOperation;

  constructor(operation: LaneOperation) {
    super({ combined: [{ operation, lane: 0 }], lanes: operation.lanes });
    this.#operation = operation;
  }

  put(place: number, value: number): void {
    this.#operation.clear(this.doubles, place * this.#operation.lanes);
    this.#operation.add(this.doubles, place * this.#operation.lanes, value);
  }

  answer(): number {
    return this.#operation.result(this.doubles, ANSWER * this.#operation.lanes) ?? Number.NaN;
  }
}

class ObjectCells<Value, Aggregate, Result> implements ValueCells<Value, Result> {
  readonly #operation: Operation<Value, Aggregate, Result>;
  #values: (Aggregate | undefined)[] = Array.from({ length: OWN_CELLS }, () => undefined);

  constructor(operation: Operation<Value, Aggregate, Result>) {
    this.#operation = operation;
  }

  put(place: number, value: Value): void {
    this.#values[place] = this.#operation.lift(value);
  }

  answer(): Result {
    return this.#operation.lower(this.#values[ANSWER] as Aggregate);
  }

  grow(capacity: number, from: number, size: number): void {
    const before = this.#values.length - OWN_CELLS;
    const values: (Aggregate | undefined)[] = this.#values.slice(0, OWN_CELLS);
    for (let at = 0; at < size; at++) values.push(this.#values[OWN_CELLS + ((from + at) % before)]);
    while (values.length < capacity + OWN_CELLS) values.push(undefined);
    this.#values = values;
  }

  combine(left: number, right: number, into: number): void {
    this.#values[into] = this.#operation.combine(this.#values[left] as Aggregate, this.#values[right] as Aggregate);
  }

  copy(from: number, into: number): void {
    this.#values[into] = this.#values[from];
  }
}
