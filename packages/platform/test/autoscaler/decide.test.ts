import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { decide, forDebugger, type Observation, type ScalingPolicy } from "../../src/autoscaler/index.ts";

const NOW = 1_000_000;
const POLICY: ScalingPolicy = {
  instancesMin: 0,
  instancesMax: 10,
  callsPerInstance: 1,
  idleMs: 300_000,
  memoryReserveMb: 256,
  cpuShareHigh: 0.9,
};
const QUIET: Observation = {
  running: 0,
  waiting: 0,
  waitingSince: undefined,
  instancesStarting: 0,
  instancesReady: 0,
  idleSince: [],
  cpuShare: undefined,
  memoryFreeMb: undefined,
  failures: undefined,
};

const seen = (changed: Partial<Observation>): Observation => ({ ...QUIET, ...changed });

describe("decide", () => {
  test("nothing to do and nothing there is a steady zero", () => {
    assert.deepEqual(decide(POLICY, QUIET, NOW), { desired: 0, reason: { kind: "steady" }, reviewAt: undefined });
  });

  test("a waiting call wakes one instance, and the reason says how long it waited", () => {
    const decision = decide(POLICY, seen({ waiting: 1, waitingSince: NOW - 7 }), NOW);
    assert.equal(decision.desired, 1);
    assert.deepEqual(decision.reason, { kind: "demand", running: 0, waiting: 1, waitedMs: 7 });
  });

  test("an instance that starts already counts: one call does not start two", () => {
    assert.equal(decide(POLICY, seen({ waiting: 1, instancesStarting: 1 }), NOW).desired, 1);
  });

  test("calls share instances that take several", () => {
    const policy = { ...POLICY, callsPerInstance: 10 };
    assert.equal(decide(policy, seen({ running: 10, waiting: 11, instancesReady: 1 }), NOW).desired, 3);
  });

  test("the limit is never passed, and the reason says what was wanted", () => {
    const decision = decide(POLICY, seen({ running: 10, waiting: 5, instancesReady: 10 }), NOW);
    assert.equal(decision.desired, 10);
    assert.deepEqual(decision.reason, { kind: "limit", wanted: 15, instancesMax: 10 });
  });

  test("a limit lowered below what runs lowers what is desired", () => {
    assert.equal(decide({ ...POLICY, instancesMax: 2 }, seen({ running: 5, instancesReady: 5 }), NOW).desired, 2);
  });

  test("under a debugger one instance is wanted, idle or not, and never a second", () => {
    const policy = forDebugger({ ...POLICY, callsPerInstance: 10, instancesMin: 3, idleMs: 0 });
    assert.equal(decide(policy, QUIET, NOW).desired, 1);
    assert.equal(decide(policy, seen({ instancesReady: 1, idleSince: [0], memoryFreeMb: 1 }), NOW).desired, 1);
    assert.equal(decide(policy, seen({ running: 1, waiting: 50, instancesReady: 1 }), NOW).desired, 1);
    assert.equal(
      decide(forDebugger({ ...POLICY, instancesMax: 0 }), seen({ waiting: 1 }), NOW).desired,
      0,
      "a reservation of zero stops it",
    );
  });

  test("provisioned instances are there without any call", () => {
    const decision = decide({ ...POLICY, instancesMin: 3 }, QUIET, NOW);
    assert.equal(decision.desired, 3);
    assert.deepEqual(decision.reason, { kind: "provisioned", instances: 3 });
  });

  test("provisioned instances stay however long they are idle", () => {
    const idle = seen({ instancesReady: 3, idleSince: [0, 0, 0] });
    assert.equal(decide({ ...POLICY, instancesMin: 3 }, idle, NOW).desired, 3);
  });

  test("provisioned instances whose starts fail are tried again later and later, not over and over", () => {
    const policy = { ...POLICY, instancesMin: 1 };
    const failed = (count: number) => seen({ failures: { count, lastAt: NOW } });
    assert.deepEqual(decide(policy, failed(1), NOW), {
      desired: 0,
      reason: { kind: "backOff", failures: 1, until: NOW + 1_000 },
      reviewAt: NOW + 1_000,
    });
    assert.equal(decide(policy, failed(4), NOW).reviewAt, NOW + 8_000);
    assert.equal(decide(policy, failed(50), NOW).reviewAt, NOW + 300_000);
    assert.equal(decide(policy, failed(1), NOW + 1_000).desired, 1);
  });

  test("a call that waits is tried although starts failed before", () => {
    assert.equal(decide(POLICY, seen({ waiting: 1, waitingSince: NOW, failures: { count: 9, lastAt: NOW } }), NOW).desired, 1);
  });

  test("an idle instance is kept until its time, and the decision says when to look again", () => {
    const decision = decide(POLICY, seen({ instancesReady: 1, idleSince: [NOW - 1_000] }), NOW);
    assert.equal(decision.desired, 1);
    assert.equal(decision.reviewAt, NOW - 1_000 + POLICY.idleMs);
  });

  test("of three spare instances only the one whose time came goes", () => {
    const policy = { ...POLICY, idleMs: 15 };
    const decision = decide(policy, seen({ instancesReady: 3, idleSince: [30, 10, 20] }), 27);
    assert.deepEqual(decision, { desired: 2, reason: { kind: "idle", instances: 1 }, reviewAt: 35 });
  });

  test("short of memory, idle instances go at once and busy ones stay", () => {
    const decision = decide(POLICY, seen({ running: 1, instancesReady: 3, idleSince: [NOW, NOW], memoryFreeMb: 100 }), NOW);
    assert.equal(decision.desired, 1);
    assert.deepEqual(decision.reason, { kind: "memoryPressure", memoryFreeMb: 100 });
  });

  test("a machine that cannot tell its memory is not taken for one that has none", () => {
    assert.equal(decide(POLICY, seen({ instancesReady: 1, idleSince: [NOW], memoryFreeMb: undefined }), NOW).desired, 1);
  });

  test("saturated instances that share calls get one more beside them", () => {
    const policy = { ...POLICY, callsPerInstance: 100 };
    const decision = decide(policy, seen({ running: 20, instancesReady: 1, cpuShare: 0.98 }), NOW);
    assert.equal(decision.desired, 2);
    assert.deepEqual(decision.reason, { kind: "busyProcessor", cpuShare: 0.98 });
  });

  test("the answer stays within its limits and never starts and drops at once, whatever is seen", () => {
    const count = fc.nat({ max: 50 });
    fc.assert(
      fc.property(
        count,
        count,
        count,
        count,
        fc.nat({ max: 8 }),
        fc.integer({ min: 1, max: 20 }),
        fc.array(fc.nat({ max: NOW }), { maxLength: 20 }),
        (running, waiting, starting, busy, min, calls, idleSince) => {
          const policy = { ...POLICY, instancesMin: min, callsPerInstance: calls };
          const observation = seen({ running, waiting, instancesStarting: starting, instancesReady: busy + idleSince.length, idleSince });
          const have = starting + busy + idleSince.length;
          const { desired, reason } = decide(policy, observation, NOW);
          assert.ok(desired >= 0 && desired <= Math.max(policy.instancesMax, have));
          if (waiting + running > 0 && reason.kind !== "limit")
            assert.ok(desired * calls >= Math.min(running + waiting, policy.instancesMax * calls));
          if (reason.kind !== "limit") assert.ok(desired >= have - idleSince.length || desired >= Math.ceil((running + waiting) / calls));
        },
      ),
    );
  });
});
