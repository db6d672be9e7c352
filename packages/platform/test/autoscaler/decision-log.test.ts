import assert from "node:assert/strict";
import { test } from "node:test";
import { DECISION_LOG_RECORDS_MAX, DecisionLog, decide, type Observation, type ScalingPolicy } from "../../src/autoscaler/index.ts";

const POLICY: ScalingPolicy = {
  instancesMin: 0,
  instancesMax: 100,
  callsPerInstance: 1,
  idleMs: 1_000,
  memoryReserveMb: 0,
  cpuShareHigh: 0.9,
};
const seen = (waiting: number, ready: number): Observation => ({
  running: 0,
  waiting,
  waitingSince: waiting > 0 ? 0 : undefined,
  instancesStarting: 0,
  instancesReady: ready,
  idleSince: [],
  cpuShare: undefined,
  memoryFreeMb: undefined,
  failures: undefined,
});

const WALL = 1_700_000_000_000;

function record(log: DecisionLog, atMs: number, observation: Observation, at = WALL + atMs): void {
  log.add({ at, atMs }, observation, decide(POLICY, observation, atMs));
}

test("a decision's cost is what was spent until the next one: instance time, cold starts, waiting", () => {
  const log = new DecisionLog();
  record(log, 0, seen(2, 3));
  log.countColdStart();
  record(log, 50, seen(0, 5));
  assert.deepEqual(log.records[0]?.cost, { instanceMs: 150, coldStarts: 1, waitingMs: 100 });
  assert.equal(log.records[1]?.cost, undefined, "the open decision has no cost yet");
});

test("a wall clock set back an hour changes no cost, and is what people are shown", () => {
  const log = new DecisionLog();
  record(log, 0, seen(2, 3));
  record(log, 50, seen(0, 5), WALL - 3_600_000);
  assert.deepEqual(log.records[0]?.cost, { instanceMs: 150, coldStarts: 0, waitingMs: 100 });
  assert.equal(log.records[1]?.at, WALL - 3_600_000);
});

test("looking twice at the same thing is one step", () => {
  const log = new DecisionLog();
  record(log, 0, seen(1, 0));
  record(log, 5, seen(1, 0));
  assert.equal(log.records.length, 1);
});

test("the log keeps its bound, the oldest steps go first", () => {
  const log = new DecisionLog();
  for (let at = 0; at <= DECISION_LOG_RECORDS_MAX; at++) record(log, at, seen(at % 2, at));
  assert.equal(log.records.length, DECISION_LOG_RECORDS_MAX);
  assert.equal(log.records[0]?.atMs, 1);
});
