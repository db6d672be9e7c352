import { breadthOf } from "./breadth.ts";
import type { Field, Fields } from "./fields.ts";
import { Alternative, type Leaf } from "./match.ts";
import { keyOf, type Shape } from "./shape.ts";
import { collectSome, countOf, type Some, withItem, withoutItem } from "./some.ts";
import { ValueIndex } from "./value-index.ts";

/** So many ways wait at a state before the next step is built for them; till then they are asked one by one. */
const WAITING_MAX = 8;

export interface Rule<Key> {
  readonly key: Key;
  /** Its place in the order of adding. */
  readonly place: number;
  readonly ways: Way<Key>[];
  /** The number of the event that matched last. */
  match: number;
}

/** A leaf and the field it asks. */
export interface Question {
  readonly leaf: Leaf;
  readonly field: Field;
  /** What the leaf asks for if that is one thing: most do, and it saves the way over two lists. */
  readonly only: Shape | undefined;
}

function questionOf(leaf: Leaf, field: Field): Question {
  return { leaf, field, only: leaf.matchers.length === 1 && !leaf.allowsAbsence ? leaf.matchers[0] : undefined };
}

/** One alternative of a rule, on its way through the automaton. It uses the fields it asks until they are released. */
export class Way<Key> {
  readonly rule: Rule<Key>;
  /** All that is asked, the narrowest first. Those that are met share their questions with others. */
  readonly questions: Question[];
  /** The last state that is built of it. */
  state: State<Key>;
  /** How many of the questions are not met there yet, and the first of them. */
  left: number;
  next: Question | undefined;
  #alternative: Alternative | undefined;

  constructor(rule: Rule<Key>, leaves: readonly Leaf[], fields: Fields, state: State<Key>) {
    this.rule = rule;
    this.questions = inOrderOfBreadth(leaves).map((leaf) => questionOf(leaf, fields.use(leaf.path)));
    this.state = state;
    this.left = leaves.length;
    this.next = this.questions[0];
  }

  /** Has met its next question, which another way may ask as well: what ten thousand ask is kept once. */
  meet(question: Question): void {
    const at = this.questions.length - this.left;
    this.questions[at] = question;
    this.next = this.questions[at + 1];
    this.left -= 1;
  }

  /** What it asks, to be asked by itself. Made when that is needed, which it is of few. */
  get alternative(): Alternative {
    this.#alternative ??= new Alternative(this.questions.map(({ leaf }) => leaf));
    return this.#alternative;
  }
}

/** Leaves of the same breadth stand by their paths, short ones first: those are what patterns most often have in common. */
function inOrderOfBreadth(leaves: readonly Leaf[]): Leaf[] {
  const ranked = leaves.map((leaf) => ({ leaf, breadth: breadthOf(leaf), path: JSON.stringify(leaf.path) }));
  ranked.sort(
    (left, right) =>
      left.breadth - right.breadth ||
      left.leaf.path.length - right.leaf.path.length ||
      (left.path < right.path ? -1 : left.path > right.path ? 1 : 0),
  );
  return ranked.map(({ leaf }) => leaf);
}

/** The steps on from a state that ask one field. */
interface Crossing<Key> {
  readonly field: Field;
  /** By what they ask for, so that equal leaves lead to one state. */
  readonly states: Map<string, State<Key>>;
  readonly index: ValueIndex<State<Key>>;
}

/** All steps on from a state: as a list too, because to go through a list leaves nothing to be collected. */
interface Crossings<Key> {
  readonly byField: Map<Field, Crossing<Key>>;
  readonly list: Crossing<Key>[];
}

/** How a state is reached. */
interface Step<Key> {
  readonly from: State<Key>;
  readonly question: Question;
  readonly key: string;
}

/** What an event has met of some patterns. */
export class State<Key> {
  /** Those that end here, or wait until there are enough for a step. */
  ways: Some<Way<Key>>;
  /** The steps on from here, by the field they ask. */
  crossings: Crossings<Key> | undefined;
  /** The steps on from here that are taken when a field has no value. */
  absences: Map<Field, Set<State<Key>>> | undefined;
  /** The number of the event that was here last. */
  visit = 0;
  readonly #step: Step<Key> | undefined;
  #waiting = 0;

  constructor(step: Step<Key> | undefined) {
    this.#step = step;
  }

  /** Takes a way that has come as far as here, and on as far as is built. */
  enter(way: Way<Key>): void {
    if (way.next && this.crossings) {
      const next = this.#next(way.next, this.crossings);
      way.meet(next.#step?.question ?? way.next);
      next.enter(way);
      return;
    }
    way.state = this;
    this.ways = withItem(this.ways, way);
    if (way.left > 0) this.#waiting += 1;
    if (this.#waiting > WAITING_MAX) this.#build();
  }

  /** Takes a way away that is here, and the states that lead nowhere then. */
  leave(way: Way<Key>): void {
    this.ways = withoutItem(this.ways, way);
    if (way.left > 0) this.#waiting -= 1;
    this.#leaveIfEmpty();
  }

  #leaveIfEmpty(): void {
    if (!this.#step || countOf(this.ways) > 0 || this.crossings) return;
    this.#step.from.#drop(this, this.#step);
    this.#step.from.#leaveIfEmpty();
  }

  /** Builds the next step for all that wait. */
  #build(): void {
    const ways: Way<Key>[] = [];
    collectSome(this.ways, ways);
    this.ways = undefined;
    this.#waiting = 0;
    this.crossings = { byField: new Map(), list: [] };
    for (const way of ways) this.enter(way);
  }

  #next(given: Question, { byField, list }: Crossings<Key>): State<Key> {
    const { field } = given;
    const { leaf, key } = withKey(given.leaf);
    const crossing: Crossing<Key> = byField.get(field) ?? { field, states: new Map(), index: new ValueIndex() };
    const known = crossing.states.get(key);
    if (known) return known;
    const question = leaf === given.leaf ? given : questionOf(leaf, field);
    const state = new State<Key>({ from: this, question, key });
    if (!byField.has(field)) list.push(crossing);
    byField.set(field, crossing);
    crossing.states.set(key, state);
    if (leaf.matchers.length > 0) crossing.index.add(leaf, state);
    if (leaf.allowsAbsence) {
      this.absences ??= new Map();
      this.absences.set(field, (this.absences.get(field) ?? new Set()).add(state));
    }
    return state;
  }

  #drop(state: State<Key>, { question: { field }, key }: Step<Key>): void {
    const crossing = this.crossings?.byField.get(field);
    if (!this.crossings || crossing?.states.get(key) !== state) return;
    crossing.states.delete(key);
    crossing.index.remove(state);
    if (crossing.states.size === 0) {
      this.crossings.byField.delete(field);
      this.crossings.list.splice(this.crossings.list.indexOf(crossing), 1);
    }
    if (this.crossings.list.length === 0) this.crossings = undefined;
    const absent = this.absences?.get(field);
    absent?.delete(state);
    if (absent?.size === 0) this.absences?.delete(field);
  }
}

/** A leaf with each of its matchers once, and a text that is equal for leaves that ask the same. */
function withKey(leaf: Leaf): { readonly leaf: Leaf; readonly key: string } {
  const matchers = new Map(leaf.matchers.map((matcher) => [keyOf(matcher), matcher]));
  const key = JSON.stringify([leaf.allowsAbsence, ...[...matchers.keys()].toSorted()]);
  return { leaf: matchers.size === leaf.matchers.length ? leaf : { ...leaf, matchers: [...matchers.values()] }, key };
}
