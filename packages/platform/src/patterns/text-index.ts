import { Buckets } from "./buckets.ts";
import { EdgeIndex } from "./edge-index.ts";
import { type Gram, GramIndex } from "./gram-index.ts";
import type { TextShape } from "./shape.ts";
import { hasLiterals } from "./wildcard.ts";

/** A wildcard that has to be asked when the text it is known by was found. */
interface Candidate<Item extends object> {
  readonly item: Item;
  readonly literals: readonly string[];
  /** The look-up it was last asked in: a text that occurs a thousand times in a value is asked once. */
  askedIn: number;
}

/** What a wildcard is known by. */
type Access =
  | { readonly by: "prefix" | "suffix"; readonly text: string }
  | { readonly by: "gram"; readonly gram: Gram }
  | { readonly by: "nothing" };

/** Finds the items whose text shape a text meets. The cost follows the text and what is found. */
export class TextIndex<Item extends object> {
  readonly #exact = new EdgeTexts<Item>();
  readonly #lower = new EdgeTexts<Item>();
  readonly #wholeLower = new Buckets<string, Item>();
  readonly #wildcards = new WildcardIndex<Item>();
  #lowerCount = 0;
  size = 0;

  add(shape: TextShape, item: Item): void {
    this.size += 1;
    if (shape.kind === "wildcard") return this.#wildcards.add(shape.literals, item);
    if (shape.case === "ignored") this.#lowerCount += 1;
    if (shape.kind === "whole") return this.#wholeLower.add(shape.text, item);
    return this.#edgeTexts(shape.case)[shape.kind].add(shape.text, item);
  }

  remove(shape: TextShape, item: Item): void {
    this.size -= 1;
    if (shape.kind === "wildcard") return this.#wildcards.remove(shape.literals, item);
    if (shape.case === "ignored") this.#lowerCount -= 1;
    if (shape.kind === "whole") return this.#wholeLower.remove(shape.text, item);
    return this.#edgeTexts(shape.case)[shape.kind].remove(shape.text, item);
  }

  /** Puts each item that is met behind `found`, some more than once. */
  collect(value: string, found: Item[]): void {
    this.#exact.collect(value, found);
    this.#wildcards.collect(value, found);
    if (this.#lowerCount === 0) return;
    const lower = value.toLowerCase();
    this.#wholeLower.collect(lower, found);
    this.#lower.collect(lower, found);
  }

  #edgeTexts(comparison: "exact" | "ignored"): EdgeTexts<Item> {
    return comparison === "exact" ? this.#exact : this.#lower;
  }
}

class EdgeTexts<Item extends object> {
  readonly prefix = new EdgeIndex<Item>("prefix");
  readonly suffix = new EdgeIndex<Item>("suffix");

  collect(value: string, found: Item[]): void {
    this.prefix.collect(value, found);
    this.suffix.collect(value, found);
  }
}

/**
 * Wildcards, each known by one of its literals and asked when that occurs: the one that fewest others are known by, so that what
 * all have in common (`arn:aws:*`) is not what they are looked up by. An automaton of all of them would grow with the product
 * of their stars.
 */
class WildcardIndex<Item extends object> {
  readonly #edges = new EdgeTexts<Candidate<Item>>();
  readonly #grams = new GramIndex<Candidate<Item>>();
  readonly #unknown = new Set<Candidate<Item>>();
  readonly #known = new Map<Item, { readonly access: Access; readonly candidate: Candidate<Item> }[]>();
  readonly #candidates: Candidate<Item>[] = [];
  #lookUp = 0;

  add(literals: readonly string[], item: Item): void {
    const access = this.#accessOf(literals);
    const candidate = { item, literals, askedIn: 0 };
    if (access.by === "nothing") this.#unknown.add(candidate);
    else if (access.by === "gram") this.#grams.add(access.gram, candidate);
    else this.#edges[access.by].add(access.text, candidate);
    const ofItem = this.#known.get(item) ?? [];
    this.#known.set(item, ofItem);
    ofItem.push({ access, candidate });
  }

  remove(literals: readonly string[], item: Item): void {
    const ofItem = this.#known.get(item) ?? [];
    const at = ofItem.findIndex(({ candidate }) => candidate.literals === literals);
    const [known] = at < 0 ? [] : ofItem.splice(at, 1);
    if (!known) return;
    if (ofItem.length === 0) this.#known.delete(item);
    const { access, candidate } = known;
    if (access.by === "nothing") this.#unknown.delete(candidate);
    else if (access.by === "gram") this.#grams.remove(access.gram, candidate);
    else this.#edges[access.by].remove(access.text, candidate);
  }

  collect(value: string, found: Item[]): void {
    if (this.#known.size === 0) return;
    this.#lookUp += 1;
    const candidates = this.#candidates;
    this.#edges.collect(value, candidates);
    this.#grams.collect(value, candidates);
    for (const candidate of candidates) this.#ask(candidate, value, found);
    if (this.#unknown.size > 0) for (const candidate of this.#unknown) this.#ask(candidate, value, found);
    candidates.length = 0;
  }

  #ask(candidate: Candidate<Item>, value: string, found: Item[]): void {
    if (candidate.askedIn === this.#lookUp) return;
    candidate.askedIn = this.#lookUp;
    if (hasLiterals(value, candidate.literals)) found.push(candidate.item);
  }

  #accessOf(literals: readonly string[]): Access {
    const prefix = literals[0] ?? "";
    const suffix = literals.at(-1) ?? "";
    let best: { access: Access; crowd: number; length: number } = { access: { by: "nothing" }, crowd: Number.POSITIVE_INFINITY, length: 0 };
    const offer = (access: Access, crowd: number, length: number): void => {
      if (length > 0 && (crowd < best.crowd || (crowd === best.crowd && length > best.length))) best = { access, crowd, length };
    };
    offer({ by: "prefix", text: prefix }, this.#edges.prefix.crowdAt(prefix), prefix.length);
    // Without a star there is one literal, which is the whole text.
    if (literals.length > 1) offer({ by: "suffix", text: suffix }, this.#edges.suffix.crowdAt(suffix), suffix.length);
    for (const literal of literals.slice(1, -1)) {
      const chosen = this.#grams.choose(literal);
      if (chosen) offer({ by: "gram", gram: chosen.gram }, chosen.crowd, chosen.gram.length);
    }
    return best.access;
  }
}
