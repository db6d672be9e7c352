import type { BlockReader, BlockWriter } from "./blocks.ts";
import { Fifo } from "./fifo.ts";

/** Minimum or maximum of a queue: only values that no later one makes meaningless are kept, the best first. Constant time a value on average. */
export class MonotoneDeque {
  readonly #keep: "min" | "max";
  readonly #values = new Fifo<number>();
  /** The number of each value in the queue, rising from 0 since the beginning. */
  readonly #numbers = new Fifo<number>();
  #front = 0;
  #end = 0;

  constructor(keep: "min" | "max") {
    this.#keep = keep;
  }

  /** Of a queue that is not empty. */
  get best(): number {
    return this.#values.at(0) ?? Number.NaN;
  }

  get size(): number {
    return this.#values.size;
  }

  push(value: number): void {
    for (let last = this.#values.last(); last !== undefined; last = this.#values.last()) {
      if (this.#keep === "min" ? last < value : last > value) break;
      this.#values.pop();
      this.#numbers.pop();
    }
    this.#values.push(value);
    this.#numbers.push(this.#end++);
  }

  /** The oldest value leaves the queue. */
  shift(): void {
    if (this.#numbers.at(0) === this.#front) {
      this.#values.shift();
      this.#numbers.shift();
    }
    this.#front += 1;
  }

  write(to: BlockWriter): void {
    to.count(this.#end - this.#front);
    to.count(this.#values.size);
    for (let at = 0; at < this.#values.size; at++) {
      to.count((this.#numbers.at(at) as number) - this.#front);
      to.double(this.#values.at(at) as number);
    }
  }

  /** Only of a fresh one. */
  read(from: BlockReader): void {
    this.#end = from.count();
    for (let left = from.count(); left > 0; left--) {
      this.#numbers.push(from.count());
      this.#values.push(from.double());
    }
  }
}
