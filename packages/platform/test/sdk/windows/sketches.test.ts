/** What the bounded aggregates promise where exact answers would take too much memory. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Distinct,
  DISTINCT_EXACT_MAX,
  DISTINCT_STANDARD_ERROR,
  Frequent,
  FREQUENT_COUNTERS_MIN,
  Quantiles,
  QUANTILE_EXACT_MAX,
  QUANTILE_RANK_ERROR,
} from "../../../../sdk/src/windows/boxes/index.ts";

const SHARES = [0, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 1];
const shuffled = (count: number): number[] => Array.from({ length: count }, (_, at) => (at * 7_919) % count);

test(`quantiles are exact for ${QUANTILE_EXACT_MAX} numbers and then right to ${QUANTILE_RANK_ERROR * 100} % of rank, in any order`, () => {
  const count = 200_003;
  const orders: Readonly<Record<string, (at: number) => number>> = {
    rising: (at) => at,
    falling: (at) => count - 1 - at,
    shuffled: (at) => (at * 7_919) % count,
    "from both ends": (at) => (at % 2 === 0 ? at / 2 : count - 1 - (at - 1) / 2),
    "from the middle": (at) => Math.floor(count / 2) + (at % 2 === 0 ? at / 2 : -(at + 1) / 2),
  };
  for (const [name, numberAt] of Object.entries(orders)) {
    const whole = new Quantiles(SHARES);
    const parts = Array.from({ length: 10 }, () => new Quantiles(SHARES));
    for (let at = 0; at < count; at++) {
      whole.add(numberAt(at));
      parts[at % 10]?.add(numberAt(at));
    }
    const merged = parts[0] as Quantiles;
    for (const part of parts.slice(1)) merged.merge(part);
    for (const sketch of [whole, merged]) {
      const found = sketch.result() as readonly number[];
      for (const [at, share] of SHARES.entries()) {
        const error = Math.abs((found[at] ?? Number.NaN) / (count - 1) - share);
        assert.ok(error <= QUANTILE_RANK_ERROR, `${name}: ${share} is off by ${error}`);
      }
      assert.ok(sketch.bytes < 12_000, `${sketch.bytes} bytes`);
    }
  }
  const few = new Quantiles([0.5, 0.51]);
  for (const number of shuffled(QUANTILE_EXACT_MAX)) few.add(number);
  assert.deepEqual(few.result(), [QUANTILE_EXACT_MAX / 2 - 1, Math.ceil(0.51 * QUANTILE_EXACT_MAX) - 1]);
});

test(`distinct values are exact up to ${DISTINCT_EXACT_MAX} and then within four standard errors, also merged and counted again`, () => {
  const few = new Distinct();
  for (let round = 0; round < 3; round++) for (let at = 0; at < DISTINCT_EXACT_MAX; at++) few.add(at);
  assert.equal(few.result(), DISTINCT_EXACT_MAX);
  for (const count of [257, 1_000, 5_000, 20_000, 100_000]) {
    const [whole, left, right] = [new Distinct(), new Distinct(), new Distinct()];
    for (let at = 0; at < count; at++) {
      for (const each of [whole, at % 3 === 0 ? left : right, at % 5 === 0 ? left : right]) each.add(`user-${at}`);
    }
    const alone = whole.result() as number;
    assert.ok(Math.abs(alone / count - 1) <= 4 * DISTINCT_STANDARD_ERROR, `${count} counted as ${alone}`);
    left.merge(right);
    assert.equal(left.result(), alone);
  }
});

test("values that differ only in kind or in the order of names are told apart or not", () => {
  const distinct = new Distinct();
  for (const value of [1, "1", true, "true", null, "null", [1], { a: 1, b: 2 }, { b: 2, a: 1 }]) distinct.add(value);
  assert.equal(distinct.result(), 8);
});

test("the most frequent values are found among many more than are counted, and each count says how much it may lack", () => {
  const most = new Frequent(5);
  const other = new Frequent(5);
  const counts = new Map<string, number>();
  let records = 0;
  const note = (value: string, into: Frequent): void => {
    into.add(value);
    counts.set(JSON.stringify(value), (counts.get(JSON.stringify(value)) ?? 0) + 1);
    records += 1;
  };
  for (let at = 0; at < 60_000; at++) {
    note(`rare-${at % 20_000}`, at % 2 === 0 ? most : other);
    if (at % 10 < 5) note(`often-${at % 5}`, at % 4 < 2 ? most : other);
  }
  most.merge(other);
  const found = most.result() as unknown as readonly { readonly value: string; readonly count: number; readonly countMax: number }[];
  assert.deepEqual(found.map(({ value }) => value).toSorted(), ["often-0", "often-1", "often-2", "often-3", "often-4"]);
  for (const { value, count, countMax } of found) {
    const exact = counts.get(JSON.stringify(value)) ?? 0;
    assert.ok(count <= exact && exact <= countMax, `${value}: ${count} ≤ ${exact} ≤ ${countMax}`);
    assert.ok(countMax - count <= records / FREQUENT_COUNTERS_MIN, `${countMax - count} of ${records}`);
  }
});
