import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { maxOf, meanOf, minOf, type Operation, SlidingAggregate, sumOf, varianceOf } from "../../../../sdk/src/windows/index.ts";
import { windowsOf } from "./given.ts";

/** Texts behind each other: associative, and every wrong order shows. Counts how often it is asked. */
function joining(): Operation<string, string, string> & { asked: number } {
  return {
    asked: 0,
    lift: (value) => value,
    combine(earlier, later) {
      this.asked += 1;
      return earlier + later;
    },
    lower: (aggregate) => aggregate,
  };
}

test("a sliding aggregate is that of its last values in order, for an operation that cannot be undone or turned round", () => {
  const steps = fc.array(fc.record({ value: fc.constantFrom("a", "b", "c", "d"), step: fc.nat(5) }), { maxLength: 200 });
  const property = fc.property(steps, fc.integer({ min: 1, max: 40 }), fc.boolean(), (fed, length, byTime) => {
    const operation = joining();
    const sliding = new SlidingAggregate(operation, byTime ? { sizeMs: length } : { size: length });
    let now = 0;
    const past: { readonly value: string; readonly time: number }[] = [];
    assert.equal(sliding.result, undefined);
    for (const { value, step } of fed) {
      now += step;
      past.push({ value, time: now });
      const held = byTime ? past.filter(({ time }) => time > now - length) : past.slice(-length);
      const before = operation.asked;
      assert.equal(sliding.add(value, now), held.map((each) => each.value).join(""));
      assert.equal(sliding.size, held.length);
      if (!byTime) assert.ok(operation.asked - before <= 6, `${operation.asked - before} combinations for one value`);
    }
  });
  fc.assert(property, { numRuns: 300, seed: 20_261_122 });
});

test("a time before the one before is refused, and a size that is none", () => {
  const sliding = new SlidingAggregate(maxOf, { sizeMs: 10 });
  sliding.add(1, 100);
  assert.throws(() => sliding.add(1, 99), RangeError);
  assert.throws(() => sliding.add(1), RangeError);
  assert.throws(() => new SlidingAggregate(maxOf, { size: 0 }), RangeError);
  assert.throws(() => new SlidingAggregate(maxOf, { sizeMs: 1.5 }), RangeError);
});

test("ready operations give the textbook's mean, variance, minimum and maximum", () => {
  const values = [2, 4, 4, 4, 5, 5, 7, 9];
  const over = (operation: Operation<number, unknown, number>): number | undefined => {
    const sliding = new SlidingAggregate(operation, { size: values.length });
    for (const value of [1e12, -1e12, 3, ...values]) sliding.add(value);
    return sliding.result;
  };
  assert.equal(over(sumOf), 40);
  assert.equal(over(meanOf), 5);
  assert.equal(over(varianceOf), 4);
  assert.equal(over(minOf), 2);
  assert.equal(over(maxOf), 9);
});

/** A number that is a whole one times a power of two, as both. Scaled so that every one of them is whole. */
const SCALE = 160;
interface Exact {
  readonly number: number;
  readonly scaled: bigint;
}

/** Tiny ones, huge ones, and huge ones that take each other away; from a fixed generator. */
function* adversarial(count: number): IterableIterator<Exact> {
  let state = 88_172_645;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  for (let at = 0; at < count; at++) {
    const mantissa = (next() % 2 ** 30) - 2 ** 29;
    const exponent = at % 7 === 0 ? 60 : at % 7 === 1 ? -150 : (next() % 90) - 60;
    const sign = at % 14 === 7 ? -1 : 1;
    yield { number: sign * mantissa * 2 ** exponent, scaled: BigInt(sign * mantissa) << BigInt(exponent + SCALE) };
  }
}

const exactly = (scaled: bigint): number => Number(scaled) / 2 ** SCALE;
const magnitude = (scaled: bigint): bigint => (scaled < 0n ? -scaled : scaled);

test("a sliding sum of a million records is that of exact arithmetic, where adding and taking away drifts", () => {
  const size = 64;
  const sum = new SlidingAggregate(sumOf, { size });
  const mean = new SlidingAggregate(meanOf, { size });
  const held: Exact[] = [];
  let [exact, exactMagnitude, drifting, driftMax] = [0n, 0n, 0, 0];
  let at = 0;
  for (const value of adversarial(1_000_000)) {
    const gone = held[at % size];
    held[at % size] = value;
    exact += value.scaled - (gone?.scaled ?? 0n);
    exactMagnitude += magnitude(value.scaled) - magnitude(gone?.scaled ?? 0n);
    drifting = drifting + value.number - (gone?.number ?? 0);
    const got = sum.add(value.number);
    const gotMean = mean.add(value.number);
    at += 1;
    if (at % 11 !== 0) continue;
    const expected = exactly(exact);
    // One rounding of the result, and 2^-100 of what the window holds.
    const allowed = Math.abs(expected) * 2 ** -52 + exactly(exactMagnitude) * 2 ** -100;
    assert.ok(Math.abs(got - expected) <= allowed, `after ${at}: ${got}, exactly ${expected}`);
    assert.ok(Math.abs(gotMean - expected / Math.min(at, size)) <= allowed, `after ${at}: mean ${gotMean}`);
    driftMax = Math.max(driftMax, Math.abs(drifting - expected) / allowed);
  }
  assert.ok(driftMax > 1_000, "the records are such that a running sum drifts");
});

test("what was huge leaves no trace in sums, means and variances of keyed windows", () => {
  const { windows, panes } = windowsOf({
    window: { kind: "sliding", sizeMs: 3 },
    aggregates: { sum: "sum", mean: "mean", variance: "variance", sample: "sampleVariance" },
  });
  for (const [time, value] of [1e139, -3e20, 0.1, 1e-9, 2, 4, 6].entries()) windows.add(0, "a", time, value);
  assert.deepEqual(panes.at(-1)?.values, { sum: 12, mean: 4, variance: 8 / 3, sample: 4 });
});

test("variance is exact for numbers far from zero, where the mean of squares less the square of the mean is not", () => {
  const values = [4, 7, 13, 16].map((value) => value + 1e9);
  const { windows, panes } = windowsOf({
    window: { kind: "tumbling", sizeMs: 10 },
    aggregates: { variance: "variance", sample: "sampleVariance" },
  });
  for (const [time, value] of values.entries()) windows.add(0, "a", time, value);
  windows.finish();
  assert.deepEqual(panes[0]?.values, { variance: 22.5, sample: 30 });
  const squares = values.reduce((sum, value) => sum + value * value, 0) / 4 - (values.reduce((sum, value) => sum + value, 0) / 4) ** 2;
  assert.notEqual(squares, 22.5);
});
