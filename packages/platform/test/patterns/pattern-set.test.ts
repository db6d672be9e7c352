import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { isLambentError } from "../../src/base/index.ts";
import { compilePattern, PatternSet } from "../../src/patterns/index.ts";

test("the answer has each key once, in the order of adding, and a replaced pattern keeps its place", () => {
  const set = new PatternSet<string>();
  set.add("second thoughts", { a: [1] });
  set.add("either", { $or: [{ a: [1] }, { b: [2] }] });
  set.add("text", '{"a": [{"numeric": [">", 0]}]}');
  assert.deepEqual(set.matches({ a: 1, b: 2 }), ["second thoughts", "either", "text"]);
  set.add("second thoughts", { b: [2] });
  assert.deepEqual(set.matches({ a: 1, b: 2 }), ["second thoughts", "either", "text"]);
  assert.deepEqual(set.matches({ a: 1 }), ["either", "text"]);
  set.remove("either");
  set.remove("never there");
  assert.deepEqual(set.matches({ a: 1, b: 2 }), ["second thoughts", "text"]);
  assert.equal(set.size, 2);
});

test("a refused pattern changes nothing, also where it was to replace one", () => {
  const set = new PatternSet<string>();
  set.add("kept", { a: [1] });
  for (const wrong of [{}, { a: [] }, "{"])
    assert.throws(
      () => set.add("kept", wrong),
      (error) => isLambentError(error, "InvalidPattern"),
    );
  assert.equal(set.size, 1);
  assert.deepEqual(set.matches({ a: 1 }), ["kept"]);
});

test("one element of an array has to meet all that is asked of it, whatever else the array has", () => {
  const set = new PatternSet<string>();
  for (let i = 0; i < 20; i += 1)
    for (let j = 0; j < 20; j += 1) set.add(`${i}/${j}`, { items: { sku: [`s${i}`], count: [{ numeric: ["=", j] }] } });
  const items = Array.from({ length: 20 }, (_, i) => ({ sku: `s${i}`, count: 19 - i }));
  assert.deepEqual(
    set.matches({ items }),
    items.map(({ sku, count }) => `${sku.slice(1)}/${count}`),
  );
});

test("an object with very many keys is read by what is asked of it", () => {
  const set = new PatternSet<number>();
  for (let i = 0; i < 100; i += 1) set.add(i, { detail: { [`key-${i}`]: [i], [`key-${i + 1}`]: [{ exists: true }] } });
  const detail = Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`key-${i}`, i]));
  assert.equal(set.matches({ detail }).length, 100);
  assert.deepEqual(set.matches({ detail: { "key-7": 7, "key-8": null } }), [7]);
});

// A recursion over either would end the process: "Maximum call stack size exceeded".
test("arrays inside each other, a hundred thousand deep, are looked into", () => {
  const nested = JSON.parse(`${"[".repeat(100_000)}"deep"${"]".repeat(100_000)}`) as unknown;
  const objects = JSON.parse(`${"[".repeat(100_000)}{"b":"deep"}${"]".repeat(100_000)}`) as unknown;
  const set = new PatternSet<string>();
  const patterns = { value: { a: ["deep"] }, object: { a: { b: ["deep"] } }, absent: { a: { c: [{ exists: false }] } } };
  for (const [key, pattern] of Object.entries(patterns)) set.add(key, pattern);
  assert.deepEqual(set.matches({ a: nested }), ["value", "absent"]);
  assert.deepEqual(set.matches({ a: objects }), ["object", "absent"]);
  assert.deepEqual(
    Object.values(patterns).map((pattern) => compilePattern(pattern).matches({ a: objects })),
    [false, true, true],
  );
});

test("ranges are told apart from the smallest numbers to the largest, also where no number lies between their ends", () => {
  const numbers = [
    -5e9,
    -4,
    -3,
    -0.1,
    -Number.MIN_VALUE,
    0,
    Number.MIN_VALUE,
    1e-310,
    0.1,
    0.3,
    3,
    3.9999999999999996,
    4,
    4.000000000000001,
    4_999_999_999.999999,
    5e9,
  ];
  const set = new PatternSet<string>();
  const ranges = numbers.flatMap((low, at) => numbers.slice(at + 1).map((high) => [low, high] as const));
  const patterns = ranges.flatMap(([low, high]) => [
    { low, high, open: false, numeric: [">=", low, "<=", high] },
    { low, high, open: true, numeric: [">", low, "<", high] },
  ]);
  for (const { numeric } of patterns) set.add(JSON.stringify(numeric), { a: [{ numeric }] });
  for (const value of [...numbers, 3.5, 2, -1e9, 6e9]) {
    const expected = patterns.filter(({ low, high, open }) => (open ? value > low && value < high : value >= low && value <= high));
    assert.deepEqual(
      set.matches({ a: value }),
      expected.map(({ numeric }) => JSON.stringify(numeric)),
      String(value),
    );
  }
  for (const { numeric } of patterns.slice(1)) set.remove(JSON.stringify(numeric));
  assert.equal(set.matches({ a: -4.5e9 }).length, 1);
});

// JSON.stringify writes Infinity like null: leaves that were told apart by that text became one.
test("numbers too large for a number, null and texts of the same look are told apart", () => {
  const set = new PatternSet<string>();
  const values = ["1e999", "-1e999", "null", "true", "1", '"1"', '"null"', '"true"', '"Infinity"', "0"];
  for (const value of values) set.add(value, `{"a": [${value}]}`);
  for (const value of values) assert.deepEqual(set.matches(JSON.parse(`{"a": ${value}}`)), [value]);
});

test("rules that come and go leave nothing behind", () => {
  const set = new PatternSet<number>();
  const round = (from: number): void => {
    for (let i = from; i < from + 1_000; i += 1)
      set.add(i, i % 2 === 0 ? { source: ["shop"], [`gone-${i}`]: [{ exists: false }] } : ruleOf(i));
    assert.deepEqual(
      set.matches(eventOf(from + 5)).filter((i) => i % 2 === 1),
      [from + 5],
    );
    for (let i = from; i < from + 1_000; i += 1) set.remove(i);
  };
  // Some stay, so that what others leave behind would have something to lie in.
  for (let i = 1; i <= 20; i += 1) set.add(-i, { source: ["shop"], zone: [i] });
  round(0);
  const before = heapBytes();
  for (let count = 1; count <= 20; count += 1) round(count * 1_000);
  const grown = heapBytes() - before;
  // A tenth of what one of 20,000 rules takes.
  assert.ok(grown < 4_000_000, `${grown} bytes are left`);
});

const ruleOf = (i: number): object => ({
  source: ["shop"],
  [`field-${i}`]: [{ exists: false }],
  detail: {
    total: [{ numeric: [">=", i, "<", i + 1] }],
    path: [{ wildcard: `*/item-${i}/*` }, { prefix: `/${i}/` }],
    state: [{ "anything-but": { suffix: [`-${i}`] } }],
    address: [{ cidr: `10.${i % 256}.0.0/16` }, { "equals-ignore-case": `HOST-${i}` }],
  },
});

const eventOf = (i: number): object => ({
  source: "shop",
  detail: { total: i, path: `/item-${i}/x`, state: "paid", address: `host-${i}` },
});

function heapBytes(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  return process.memoryUsage().heapUsed;
}
