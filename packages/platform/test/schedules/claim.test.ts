/** Which occurrences of a schedule that is due are done, missed, or left to the next step. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { claim, MISSED_PER_COMMIT_MAX, MISSED_RECORDED_MAX } from "../../src/schedules/claim.ts";
import type { Due, ScheduleRecord, ScheduleSettings } from "../../src/schedules/schedule.ts";
import { HOUR_MS, MINUTE_MS, settings, target } from "./world.ts";

const START = Date.UTC(2026, 0, 1);

function record(more: Partial<ScheduleSettings>): ScheduleRecord {
  return { name: "s", settings: settings(more), createdAt: START, modifiedAt: START, anchor: START, created: undefined };
}

/** Claims until nothing is due; what every step said. */
function all(schedule: ScheduleRecord, now: number) {
  const missed: number[] = [];
  const shared: { readonly from: number; readonly until: number }[] = [];
  const fired: number[] = [];
  let due: Due | undefined = { dueAt: START, fireAt: START };
  let steps = 0;
  while (due && due.fireAt <= now) {
    const step = claim(schedule, due, now, 0.5);
    assert.ok(step.missed.length <= MISSED_PER_COMMIT_MAX);
    missed.push(...step.missed);
    if (step.shared) shared.push(step.shared);
    if (step.fire) fired.push(step.fire.dueAt);
    due = step.next;
    steps += 1;
  }
  return { missed, shared, fired, due, steps };
}

describe("claiming a schedule", () => {
  it("does one occurrence and records every other one, in their order, however long nobody looked", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 0, max: 30 * 60 * MINUTE_MS }), (period, lateMs) => {
        const now = START + lateMs;
        const { missed, shared, fired, due } = all(
          record({ expression: period === 1 ? "rate(1 minute)" : `rate(${period} minutes)` }),
          now,
        );
        const passed = Array.from(
          { length: Math.floor(lateMs / (period * MINUTE_MS)) + 1 },
          (_, index) => START + index * period * MINUTE_MS,
        );
        assert.deepEqual(fired, passed.slice(-1));
        assert.equal(due?.dueAt, START + passed.length * period * MINUTE_MS);
        const recorded = new Set(missed);
        for (const at of passed.slice(0, -1)) {
          const isShared = shared.some(({ from, until }) => at >= from && at < until);
          assert.ok(recorded.has(at) !== isShared, `${at - START}`);
        }
        assert.equal(recorded.size, missed.length);
      }),
      { numRuns: 60 },
    );
  });

  it("shares one record among what is too much and too old", () => {
    const now = START + 49 * HOUR_MS;
    const { missed, shared, fired } = all(record({ expression: "rate(1 minute)" }), now);
    assert.deepEqual(shared, [{ from: START, until: now - 24 * HOUR_MS }]);
    assert.equal(missed.length, MISSED_RECORDED_MAX);
    assert.deepEqual(fired, [now]);
    // As many as are recorded one by one anyway are, whatever their age.
    const sparse = all(record({ expression: "rate(1 day)" }), START + 100 * 24 * HOUR_MS);
    assert.deepEqual([sparse.shared, sparse.missed.length, sparse.fired.length], [[], 100, 1]);
  });

  it("shares one record also among all of one that came to its end meanwhile", () => {
    const endAt = START + 5 * 24 * HOUR_MS;
    const now = START + 30 * 24 * HOUR_MS;
    const { missed, shared, fired, due } = all(record({ expression: "rate(1 minute)", endAt }), now);
    assert.deepEqual([missed, shared, fired, due], [[], [{ from: START, until: now - 24 * HOUR_MS }], [], undefined]);
  });

  it("counts an age from when the occurrence could have been done", () => {
    const action = { kind: "target", target: target({ ageMsMax: HOUR_MS }) } as const;
    const daily = record({ expression: "rate(1 day)", action });
    assert.deepEqual(all(daily, START + HOUR_MS - 1).fired, [START]);
    assert.deepEqual(all(daily, START + HOUR_MS), {
      missed: [START],
      shared: [],
      fired: [],
      due: { dueAt: START + 24 * HOUR_MS, fireAt: START + 24 * HOUR_MS },
      steps: 1,
    });
    const window = claim(
      record({ expression: "rate(1 day)", action, windowMs: 4 * HOUR_MS }),
      { dueAt: START, fireAt: START + 3 * HOUR_MS },
      START + 3 * HOUR_MS,
      0,
    );
    assert.deepEqual([window.missed, window.fire], [[], { dueAt: START, since: START + 3 * HOUR_MS }]);
  });

  it("does not call missed what still has time in its window", () => {
    const schedule = record({ expression: "rate(1 minute)", windowMs: 10 * MINUTE_MS });
    const step = claim(schedule, { dueAt: START, fireAt: START + 9 * MINUTE_MS }, START + 9 * MINUTE_MS, 0.5);
    assert.deepEqual([step.missed, step.fire?.dueAt], [[], START]);
    assert.deepEqual(step.next, { dueAt: START + MINUTE_MS, fireAt: START + 6 * MINUTE_MS });
  });
});
