import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LANE_TRIED_MAX, LANES_KNOWN_MAX, Lanes } from "../../src/delivery/lanes.ts";
import { later, never, taken } from "../outbox/world.ts";

const MINUTE_MS = 60_000;

/** How many of a lane may begin now. */
function room(lanes: Lanes, now: number, lane = "a"): number {
  let begun = 0;
  for (; lanes.isOpen(lane, now); begun++) lanes.begin(lane);
  for (let left = begun; left > 0; left--) lanes.end(lane, { kind: "wait", ms: 0 }, now);
  return begun;
}

function tries(lanes: Lanes, outcome: ReturnType<typeof later>, now: number, count = 1): number | undefined {
  let pausedUntil: number | undefined;
  for (let each = 0; each < count; each++) {
    lanes.begin("a");
    pausedUntil = lanes.end("a", outcome, now);
  }
  return pausedUntil;
}

describe("a lane", () => {
  test("begins with eight at once, and grows by one with each that is taken, up to its bound", () => {
    const lanes = new Lanes();
    for (let begun = 0; begun < 8; begun++) {
      assert.ok(lanes.isOpen("a", 0));
      lanes.begin("a");
    }
    assert.ok(!lanes.isOpen("a", 0) && lanes.isOpen("b", 0));
    lanes.end("a", taken(), 0);
    assert.equal(room(lanes, 0), 2);
    for (let each = 0; each < 200; each++) tries(lanes, never(), 0);
    assert.equal(room(lanes, 0), LANE_TRIED_MAX - 7);
  });

  test("has room for half as many behind each failure, but always for one", () => {
    const lanes = new Lanes();
    for (const wanted of [4, 2, 1, 1]) {
      assert.equal(tries(lanes, later(), 0), undefined);
      assert.equal(room(lanes, 0), wanted);
    }
  });

  test("is left alone behind five failures in a row, for a second, then twice as long each time, a minute at most", () => {
    const lanes = new Lanes();
    assert.equal(tries(lanes, later(), 0, 4), undefined);
    const pauses: unknown[] = [];
    let now = 0;
    for (let failure = 5; failure < 14; failure++) {
      const until = tries(lanes, later(), now) ?? assert.fail();
      assert.ok(!lanes.isOpen("a", until - 1) && lanes.isOpen("a", until));
      assert.equal(lanes.pausedUntil("a"), until);
      pauses.push((until - now) / 1_000);
      now = until;
    }
    assert.deepEqual(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    tries(lanes, later(), now, 1_000);
    assert.equal(lanes.pausedUntil("a"), now + MINUTE_MS);
    assert.equal(lanes.refusalOf("a")?.code, "THROTTLING");
    assert.equal(tries(lanes, taken(), now + MINUTE_MS), undefined);
    assert.equal(tries(lanes, later(), now + MINUTE_MS), undefined, "one that was taken ends the row");
    assert.equal(room(lanes, now + MINUTE_MS), 4);
  });

  test("that takes one while others of it failed stays alone until its pause is over", () => {
    const lanes = new Lanes();
    for (let each = 0; each < 6; each++) lanes.begin("a");
    for (let each = 0; each < 5; each++) lanes.end("a", later(), 100);
    assert.equal(lanes.end("a", taken(), 200), 1_100);
    assert.equal(lanes.refusalOf("a"), undefined);
  });

  test("waits as long as its target says, which is no failure", () => {
    const lanes = new Lanes();
    lanes.begin("a");
    lanes.begin("a");
    assert.equal(lanes.end("a", { kind: "wait", ms: 300 }, 0), 300);
    assert.equal(lanes.end("a", { kind: "wait", ms: 100 }, 0), 300, "a shorter wait does not cut a longer one");
    assert.equal(lanes.refusalOf("a"), undefined);
    assert.equal(room(lanes, 300), 8);
  });

  test("of an outbox that keeps an order has room for one", () => {
    const lanes = new Lanes(1);
    assert.equal(room(lanes, 0), 1);
    tries(lanes, taken(), 0, 5);
    assert.equal(room(lanes, 0), 1);
  });

  test("P7: that failed is forgotten once too many are known, but not while one of it is tried", () => {
    const lanes = new Lanes();
    lanes.begin("busy");
    for (let lane = 0; lane < LANES_KNOWN_MAX + 10; lane++) {
      lanes.begin(`lane ${lane}`);
      lanes.end(`lane ${lane}`, later(), 0);
    }
    assert.equal(lanes.refusalOf("lane 0"), undefined);
    assert.equal(lanes.refusalOf(`lane ${LANES_KNOWN_MAX}`)?.code, "THROTTLING");
    for (let more = 0; more < 7; more++) lanes.begin("busy");
    assert.ok(!lanes.isOpen("busy", 0));
  });
});
