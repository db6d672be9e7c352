import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { burstOf, takeToken, type TokenBucket } from "../../../src/delivery/http/token-bucket.ts";

/** Asks at these times; the times of those that were let go. */
function run(perSecond: number, gapsMs: readonly number[]): number[] {
  const gone: number[] = [];
  let bucket: TokenBucket | undefined;
  let now = 0;
  for (const gap of gapsMs) {
    now += gap;
    const outcome = takeToken(bucket, perSecond, now);
    bucket = outcome.bucket;
    if (outcome.kind === "taken") gone.push(now);
  }
  return gone;
}

const perSecond = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 10_000 }));

describe("the rate of calls", () => {
  test("in any stretch of time is at most the rate and one burst, however callers come", () => {
    const gap = fc.oneof(fc.double({ min: 0, max: 5, noNaN: true }), fc.double({ min: 0, max: 3_000, noNaN: true }));
    // Callers come in crowds.
    const crowd = fc
      .tuple(gap, fc.integer({ min: 1, max: 80 }))
      .map(([first, count]) => [first, ...Array.from({ length: count - 1 }, () => 0)]);
    const gaps = fc.array(crowd, { maxLength: 8 }).map((crowds) => crowds.flat());
    fc.assert(
      fc.property(perSecond, gaps, (rate, times) => {
        const gone = run(rate, times);
        for (let from = 0; from < gone.length; from += 1) {
          for (let to = from; to < gone.length; to += 1) {
            const stretchMs = (gone[to] ?? 0) - (gone[from] ?? 0);
            assert.ok(
              to - from + 1 <= burstOf(rate) + (rate * stretchMs) / 1_000 + 1e-3,
              `${to - from + 1} calls in ${stretchMs} ms at ${rate}`,
            );
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  test("who waits as long as is said is let go, and with enough callers the rate is reached", () => {
    fc.assert(
      fc.property(perSecond, fc.double({ min: 0, max: 1e9, noNaN: true }), (rate, start) => {
        let bucket: TokenBucket | undefined;
        let [now, gone, waits] = [start, 0, 0];
        const until = start + 20_000;
        while (now < until) {
          const outcome = takeToken(bucket, rate, now);
          bucket = outcome.bucket;
          if (outcome.kind === "taken") {
            gone += 1;
            continue;
          }
          now += outcome.ms;
          waits += 1;
          assert.equal(takeToken(bucket, rate, now).kind, "taken");
        }
        assert.ok(gone >= rate * 20 * 0.98 && gone <= rate * 20.5 + 2 * burstOf(rate), `${gone} in 20 s at ${rate} per second`);
        assert.ok(waits <= 2 * 20 * Math.min(rate, 20), `woken ${waits} times`);
      }),
      { numRuns: 50 },
    );
  });

  test("a clock that goes back takes nothing away and gives nothing", () => {
    const { bucket } = takeToken(undefined, 1, 1_000);
    assert.equal(takeToken(bucket, 1, 0).kind, "wait");
  });
});
