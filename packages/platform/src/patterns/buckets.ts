import { collectSome, countOf, type Some, withItem, withoutItem } from "./some.ts";

/** Items by key. A key without items is forgotten, so what is left over follows what is in use. */
export class Buckets<Key, Item extends object> {
  readonly #buckets = new Map<Key, Some<Item>>();

  get size(): number {
    return this.#buckets.size;
  }

  keys(): Iterable<Key> {
    return this.#buckets.keys();
  }

  /** How many items a key has. */
  count(key: Key): number {
    return countOf(this.#buckets.get(key));
  }

  add(key: Key, item: Item): void {
    this.#buckets.set(key, withItem(this.#buckets.get(key), item));
  }

  remove(key: Key, item: Item): void {
    const left = withoutItem(this.#buckets.get(key), item);
    if (left) this.#buckets.set(key, left);
    else this.#buckets.delete(key);
  }

  /** Puts the items of a key behind `found`. */
  collect(key: Key, found: Item[]): void {
    collectSome(this.#buckets.get(key), found);
  }
}
