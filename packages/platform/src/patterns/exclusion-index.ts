import type { Primitive } from "./json.ts";
import { type ExclusionShape, keyOf, type TextShape } from "./shape.ts";
import { TextIndex } from "./text-index.ts";

/** Those that exclude one value, or the values like one text. */
interface Excluding<Item extends object> {
  readonly items: Set<Item>;
  /** The shape the text was added by. */
  readonly text?: TextShape;
  /** All others, kept as long as nothing changes, where they are few. */
  others: readonly Item[] | undefined;
}

/**
 * Finds what does not exclude a value. As a rule that is nearly all, and then they are the answer and have to be named one by
 * one. Where more than half exclude the value, the others are remembered, so that ten thousand that exclude a value cost
 * nothing when it comes. What is remembered is never more than the lists of exclusions themselves: only few values can be
 * excluded by more than half.
 */
export class ExclusionIndex<Item extends object> {
  readonly #all = new Set<Item>();
  readonly #byValue = new Map<Primitive, Excluding<Item>>();
  readonly #byText = new Map<string, Excluding<Item>>();
  readonly #texts = new TextIndex<Excluding<Item>>();
  readonly #met: Excluding<Item>[] = [];
  readonly #remembering: Excluding<Item>[] = [];

  get size(): number {
    return this.#all.size;
  }

  /** An item has one shape here: of two, each would let pass what the other excludes. */
  add(shape: ExclusionShape, item: Item): void {
    this.#forgetOthers();
    this.#all.add(item);
    if (shape.kind === "not-equal") for (const value of shape.values) this.#ofValue(value).items.add(item);
    else for (const text of shape.texts) this.#ofText(text).items.add(item);
  }

  remove(shape: ExclusionShape, item: Item): void {
    this.#forgetOthers();
    this.#all.delete(item);
    if (shape.kind === "not-equal") for (const value of shape.values) this.#removeValue(value, item);
    else for (const text of shape.texts) this.#removeText(text, item);
  }

  collect(value: Primitive, found: Item[]): void {
    const met = this.#met;
    const ofValue = this.#byValue.get(value);
    if (ofValue) met.push(ofValue);
    if (typeof value === "string" && this.#texts.size > 0) this.#texts.collect(value, met);
    if (met.length === 0) for (const item of this.#all) found.push(item);
    else this.#collectOthers(met, found);
    met.length = 0;
  }

  #collectOthers(met: readonly Excluding<Item>[], found: Item[]): void {
    const widest = met.reduce((left, right) => (right.items.size > left.items.size ? right : left));
    if (widest.items.size * 2 > this.#all.size && !widest.others) {
      widest.others = [...this.#all].filter((item) => !widest.items.has(item));
      this.#remembering.push(widest);
    }
    if (widest.others && met.length === 1) {
      for (const item of widest.others) found.push(item);
      return;
    }
    for (const item of widest.others ?? this.#all) if (!met.some(({ items }) => items.has(item))) found.push(item);
  }

  #ofValue(value: Primitive): Excluding<Item> {
    const known = this.#byValue.get(value) ?? { items: new Set<Item>(), others: undefined };
    this.#byValue.set(value, known);
    return known;
  }

  #removeValue(value: Primitive, item: Item): void {
    const known = this.#byValue.get(value);
    known?.items.delete(item);
    if (known?.items.size === 0) this.#byValue.delete(value);
  }

  #ofText(text: TextShape): Excluding<Item> {
    const key = keyOf(text);
    const known = this.#byText.get(key) ?? { items: new Set<Item>(), text, others: undefined };
    if (!this.#byText.has(key)) this.#texts.add(text, known);
    this.#byText.set(key, known);
    return known;
  }

  #removeText(text: TextShape, item: Item): void {
    const key = keyOf(text);
    const known = this.#byText.get(key);
    known?.items.delete(item);
    if (!known?.text || known.items.size > 0) return;
    this.#byText.delete(key);
    this.#texts.remove(known.text, known);
  }

  #forgetOthers(): void {
    for (const known of this.#remembering) known.others = undefined;
    this.#remembering.length = 0;
  }
}
