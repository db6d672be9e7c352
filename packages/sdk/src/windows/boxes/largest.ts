import type { BlockReader, BlockWriter } from "../blocks.ts";
import type { JsonValue } from "../definition.ts";
import type { Box } from "./box.ts";

/** The `most` largest numbers, largest first. */
export class Largest implements Box {
  readonly #most: number;
  #numbers: number[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  get bytes(): number {
    return 8 * this.#numbers.length;
  }

  add(value: JsonValue): void {
    const number = value as number;
    if (this.#numbers.length === this.#most && number <= (this.#numbers.at(-1) as number)) return;
    let low = 0;
    for (let high = this.#numbers.length; low < high;) {
      const middle = (low + high) >> 1;
      if ((this.#numbers[middle] as number) >= number) low = middle + 1;
      else high = middle;
    }
    this.#numbers.splice(low, 0, number);
    if (this.#numbers.length > this.#most) this.#numbers.pop();
  }

  merge(other: Largest): void {
    for (const number of other.#numbers) this.add(number);
  }

  result(): JsonValue {
    return [...this.#numbers];
  }

  write(to: BlockWriter): void {
    to.count(this.#numbers.length);
    for (const number of this.#numbers) to.double(number);
  }

  read(from: BlockReader): void {
    for (let left = from.count(); left > 0; left--) this.add(from.double());
  }
}
