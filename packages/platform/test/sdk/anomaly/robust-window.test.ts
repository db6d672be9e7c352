import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RobustWindow } from "../../../../sdk/src/windows/anomaly/robust-window.ts";

const sorted = (values: readonly number[]): readonly number[] => values.toSorted((a, b) => a - b);

function medianBySorting(values: readonly number[]): number {
  const all = sorted(values);
  const upper = all.length >> 1;
  return all.length % 2 === 1 ? (all[upper] ?? 0) : ((all[upper - 1] ?? 0) + (all[upper] ?? 0)) / 2;
}

/** Many equal values, and few; whole ones, so that no sum is rounded. */
const values = fc.array(fc.oneof(fc.integer({ min: -5, max: 5 }), fc.integer({ min: -100_000, max: 100_000 })), {
  minLength: 1,
  maxLength: 80,
});

test("median and median deviation of a sliding window are those of its values, sorted", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), values, (size, all) => {
      const window = new RobustWindow(size);
      for (const [i, value] of all.entries()) {
        window.add(value);
        const kept = all.slice(Math.max(0, i + 1 - size), i + 1);
        const median = medianBySorting(kept);
        assert.equal(window.size, kept.length);
        assert.equal(window.median, median);
        assert.equal(window.medianDeviation, medianBySorting(kept.map((each) => Math.abs(each - median))), `of ${kept.join(" ")}`);
      }
    }),
    { seed: 7, numRuns: 400 },
  );
});

test("at most the share that was asked for lies above, and no smaller value would do", () => {
  fc.assert(
    fc.property(values, fc.constantFrom(0.01, 0.05, 0.25, 0.5), (all, share) => {
      const window = new RobustWindow(80);
      for (const value of all) window.add(value);
      const bound = window.above(share);
      assert.ok(all.includes(bound));
      assert.ok(all.filter((value) => value > bound).length <= share * all.length + 1e-9);
      const smaller = sorted(all).findLast((value) => value < bound);
      if (smaller !== undefined) assert.ok(all.filter((value) => value > smaller).length > share * all.length - 1e-9);
    }),
    { seed: 8, numRuns: 400 },
  );
});

test("where more than half are equal, the mean distance is the spread", () => {
  const window = new RobustWindow(8);
  for (const value of [5, 5, 5, 5, 5, 9]) window.add(value);
  assert.equal(window.medianDeviation, 0);
  assert.equal(window.spread, (4 / 6) * 1.2533);
});
