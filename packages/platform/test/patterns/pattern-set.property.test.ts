import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type CompiledPattern, compilePattern, PatternSet } from "../../src/patterns/index.ts";
import { eventsOf, type Json, patternsOf } from "./drawn.ts";

/** The definition of a set: each pattern asked by itself, in the order of adding. */
class AskedOneByOne {
  readonly #patterns = new Map<number, CompiledPattern>();

  add(key: number, pattern: object): void {
    this.#patterns.set(key, compilePattern(pattern));
  }

  remove(key: number): void {
    this.#patterns.delete(key);
  }

  matches(event: unknown): number[] {
    return [...this.#patterns].flatMap(([key, pattern]) => (pattern.matches(event) ? [key] : []));
  }

  get size(): number {
    return this.#patterns.size;
  }
}

const words = fc.stringMatching(/^[abB]{0,3}$/u);
const longWords = fc.stringMatching(/^[ab]{4,12}$/u);
const texts = fc.oneof({ weight: 4, arbitrary: words }, { weight: 1, arbitrary: longWords });
const numbers = fc.constantFrom(-5e9, -2.5, -1, 0, 0.5, 1, 2, 3, 1_000, 1e-9, 5e9);
const addresses = fc.constantFrom("10.0.0.1", "10.0.0.200", "10.1.0.1", "2001:db8::1", "2001:db8:0:1::", "::ffff:10.0.0.1", "::1");
const values = fc.oneof(
  { weight: 4, arbitrary: texts },
  { weight: 3, arbitrary: numbers },
  { weight: 1, arbitrary: addresses },
  { weight: 1, arbitrary: fc.constantFrom(true, false, null, 6e9, Number.POSITIVE_INFINITY) },
);

const wildcards = fc
  .array(fc.stringMatching(/^[ab]{0,9}$/u), { minLength: 1, maxLength: 4 })
  .map((literals) => literals.filter((literal, at) => literal !== "" || at === 0 || at === literals.length - 1).join("*"))
  .map((text) => text.replaceAll(/\*+/gu, "*"));
const someOf = <T>(drawn: fc.Arbitrary<T>): fc.Arbitrary<T | T[]> => fc.oneof(drawn, fc.array(drawn, { minLength: 1, maxLength: 3 }));
const ranges = fc
  .tuple(fc.constantFrom(">", ">="), numbers, fc.constantFrom("<", "<="), numbers)
  .filter(([, low, , high]) => low < high)
  .map((numeric) => ({ numeric }));
const halfOpen = fc.tuple(fc.constantFrom("=", "<", "<=", ">", ">="), numbers).map((numeric) => ({ numeric }));
const cidrs = fc
  .tuple(addresses, fc.nat({ max: 8 }))
  .map(([address, steps]) => ({ cidr: `${address}/${(address.includes(":") ? 128 : 32) - steps * 4}` }));

const entries = fc.oneof(
  values,
  texts.map((prefix) => ({ prefix })),
  texts.map((suffix) => ({ suffix })),
  words.map((word) => ({ prefix: { "equals-ignore-case": word } })),
  words.map((word) => ({ suffix: { "equals-ignore-case": word } })),
  words.map((word) => ({ "equals-ignore-case": word })),
  wildcards.map((wildcard) => ({ wildcard })),
  someOf(texts).map((list) => ({ "anything-but": list })),
  someOf(numbers).map((list) => ({ "anything-but": list })),
  someOf(words).map((prefix) => ({ "anything-but": { prefix } })),
  someOf(words).map((suffix) => ({ "anything-but": { suffix } })),
  someOf(words).map((word) => ({ "anything-but": { "equals-ignore-case": word } })),
  someOf(wildcards).map((wildcard) => ({ "anything-but": { wildcard } })),
  fc.boolean().map((exists) => ({ exists })),
  ranges,
  halfOpen,
  cidrs,
) as fc.Arbitrary<Json>;

/** Half of the patterns ask one field only: then its index has many leaves. */
const pattern = fc.oneof(
  patternsOf(entries),
  fc.tuple(fc.constantFrom("a", "b"), fc.array(entries, { minLength: 1, maxLength: 3 })).map(([key, leaf]) => ({ [key]: leaf })),
);
const event = fc.oneof(
  eventsOf(values),
  fc.record({ a: values, b: fc.array(values, { maxLength: 3 }) }),
  fc.record({ a: fc.array(fc.record({ a: values, b: values }, { requiredKeys: [] }), { maxLength: 3 }) }),
) as fc.Arbitrary<Json>;

type Step =
  | { readonly kind: "add"; readonly key: number; readonly pattern: object }
  | { readonly kind: "remove"; readonly key: number }
  | { readonly kind: "match"; readonly event: Json };

const key = fc.nat({ max: 60 });
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant("add" as const), key, pattern }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("remove" as const), key }) },
    { weight: 5, arbitrary: fc.record({ kind: fc.constant("match" as const), event }) },
  ),
  { minLength: 40, maxLength: 200, size: "max" },
);

test("a set matches exactly the patterns that match by themselves, in their order, while patterns come and go", () => {
  let asked = 0;
  let matched = 0;
  fc.assert(
    fc.property(steps, (drawn) => {
      const set = new PatternSet<number>();
      const definition = new AskedOneByOne();
      for (const step of drawn) {
        if (step.kind === "match") {
          const expected = definition.matches(step.event);
          asked += definition.size;
          matched += expected.length;
          assert.deepEqual(set.matches(step.event), expected);
        } else if (step.kind === "remove") {
          set.remove(step.key);
          definition.remove(step.key);
        } else {
          set.add(step.key, step.pattern);
          definition.add(step.key, step.pattern);
        }
        assert.equal(set.size, definition.size);
      }
    }),
    { numRuns: 300 },
  );
  assert.ok(matched * 10 > asked, `only ${matched} of ${asked} drawn pairs match: the property says little`);
});
