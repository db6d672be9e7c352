import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { afterHandOver, BACK_OFF_WAITS_MS, type RetryPolicy, type Tried } from "../../src/outbox/index.ts";

const POLICY: RetryPolicy = { retriesMax: 185, ageMsMax: 86_400_000, waitsMs: BACK_OFF_WAITS_MS };
const later = (retryAfterMs?: number): Tried => ({
  kind: "later",
  refusal: { code: "THROTTLING", message: "", retryAfterMs },
  durationMs: 1,
});
const step = (attempts: number, now: number, policy: Partial<RetryPolicy> = {}, outcome = later(), spread = 1) =>
  afterHandOver({ ...POLICY, ...policy }, { acceptedAt: 0, attempts }, outcome, now, spread);
const waitOf = (...asked: Parameters<typeof step>): number | string => {
  const next = step(...asked);
  return next.kind === "again" ? next.at - asked[1] : next.kind === "exhausted" ? next.why : next.kind;
};

describe("what follows from an attempt", () => {
  test("a target that took it, or never will, ends it whatever its age", () => {
    assert.deepEqual(step(1, 1e12, {}, { kind: "taken", recorded: true, durationMs: 1 }), { kind: "taken", recorded: true });
    const refusal = { code: "NO_PERMISSIONS", message: "no" };
    assert.deepEqual(step(1, 0, {}, { kind: "never", refusal, durationMs: 1 }), { kind: "exhausted", why: "refused", refusal });
  });

  test("waits double from a second to ten minutes, and stay there", () => {
    const waits = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 185].map((attempts) => waitOf(attempts, 0));
    assert.deepEqual(
      waits,
      [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600, 600].map((seconds) => seconds * 1_000),
    );
  });

  test("185 attempts follow the first one, and none behind them", () => {
    assert.equal(waitOf(185, 0), 600_000);
    assert.equal(waitOf(186, 0), "MaximumRetryAttempts");
    assert.equal(waitOf(1, 0, { retriesMax: 0 }), "MaximumRetryAttempts");
    assert.equal(waitOf(1, 0, { retriesMax: 1 }), 1_000);
    assert.equal(waitOf(2, 0, { retriesMax: 1 }), "MaximumRetryAttempts");
  });

  test("what would be a day old at its next attempt ends before it, to the millisecond", () => {
    assert.equal(waitOf(1, 86_400_000 - 1_001), 1_000);
    assert.equal(waitOf(1, 86_400_000 - 1_000), "MaximumEventAgeInSeconds");
    assert.equal(waitOf(7, 60_000, { ageMsMax: 60_000 }), "MaximumEventAgeInSeconds");
    assert.equal(waitOf(186, 86_400_000), "MaximumRetryAttempts", "both are over");
  });

  test("a target's own wish is kept where it is later than the policy, and ends what would be too old by then", () => {
    assert.equal(waitOf(1, 0, {}, later(30_000)), 30_000);
    assert.equal(waitOf(6, 0, {}, later(30_000)), 32_000);
    assert.equal(waitOf(1, 0, {}, later(86_400_000)), "MaximumEventAgeInSeconds");
    assert.equal(waitOf(1, 0, {}, later(Number.MAX_SAFE_INTEGER)), "MaximumEventAgeInSeconds");
  });

  test("chance takes off at most half of the wait", () => {
    assert.equal(waitOf(1, 0, {}, later(), 0), 500);
    assert.equal(waitOf(1, 0, {}, later(), 0.5), 750);
    assert.equal(waitOf(1, 0, { waitsMs: [1] }, later(), 0), 1);
  });

  test("a policy without waits tries again at once", () => {
    assert.equal(waitOf(3, 0, { waitsMs: [] }), 0);
  });

  test("every delivery ends: never past its age, never more often than allowed", () => {
    const policy = fc.record({
      retriesMax: fc.nat(185),
      ageMsMax: fc.integer({ min: 60_000, max: 86_400_000 }),
      waitsMs: fc.constant(BACK_OFF_WAITS_MS),
    });
    fc.assert(
      fc.property(policy, fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })), (drawn, spreads) => {
        let now = 0;
        for (let attempts = 1; attempts <= drawn.retriesMax + 1; attempts++) {
          const spread = spreads.next().value as number;
          const next = step(attempts, now, drawn, later(), spread);
          if (next.kind === "exhausted") return;
          assert.ok(next.kind === "again" && next.at < drawn.ageMsMax && next.at > now);
          const wait = BACK_OFF_WAITS_MS[Math.min(attempts - 1, 10)] ?? 0;
          assert.ok(next.at - now >= wait / 2 && next.at - now <= wait);
          now = next.at;
        }
        assert.fail("it was tried more often than its policy allows");
      }),
      { seed: 5, numRuns: 200 },
    );
  });
});
