import { AddressIndex } from "./address-index.ts";
import { Buckets } from "./buckets.ts";
import { ExclusionIndex } from "./exclusion-index.ts";
import type { Primitive } from "./json.ts";
import { type Leaf, meetsOne } from "./match.ts";
import { RangeIndex } from "./range-index.ts";
import { TextIndex } from "./text-index.ts";

/** So few are asked one after the other, which costs less than any index. */
const ASKED_MAX = 8;

/** Finds, of many leaves that ask one field, those that a value meets. The cost follows the value and what is found. */
export class ValueIndex<Item extends object> {
  readonly #leaves = new Map<Item, Leaf>();
  #parts: Parts<Item> | undefined;

  get size(): number {
    return this.#leaves.size;
  }

  add(leaf: Leaf, item: Item): void {
    this.#leaves.set(item, leaf);
    if (this.#parts) this.#parts.add(leaf, item);
    else if (this.size > ASKED_MAX) {
      this.#parts = new Parts();
      for (const [each, itsLeaf] of this.#leaves) this.#parts.add(itsLeaf, each);
    }
  }

  remove(item: Item): void {
    const leaf = this.#leaves.get(item);
    this.#leaves.delete(item);
    if (leaf) this.#parts?.remove(leaf, item);
    // Far fewer than it takes to make the parts, so that one leaf that comes and goes does not make them each time.
    if (this.size <= ASKED_MAX / 2) this.#parts = undefined;
  }

  /** Puts each item whose leaf the value meets behind `found`, some more than once. */
  collect(value: Primitive, found: Item[]): void {
    if (this.#parts) return this.#parts.collect(value, found);
    for (const [item, leaf] of this.#leaves) if (meetsOne(leaf, value)) found.push(item);
  }
}

/** One structure for each kind of question. */
class Parts<Item extends object> {
  readonly #equal = new Buckets<Primitive, Item>();
  readonly #present = new Set<Item>();
  readonly #texts = new TextIndex<Item>();
  readonly #ranges = new RangeIndex<Item>();
  readonly #addresses = new AddressIndex<Item>();
  /** The first exclusion of each leaf, the second of each, and so on. */
  readonly #exclusions: ExclusionIndex<Item>[] = [];

  add(leaf: Leaf, item: Item): void {
    let exclusions = 0;
    for (const shape of leaf.matchers) {
      if (shape.kind === "equal") this.#equal.add(shape.value, item);
      else if (shape.kind === "present") this.#present.add(item);
      else if (shape.kind === "range") this.#ranges.add(shape, item);
      else if (shape.kind === "address") this.#addresses.add(shape, item);
      else if (shape.kind === "not-equal" || shape.kind === "not-like")
        (this.#exclusions[exclusions++] ??= new ExclusionIndex()).add(shape, item);
      else this.#texts.add(shape, item);
    }
  }

  remove(leaf: Leaf, item: Item): void {
    let exclusions = 0;
    for (const shape of leaf.matchers) {
      if (shape.kind === "equal") this.#equal.remove(shape.value, item);
      else if (shape.kind === "present") this.#present.delete(item);
      else if (shape.kind === "range") this.#ranges.remove(shape, item);
      else if (shape.kind === "address") this.#addresses.remove(shape, item);
      else if (shape.kind === "not-equal" || shape.kind === "not-like") this.#exclusions[exclusions++]?.remove(shape, item);
      else this.#texts.remove(shape, item);
    }
  }

  collect(value: Primitive, found: Item[]): void {
    this.#equal.collect(value, found);
    if (this.#present.size > 0) for (const item of this.#present) found.push(item);
    for (const exclusion of this.#exclusions) exclusion.collect(value, found);
    if (typeof value === "number") this.#ranges.collect(value, found);
    if (typeof value !== "string") return;
    if (this.#texts.size > 0) this.#texts.collect(value, found);
    this.#addresses.collect(value, found);
  }
}
