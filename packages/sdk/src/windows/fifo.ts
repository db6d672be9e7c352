/** First in, first out; also the newest can be taken back. Each step takes constant time, on average. */
export class Fifo<Item> {
  #items: Item[] = [];
  #start = 0;

  get size(): number {
    return this.#items.length - this.#start;
  }

  /** The item so many behind the oldest. */
  at(index: number): Item | undefined {
    return this.#items[this.#start + index];
  }

  /** The newest. */
  last(): Item | undefined {
    return this.size === 0 ? undefined : this.#items[this.#items.length - 1];
  }

  push(item: Item): void {
    this.#items.push(item);
  }

  pop(): void {
    this.#items.pop();
  }

  /** Lets the oldest go; there has to be one. */
  shift(): Item {
    const item = this.#items[this.#start++] as Item;
    if (this.#start > 16 && this.#start * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#start);
      this.#start = 0;
    }
    return item;
  }

  /** The newest `most`, oldest first. */
  newest(most: number): Item[] {
    return this.#items.slice(Math.max(this.#start, this.#items.length - most));
  }
}
