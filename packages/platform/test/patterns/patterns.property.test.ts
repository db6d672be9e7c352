import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compilePattern } from "../../src/patterns/index.ts";
import { event, patternsOf, values, words, type Json, type Pattern, type Primitive } from "./drawn.ts";

/**
 * The definition, without thought for speed: an event with arrays stands for all events that have one object of each array in its
 * place, beside all of the array's values; a pattern matches when one of them meets it. Absence is asked of all.
 */
interface One {
  readonly values: readonly Primitive[];
  readonly fields: Readonly<Record<string, One>>;
}

function unfolded(event: Json): One[] {
  if (event === null || typeof event !== "object") return [{ values: [event], fields: {} }];
  if (Array.isArray(event)) {
    const elements = event.flat(Number.POSITIVE_INFINITY) as Exclude<Json, readonly Json[]>[];
    const values = elements.filter((each) => each === null || typeof each !== "object");
    const objects = elements.filter((each) => each !== null && typeof each === "object");
    return (objects.length === 0 ? [{ values: [], fields: {} }] : objects.flatMap(unfolded)).map(({ fields }) => ({ values, fields }));
  }
  let all: One[] = [{ values: [], fields: {} }];
  for (const [key, value] of Object.entries(event))
    all = all.flatMap(({ fields }) => unfolded(value).map((one) => ({ values: [], fields: { ...fields, [key]: one } })));
  return all;
}

const NOTHING: One = { values: [], fields: {} };

function meets(pattern: Pattern, event: One, whole: readonly One[], path: readonly string[]): boolean {
  return Object.entries(pattern).every(([key, wanted]) => {
    if (key === "$or") return (wanted as unknown as readonly Pattern[]).some((each) => meets(each, event, whole, path));
    const field = event.fields[key] ?? NOTHING;
    if (!Array.isArray(wanted)) return meets(wanted as Pattern, field, whole, [...path, key]);
    const isThere = (): boolean =>
      whole.some((each) => [...path, key].reduce((one, step) => one.fields[step] ?? NOTHING, each).values.length > 0);
    return wanted.some((entry: Json) => (isAbsence(entry) ? !isThere() : field.values.some((value) => meetsEntry(entry, value))));
  });
}

const isAbsence = (entry: Json): boolean => JSON.stringify(entry) === '{"exists":false}';

function meetsEntry(entry: Json, value: Primitive): boolean {
  if (entry === null || typeof entry !== "object") return value === entry;
  const [type = "", operand = null] = Object.entries(entry)[0] ?? [];
  switch (type) {
    case "exists":
      return true;
    case "prefix":
      return typeof value === "string" && value.slice(0, (operand as string).length) === operand;
    case "suffix":
      return typeof value === "string" && value.slice(value.length - Math.min(value.length, (operand as string).length)) === operand;
    case "equals-ignore-case":
      return typeof value === "string" && value.toUpperCase() === (operand as string).toUpperCase();
    case "anything-but":
      return ![operand].flat().includes(value as never);
    case "wildcard":
      return typeof value === "string" && new RegExp(`^${(operand as string).split("*").join(".*")}$`, "su").test(value);
    default: {
      const [operator, bound] = operand as unknown as [string, number];
      if (typeof value !== "number") return false;
      return operator === "="
        ? value === bound
        : operator === "<"
          ? value < bound
          : operator === "<="
            ? value <= bound
            : operator === ">"
              ? value > bound
              : value >= bound;
    }
  }
}

const wildcards = words.map((word) => word.replaceAll("bb", "*").replaceAll("**", "*"));
const pattern = patternsOf(
  fc.oneof(
    values,
    words.map((prefix) => ({ prefix })),
    words.map((suffix) => ({ suffix })),
    words.map((word) => ({ "equals-ignore-case": word.toUpperCase() })),
    wildcards.map((wildcard) => ({ wildcard })),
    fc.array(words, { minLength: 1, maxLength: 2 }).map((list) => ({ "anything-but": list })),
    fc.boolean().map((exists) => ({ exists })),
    fc.tuple(fc.constantFrom("=", "<", "<=", ">", ">="), fc.integer({ min: 0, max: 3 })).map((numeric) => ({ numeric })),
  ),
);

test("a pattern matches exactly the events its definition says", () => {
  let matched = 0;
  fc.assert(
    fc.property(pattern, event, (wanted, given) => {
      const all = unfolded(given);
      const expected = all.some((one) => meets(wanted, one, all, []));
      if (expected) matched += 1;
      assert.equal(compilePattern(wanted).matches(given), expected);
    }),
    { numRuns: 8_000 },
  );
  assert.ok(matched > 100, `only ${matched} of the drawn pairs match: the property says little`);
});
