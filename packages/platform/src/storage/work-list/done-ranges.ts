/**
 * Positions of a log that are done with but cannot be trimmed, because an older one is not: ranges that do not touch
 * each other. There are never more of them than rows that are not done.
 */
export class DoneRanges {
  /** First position of each range, rising. */
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];

  has(position: number): boolean {
    const index = this.#lastAtOrBefore(position);
    return index >= 0 && (this.#ends[index] as number) >= position;
  }

  /** Where the range of `position` ends; undefined when it is in none. */
  endOf(position: number): number | undefined {
    const index = this.#lastAtOrBefore(position);
    const end = this.#ends[index];
    return end !== undefined && end >= position ? end : undefined;
  }

  /** Adds a range read from the store; they come in order. */
  load(start: number, end: number): void {
    this.#starts.push(start);
    this.#ends.push(end);
  }

  /** Adds `position`, which is in no range yet. Returns the range it is in now, and the start of one that was joined away. */
  add(position: number): { readonly start: number; readonly end: number; readonly joined: number | undefined } {
    const before = this.#lastAtOrBefore(position);
    const touchesBefore = before >= 0 && this.#ends[before] === position - 1;
    const after = before + 1;
    const touchesAfter = this.#starts[after] === position + 1;
    if (touchesBefore && touchesAfter) {
      const joined = this.#starts[after] as number;
      this.#ends[before] = this.#ends[after] as number;
      this.#starts.splice(after, 1);
      this.#ends.splice(after, 1);
      return { start: this.#starts[before] as number, end: this.#ends[before] as number, joined };
    }
    if (touchesBefore) {
      this.#ends[before] = position;
      return { start: this.#starts[before] as number, end: position, joined: undefined };
    }
    if (touchesAfter) {
      const joined = this.#starts[after] as number;
      this.#starts[after] = position;
      return { start: position, end: this.#ends[after] as number, joined };
    }
    this.#starts.splice(after, 0, position);
    this.#ends.splice(after, 0, position);
    return { start: position, end: position, joined: undefined };
  }

  /** Takes out the first range when it begins at `first`; returns its end. */
  takeFirst(first: number): number | undefined {
    if (this.#starts[0] !== first) return undefined;
    this.#starts.shift();
    return this.#ends.shift();
  }

  /** Forgets all ranges; returns their starts. */
  clear(): number[] {
    this.#ends.length = 0;
    return this.#starts.splice(0);
  }

  #lastAtOrBefore(position: number): number {
    let low = 0;
    let high = this.#starts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#starts[middle] as number) <= position) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
