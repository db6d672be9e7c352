/**
 * A queue that knows the aggregate of all it holds after a constant number of combinations per step, in the worst case and for any
 * associative operation: nothing is taken back out of an aggregate, so nothing has to be invertible and no error accumulates.
 *
 * DABA Lite (Tangwongsan, Hirzel and Schneider, In-order sliding-window aggregation in worst-case constant time, VLDB Journal 2021). The
 * queue lies in five parts, each end named below. Front to left and ready to back hold aggregates from the place to `back`, left to right
 * those from the place to `right`; right to ready and back to end hold single values. Each step moves the borders by one, so that the
 * whole front is ready before it is needed.
 */

/** Where aggregates lie: numbered places, the first of which are the queue's own. */
export interface Cells {
  /** Room for so many places besides the own ones: the `size` values in the ring from its place `from` move to its beginning. */
  grow(capacity: number, from: number, size: number): void;
  combine(left: number, right: number, into: number): void;
  copy(from: number, into: number): void;
}

/** Places before those of values. */
export const OWN_CELLS = 3;
/** Aggregate from `right` to `back`. */
const MIDDLE = 0;
/** Aggregate from `back` to the end. */
const BACK = 1;
/** The aggregate of all, after `query`. */
export const ANSWER = 2;

/** Where the parts end, counted from the front; what a snapshot has besides the cells. */
export interface QueueShape {
  readonly size: number;
  readonly left: number;
  readonly right: number;
  readonly ready: number;
  readonly back: number;
}

export class SlidingQueue {
  readonly #cells: Cells;
  #capacity = 0;
  /** Borders count values since the beginning; their places are these modulo the capacity. */
  #front = 0;
  #left = 0;
  #right = 0;
  #ready = 0;
  #back = 0;
  #end = 0;

  constructor(cells: Cells) {
    this.#cells = cells;
  }

  get size(): number {
    return this.#end - this.#front;
  }

  get shape(): QueueShape {
    const front = this.#front;
    return { size: this.size, left: this.#left - front, right: this.#right - front, ready: this.#ready - front, back: this.#back - front };
  }

  /** The place where the next value has to be put before `push`. */
  place(): number {
    if (this.size === this.#capacity) this.#grow();
    return this.placeOf(this.size);
  }

  /** The place of the value that is `index` behind the front. */
  placeOf(index: number): number {
    return OWN_CELLS + ((this.#front + index) & (this.#capacity - 1));
  }

  /** Takes up what was put at `place()`. */
  push(): void {
    const place = this.placeOf(this.size);
    if (this.#back === this.#end) this.#cells.copy(place, BACK);
    else this.#cells.combine(BACK, place, BACK);
    this.#end += 1;
    this.#step();
  }

  /** Lets the oldest value go; there has to be one. */
  shift(): void {
    this.#front += 1;
    this.#step();
  }

  /** Puts the aggregate of all at `ANSWER`; there has to be a value. */
  query(): void {
    if (this.#back === this.#end) this.#cells.copy(this.placeOf(0), ANSWER);
    else this.#cells.combine(this.placeOf(0), BACK, ANSWER);
  }

  /** Takes up a shape; the cells are filled by the caller, from `placeOf(0)` and in the own ones. */
  restore({ size, left, right, ready, back }: QueueShape): void {
    while (this.#capacity < size) this.#grow();
    this.#front = 0;
    [this.#left, this.#right, this.#ready, this.#back, this.#end] = [left, right, ready, back, size];
  }

  #step(): void {
    if (this.#front === this.#back) {
      // One value or none: all of it is front.
      this.#left = this.#end;
      this.#right = this.#end;
      this.#ready = this.#end;
      this.#back = this.#end;
      return;
    }
    if (this.#left === this.#back) this.#turnOver();
    if (this.#left === this.#right) {
      this.#left += 1;
      this.#right += 1;
      this.#ready += 1;
      return;
    }
    const left = this.#placeAt(this.#left);
    this.#cells.combine(left, MIDDLE, left);
    this.#left += 1;
    const next = this.#ready;
    this.#ready -= 1;
    const ready = this.#placeAt(this.#ready);
    if (next !== this.#back) this.#cells.combine(ready, this.#placeAt(next), ready);
  }

  /** The front is used up to `left`: what is behind it becomes front too, still to be made ready. */
  #turnOver(): void {
    this.#left = this.#front;
    this.#right = this.#back;
    this.#ready = this.#end;
    this.#back = this.#end;
    this.#cells.copy(BACK, MIDDLE);
  }

  #placeAt(border: number): number {
    return OWN_CELLS + (border & (this.#capacity - 1));
  }

  #grow(): void {
    const capacity = Math.max(8, this.#capacity * 2);
    const size = this.size;
    this.#cells.grow(capacity, this.#capacity === 0 ? 0 : this.#front & (this.#capacity - 1), size);
    const front = this.#front;
    this.#front = 0;
    this.#left -= front;
    this.#right -= front;
    this.#ready -= front;
    this.#back -= front;
    this.#end = size;
    this.#capacity = capacity;
  }
}
