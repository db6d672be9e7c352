import { Buckets } from "./buckets.ts";

/**
 * Finds the texts that are the beginning (or the end) of a value: one look-up for each length that such a text has, however
 * many texts there are.
 */
export class EdgeIndex<Item extends object> {
  readonly #lengths = new Map<number, Buckets<string, Item>>();
  readonly #edge: "prefix" | "suffix";

  constructor(edge: "prefix" | "suffix") {
    this.#edge = edge;
  }

  /** How many items have this text. */
  crowdAt(text: string): number {
    return this.#lengths.get(text.length)?.count(text) ?? 0;
  }

  add(text: string, item: Item): void {
    const texts = this.#lengths.get(text.length) ?? new Buckets<string, Item>();
    this.#lengths.set(text.length, texts);
    texts.add(text, item);
  }

  remove(text: string, item: Item): void {
    const texts = this.#lengths.get(text.length);
    texts?.remove(text, item);
    if (texts?.size === 0) this.#lengths.delete(text.length);
  }

  collect(value: string, found: Item[]): void {
    if (this.#lengths.size === 0) return;
    for (const [length, texts] of this.#lengths) {
      if (length > value.length) continue;
      texts.collect(this.#edge === "prefix" ? value.slice(0, length) : value.slice(value.length - length), found);
    }
  }
}
