/**
 * Many patterns asked at once: which of them does an event match? One automaton of all of them, so that the cost of an answer
 * follows the event and the answer, not the number of patterns.
 *
 * The automaton is a tree. Each pattern (each alternative of one with `$or`) is a way from its root: its leaves, the narrowest
 * first. Patterns share a way as far as their leaves are the same, and the last stretch that few go is not built: there they
 * are asked one by one. At each state an index by value finds which leaves an event meets (value-index.ts). An event visits a
 * state once at most, whatever it has in arrays.
 *
 * Holds: the same answers as `CompiledPattern` gives one by one, which stays the definition; a pattern is added or removed by
 * its own way alone. Deliberately does not: bound how many patterns it is given; whoever owns the rules does.
 */
import { compilePattern, parsePattern } from "./compile.ts";
import { type Field, Fields } from "./fields.ts";
import { meetsAlternative, meetsOne } from "./match.ts";
import { meets } from "./shape.ts";
import { Many } from "./some.ts";
import { type Question, type Rule, State, Way } from "./state.ts";
import type { ValueIndex } from "./value-index.ts";

/** Patterns by key, and which of them an event matches. */
export class PatternSet<Key> {
  readonly #rules = new Map<Key, Rule<Key>>();
  readonly #fields = new Fields();
  readonly #root = new State<Key>(undefined);
  /** Lists that are empty between events. */
  readonly #ahead: State<Key>[] = [];
  readonly #found: State<Key>[] = [];
  readonly #matched: Rule<Key>[] = [];
  #places = 0;
  #events = 0;

  /** How many patterns there are. */
  get size(): number {
    return this.#rules.size;
  }

  /**
   * Adds a pattern, given as JSON text or as what that says, in place of the one the key has. Throws `InvalidPattern`, and
   * then nothing has changed.
   */
  add(key: Key, pattern: string | object): void {
    const { alternatives } = typeof pattern === "string" ? parsePattern(pattern) : compilePattern(pattern);
    const before = this.#rules.get(key);
    if (before) this.#leave(before);
    const rule: Rule<Key> = { key, place: before?.place ?? (this.#places += 1), ways: [], match: 0 };
    for (const { leaves } of alternatives) {
      const way = new Way(rule, leaves, this.#fields, this.#root);
      rule.ways.push(way);
      this.#root.enter(way);
    }
    this.#rules.set(key, rule);
  }

  /** Removes the pattern of a key, if it has one. */
  remove(key: Key): void {
    const rule = this.#rules.get(key);
    if (!rule) return;
    this.#rules.delete(key);
    this.#leave(rule);
  }

  /** The keys of the patterns that match, each once, in the order in which they were first added. */
  matches(event: unknown): Key[] {
    this.#events += 1;
    this.#fields.take(event);
    const ahead = this.#ahead;
    const matched = this.#matched;
    for (let state: State<Key> | undefined = this.#root; state; state = ahead.pop()) {
      const { ways } = state;
      if (ways instanceof Many) for (const way of ways.items) this.#end(way, event, matched);
      else if (ways) this.#end(ways, event, matched);
      this.#goOn(state, ahead);
    }
    this.#fields.forget();
    const keys = this.#inOrder(matched);
    matched.length = 0;
    return keys;
  }

  #leave({ ways }: Rule<Key>): void {
    for (const way of ways) {
      way.state.leave(way);
      for (const { field } of way.questions) this.#fields.release(field);
    }
  }

  /** Asks what is left of a way at the state that it is not built beyond. */
  #end(way: Way<Key>, event: unknown, matched: Rule<Key>[]): void {
    const { rule, left, next } = way;
    if (rule.match === this.#events || (next && !meetsQuestion(next))) return;
    if (left > 1 && !way.questions.slice(1 - left).every(meetsQuestion)) return;
    // Each leaf is met by some element of an array; whether one element meets them all has to be looked at.
    if (this.#isMixed(way) && !meetsAlternative(way.alternative, event)) return;
    rule.match = this.#events;
    matched.push(rule);
  }

  #isMixed({ questions }: Way<Key>): boolean {
    for (const place of this.#fields.split) if (isShared(place, questions)) return true;
    return false;
  }

  /** Puts the states that the event reaches from one behind `ahead`. */
  #goOn({ crossings, absences }: State<Key>, ahead: State<Key>[]): void {
    if (absences) this.#goOnWithout(absences, ahead);
    if (!crossings) return;
    const { read } = this.#fields;
    if (crossings.list.length <= read.length) {
      for (const { field, index } of crossings.list) if (field.count > 0) this.#ask(index, field, ahead);
      return;
    }
    for (const field of read) {
      const crossing = crossings.byField.get(field);
      if (crossing) this.#ask(crossing.index, field, ahead);
    }
  }

  #goOnWithout(absences: ReadonlyMap<Field, ReadonlySet<State<Key>>>, ahead: State<Key>[]): void {
    for (const [field, states] of absences) if (field.count === 0) for (const state of states) this.#visit(state, ahead);
  }

  #ask(index: ValueIndex<State<Key>>, field: Field, ahead: State<Key>[]): void {
    const found = this.#found;
    let missing = index.size;
    for (let at = 0; at < field.count && missing > 0; at += 1) {
      index.collect(field.values[at] ?? null, found);
      for (const state of found) if (this.#visit(state, ahead)) missing -= 1;
      found.length = 0;
    }
  }

  #visit(state: State<Key>, ahead: State<Key>[]): boolean {
    if (state.visit === this.#events) return false;
    state.visit = this.#events;
    ahead.push(state);
    return true;
  }

  #inOrder(matched: Rule<Key>[]): Key[] {
    if (matched.length < 2) return matched.map(({ key }) => key);
    // Sorting costs more than going through all rules when most of them match.
    if (matched.length * Math.log2(matched.length + 1) < this.#rules.size)
      return matched.sort((left, right) => left.place - right.place).map(({ key }) => key);
    const keys: Key[] = [];
    for (const rule of this.#rules.values()) if (rule.match === this.#events) keys.push(rule.key);
    return keys;
  }
}

function meetsQuestion({ leaf, field, only }: Question): boolean {
  if (field.count === 0) return leaf.allowsAbsence;
  for (let at = 0; at < field.count; at += 1) {
    const value = field.values[at] ?? null;
    if (only ? meets(only, value) : meetsOne(leaf, value)) return true;
  }
  return false;
}

/** Whether the ways to several of the fields lead through one place. Absence is asked of the whole event. */
function isShared(place: Field, questions: readonly Question[]): boolean {
  let count = 0;
  for (const { leaf, field } of questions) {
    if (leaf.matchers.length === 0) continue;
    for (let each = field.parent; each; each = each.parent) if (each === place) count += 1;
  }
  return count > 1;
}
