/** Filter policies against a small definition: what AWS's guide says of each operator, written down once more as plainly as it can be. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compileFilter } from "../../src/topics/filter.ts";

type Value = string | number | boolean | null;
type Condition =
  | Value
  | { readonly prefix: string }
  | { readonly suffix: string }
  | { readonly "equals-ignore-case": string }
  | { readonly "anything-but": readonly string[] | readonly number[] }
  | { readonly numeric: readonly [string, number] }
  | { readonly exists: boolean };
type Attribute = { readonly type: "String" | "Number" | "String.Array" | "Binary"; readonly values: readonly Value[] };

const words = fc.constantFrom("a", "b", "ab", "A", "", "ba");
const numbers = fc.constantFrom(-1, 0, 1, 2.5);
const values: fc.Arbitrary<Value> = fc.oneof(words, numbers, fc.boolean(), fc.constant(null));
const conditions: fc.Arbitrary<Condition> = fc.oneof(
  values,
  fc.record({ prefix: words }),
  fc.record({ suffix: words }),
  fc.record({ "equals-ignore-case": words }),
  fc.record({
    "anything-but": fc.oneof(fc.array(words, { minLength: 1, maxLength: 2 }), fc.array(numbers, { minLength: 1, maxLength: 2 })),
  }),
  fc.record({ numeric: fc.tuple(fc.constantFrom("=", "<", "<=", ">", ">="), numbers) }),
  fc.record({ exists: fc.boolean() }),
);
const names = fc.constantFrom("x", "y", "z");
const policies = fc.dictionary(names, fc.array(conditions, { minLength: 1, maxLength: 3 }), { minKeys: 1, maxKeys: 3 });
const attributes: fc.Arbitrary<Attribute> = fc.oneof(
  words.map((value): Attribute => ({ type: "String", values: [value] })),
  numbers.map((value): Attribute => ({ type: "Number", values: [value] })),
  fc.array(values, { maxLength: 3 }).map((list): Attribute => ({ type: "String.Array", values: list })),
  fc.constant<Attribute>({ type: "Binary", values: [] }),
);

/** Whether one value meets one condition. */
function meets(value: Value, condition: Condition): boolean {
  if (condition === null || typeof condition !== "object") return value === condition;
  if ("exists" in condition) return condition.exists;
  if ("prefix" in condition) return typeof value === "string" && value.slice(0, condition.prefix.length) === condition.prefix;
  if ("suffix" in condition) return typeof value === "string" && value.slice(value.length - condition.suffix.length) === condition.suffix;
  if ("equals-ignore-case" in condition)
    return typeof value === "string" && value.toUpperCase() === condition["equals-ignore-case"].toUpperCase();
  if ("anything-but" in condition) return !condition["anything-but"].some((each) => each === value);
  if (typeof value !== "number") return false;
  const [operator, bound] = condition.numeric;
  const order = value < bound ? "<" : value > bound ? ">" : "=";
  return operator.includes(order);
}

/** Every name of the policy has a value that meets one of its conditions, or is asked to be absent and is. */
function definition(policy: Readonly<Record<string, readonly Condition[]>>, message: Readonly<Record<string, Attribute>>): boolean {
  return Object.entries(policy).every(([name, wanted]) => {
    const found = message[name]?.values ?? [];
    const mayBeAbsent = wanted.some((each) => typeof each === "object" && each !== null && "exists" in each && !each.exists);
    return (found.length === 0 && mayBeAbsent) || found.some((value) => wanted.some((each) => meets(value, each)));
  });
}

test("a policy on attributes takes exactly the messages that its definition says", () => {
  const draws = fc.tuple(policies, fc.dictionary(names, attributes, { maxKeys: 3 }));
  let taken = 0;
  fc.assert(
    fc.property(draws, ([policy, message]) => {
      const filter = compileFilter(JSON.stringify(policy), "MessageAttributes");
      const sent = Object.fromEntries(
        Object.entries(message).map(([name, { type, values: list }]) => [
          name,
          { type, value: type === "Binary" ? Buffer.of(1) : type === "String.Array" ? JSON.stringify(list) : String(list[0]) },
        ]),
      );
      const wanted = definition(policy, message);
      if (wanted) taken += 1;
      assert.equal(filter?.({ body: "", attributes: sent }), wanted);
    }),
    { numRuns: 3_000, seed: 20_261_121 },
  );
  assert.ok(taken > 100 && taken < 2_900, `of 3000 messages ${taken} were taken: too few or too many to tell anything`);
});

test("the same policy takes the same values out of a body", () => {
  fc.assert(
    fc.property(policies, fc.dictionary(names, values, { maxKeys: 3 }), (policy, body) => {
      const message = Object.fromEntries(
        Object.entries(body).map(([name, value]): [string, Attribute] => [name, { type: "String", values: [value] }]),
      );
      const filter = compileFilter(JSON.stringify(policy), "MessageBody");
      assert.equal(filter?.({ body: JSON.stringify(body), attributes: {} }), definition(policy, message));
    }),
    { numRuns: 2_000, seed: 20_261_122 },
  );
});
