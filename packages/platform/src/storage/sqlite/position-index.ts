import { invariant } from "../../base/index.ts";

const CAPACITY_MIN = 16;

/** Where the rows of one cell's log are: position → sequence number, eight bytes a row, without gaps. */
export class PositionIndex {
  #first: number;
  #sequences = new Float64Array(0);
  #offset = 0;
  #count = 0;

  constructor(first: number) {
    this.#first = first;
  }

  /** The first position kept. */
  get first(): number {
    return this.#first;
  }

  /** The position the next row gets. */
  get next(): number {
    return this.#first + this.#count;
  }

  push(sequence: number): void {
    if (this.#offset + this.#count === this.#sequences.length) this.#makeRoom();
    this.#sequences[this.#offset + this.#count] = sequence;
    this.#count++;
  }

  /** Forgets what is before `before`, returning the sequence numbers of those rows. */
  trim(before: number): Float64Array {
    const count = Math.min(Math.max(0, before - this.#first), this.#count);
    const forgotten = this.#sequences.slice(this.#offset, this.#offset + count);
    this.#first += count;
    this.#offset += count;
    this.#count -= count;
    return forgotten;
  }

  /** Sequence numbers of at most `limit` rows from position `from`, which is kept or yet to come. */
  slice(from: number, limit: number): Float64Array {
    invariant(from >= this.#first, "rows before the first kept position are gone");
    const start = Math.min(from - this.#first, this.#count);
    const end = Math.min(start + limit, this.#count);
    return this.#sequences.slice(this.#offset + start, this.#offset + end);
  }

  #makeRoom(): void {
    const larger = new Float64Array(Math.max(CAPACITY_MIN, this.#count * 2));
    larger.set(this.#sequences.subarray(this.#offset, this.#offset + this.#count));
    this.#sequences = larger;
    this.#offset = 0;
  }
}
