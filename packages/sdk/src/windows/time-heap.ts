import { grownFloats, grownIntegers } from "./growing.ts";

const CAPACITY_FIRST = 16;

/** Numbers ordered by time, and among equal times by a second number that is never twice the same: one order, however it came about. */
export class TimeHeap {
  #times = new Float64Array(CAPACITY_FIRST);
  #orders = new Float64Array(CAPACITY_FIRST);
  #items = new Int32Array(CAPACITY_FIRST);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Time of the first, Infinity when there is none. */
  get time(): number {
    return this.#size === 0 ? Infinity : (this.#times[0] as number);
  }

  get order(): number {
    return this.#orders[0] as number;
  }

  get item(): number {
    return this.#items[0] as number;
  }

  push(time: number, order: number, item: number): void {
    if (this.#size === this.#items.length) this.#grow();
    let at = this.#size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(time, order, parent)) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#put(at, time, order, item);
  }

  /** Takes the first away. */
  pop(): void {
    const last = --this.#size;
    if (last <= 0) return;
    const [time, order, item] = [this.#times[last] as number, this.#orders[last] as number, this.#items[last] as number];
    let at = 0;
    for (;;) {
      let next = 2 * at + 1;
      if (next >= last) break;
      if (next + 1 < last && this.#isBefore(this.#times[next + 1] as number, this.#orders[next + 1] as number, next)) next++;
      if (this.#isBefore(time, order, next)) break;
      this.#move(next, at);
      at = next;
    }
    this.#put(at, time, order, item);
  }

  clear(): void {
    this.#size = 0;
  }

  #isBefore(time: number, order: number, at: number): boolean {
    const other = this.#times[at] as number;
    return time < other || (time === other && order < (this.#orders[at] as number));
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#times[from] as number, this.#orders[from] as number, this.#items[from] as number);
  }

  #put(at: number, time: number, order: number, item: number): void {
    this.#times[at] = time;
    this.#orders[at] = order;
    this.#items[at] = item;
  }

  #grow(): void {
    const capacity = this.#items.length * 2;
    this.#times = grownFloats(this.#times, capacity);
    this.#orders = grownFloats(this.#orders, capacity);
    this.#items = grownIntegers(this.#items, capacity);
  }
}
