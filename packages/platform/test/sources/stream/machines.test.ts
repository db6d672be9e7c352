import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { afterCall } from "../../../src/sources/stream/after-call.ts";
import { type Moment, nextWork, pieceOf, type SlotRules } from "../../../src/sources/stream/cut.ts";
import type { Held } from "../../../src/sources/stream/held.ts";
import { advanced, from, isDone, positionOf, progressFrom, slotOf, withSlots } from "../../../src/sources/stream/progress.ts";
import { type ShardEvent, type ShardState, shardStep } from "../../../src/sources/stream/shard-machine.ts";
import { firstOpen, type SlotEvent, type SlotState, slotStep } from "../../../src/sources/stream/slot-machine.ts";

const RULES: SlotRules = { batchSize: 2, windowMs: 0, bisects: false, retriesMax: 1, recordAgeMsMax: Infinity, tumblingMs: 0 };
const NOW: Moment = { ms: 1_000, now: 100_000, keptFrom: 0, read: "behind" };
const held = (offset: number, changed: Partial<Held> = {}): Held => ({
  offset,
  bytes: 10,
  arrivedAt: 100_000,
  fault: undefined,
  ...changed,
});
const offsets = (records: readonly Held[]): number[] => records.map(({ offset }) => offset);

test("every state of a slot takes every event, and what is held is called with, written or dropped, never lost", () => {
  const piece = pieceOf([held(0), held(1)], undefined);
  const line = { behind: [pieceOf([held(2)], undefined)], held: [held(3), held(4), held(5)], window: undefined };
  const states: SlotState<Held>[] = [
    { kind: "stopped" },
    { kind: "gathering", line: { ...line, behind: [] }, closesAt: 2_000 },
    { kind: "calling", line, piece },
    { kind: "waiting", line, piece, until: 5_000, why: "refused" },
    { kind: "waiting", line, piece, until: 500, why: "failed" },
    { kind: "settling", line },
    { kind: "finishing", line, piece },
    { kind: "closing", line },
  ];
  const events: SlotEvent<Held>[] = [
    { kind: "start", window: undefined },
    { kind: "stop" },
    { kind: "records", records: [held(6)] },
    { kind: "press" },
    { kind: "wake" },
    { kind: "room" },
    { kind: "ended", ending: { kind: "answered" } },
    { kind: "ended", ending: { kind: "answered", failedFrom: 1 } },
    { kind: "ended", ending: { kind: "failed" } },
    { kind: "refused" },
    { kind: "settled" },
  ];
  const inLine = (state: SlotState<Held>): number[] => {
    if (state.kind === "stopped") return [];
    const called = "piece" in state ? offsets(state.piece.records) : [];
    return [...called, ...state.line.behind.flatMap(({ records }) => offsets(records)), ...offsets(state.line.held)];
  };
  const ascending = (one: number, other: number): number => one - other;
  for (const state of states)
    for (const event of events) {
      const before = [...inLine(state), ...(event.kind === "records" ? offsets(event.records) : [])];
      const step = slotStep(state, event, RULES, NOW);
      const left = step.effects.flatMap((effect) => {
        if (effect.kind === "drop") return offsets(effect.records);
        return effect.kind === "settle" ? offsets(effect.settlement.records) : [];
      });
      assert.deepEqual([...left, ...inLine(step.state)].toSorted(ascending), before.toSorted(ascending), `${state.kind} ${event.kind}`);
      const calls = step.effects.filter(({ kind }) => kind === "call").length;
      const isNew = step.state.kind === "calling" && !(state.kind === "calling" && state.piece === step.state.piece);
      assert.equal(calls, isNew ? 1 : 0, `${state.kind} ${event.kind}`);
      for (const effect of step.effects) if (effect.kind === "settle") assert.equal(effect.next, firstOpen(step.state));
    }
});

test("every state of a shard takes every event, and one that was stopped begins nothing", () => {
  const states: ShardState[] = [
    { kind: "stopped" },
    { kind: "opening", failures: 1 },
    { kind: "reading" },
    { kind: "full" },
    { kind: "resting", failures: 2 },
    { kind: "atEnd" },
    { kind: "draining" },
  ];
  const events: ShardEvent[] = [
    { kind: "start" },
    { kind: "stop" },
    { kind: "opened" },
    { kind: "read", full: false },
    { kind: "read", full: true },
    { kind: "failed" },
    { kind: "ended" },
    { kind: "wake" },
    { kind: "released" },
    { kind: "drained" },
  ];
  const told = states.map((state) =>
    events.map((event) => `${event.kind}:${shardStep(state, event, 0).state.kind}`).filter((each) => !each.endsWith(`:${state.kind}`)),
  );
  assert.deepEqual(told, [
    ["start:opening"],
    ["stop:draining", "opened:reading", "failed:resting", "ended:atEnd"],
    ["stop:draining", "read:full", "failed:resting", "ended:atEnd"],
    ["stop:draining", "released:reading"],
    ["stop:draining", "ended:atEnd", "wake:opening"],
    ["stop:draining"],
    ["drained:stopped"],
  ]);
  assert.deepEqual(shardStep({ kind: "resting", failures: 2 }, { kind: "wake" }, 0).state, { kind: "opening", failures: 2 });
  assert.deepEqual(shardStep({ kind: "opening", failures: 2 }, { kind: "failed" }, 0).effects, [{ kind: "wakeAt", at: 4_000 }]);
});

test("a batch is cut where it is full, too large, faulty, or in another window", () => {
  const cut = (records: readonly Held[], rules: Partial<SlotRules> = {}, moment: Partial<Moment> = {}, closed = false) => {
    const work = nextWork(records, undefined, { ...RULES, ...rules }, { ...NOW, ...moment }, closed);
    if (work.kind === "none") return "none";
    return `${work.kind === "batch" ? "batch" : work.reason} ${offsets(work.kind === "batch" ? work.piece.records : work.records).join()}`;
  };
  const three = [held(0), held(1), held(2)];
  assert.equal(cut([]), "none");
  assert.equal(cut(three), "batch 0,1");
  assert.equal(cut(three, { batchSize: 9, windowMs: 1 }), "none");
  assert.equal(cut(three, { batchSize: 9, windowMs: 1 }, {}, true), "batch 0,1,2");
  assert.equal(cut(three, { batchSize: 9, windowMs: 1 }, { read: "ended" }), "batch 0,1,2");
  assert.equal(cut([held(0, { bytes: 5_000_000 }), held(1, { bytes: 5_000_000 })]), "batch 0");
  assert.equal(cut([held(0), held(1, { fault: "notJson" })], { windowMs: 1 }), "batch 0");
  assert.equal(cut([held(0, { fault: "notJson" }), held(1, { fault: "notJson" }), held(2)]), "notJson 0,1");
  assert.equal(cut(three, {}, { keptFrom: 2 }), "expired 0,1");
  assert.equal(cut([held(0, { arrivedAt: 0 }), held(1)], { recordAgeMsMax: 60_000 }), "expired 0");
  assert.equal(cut([held(0, { arrivedAt: 59_999 }), held(1, { arrivedAt: 60_000 })], { tumblingMs: 60_000, windowMs: 1 }), "batch 0");
  const open = { start: 0, state: "{}" };
  const over = nextWork([held(0)], open, { ...RULES, tumblingMs: 60_000 }, NOW, false);
  assert.deepEqual(over.kind === "batch" && [over.piece.records, over.piece.window?.closing], [[], "ended"]);
});

test("what follows from a call: handled, in part, bisected, tried again, given up", () => {
  const piece = { ...pieceOf([held(0), held(1), held(2)], undefined), failures: 1 };
  const after = (ending: Parameters<typeof afterCall>[1], rules: Partial<SlotRules> = {}) => {
    const then = afterCall(piece, ending, undefined, { ...RULES, ...rules });
    if (then.kind === "settle")
      return [then.settlement.outcome, offsets(then.settlement.records), ...then.again.map(({ records }) => offsets(records))];
    return [
      then.kind,
      ...(then.kind === "retry" ? then.pieces : [then.piece]).map(({ records, failures }) => [offsets(records), failures]),
    ];
  };
  assert.deepEqual(after({ kind: "answered" }), ["handled", [0, 1, 2]]);
  assert.deepEqual(after({ kind: "answered", failedFrom: 2 }), ["handled", [0, 1], [2]]);
  assert.deepEqual(after({ kind: "answered", failedFrom: 0 }), ["retriesExhausted", [0, 1, 2]]);
  assert.deepEqual(after({ kind: "failed" }, { retriesMax: 2 }), ["wait", [[0, 1, 2], 2]]);
  assert.deepEqual(after({ kind: "failed" }, { bisects: true }), ["retry", [[0, 1], 1], [[2], 1]]);
});

test("positions never skip: with slots that come and go, what is not done is never said to be", () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("end" as const), slot: fc.nat(9) }),
    fc.record({ kind: fc.constant("slots" as const), count: fc.integer({ min: 1, max: 10 }) }),
  );
  fc.assert(
    fc.property(fc.array(fc.nat(6), { minLength: 1, maxLength: 60 }), fc.array(step, { maxLength: 80 }), (keys, steps) => {
      const records = keys.map((key, offset) => ({ offset, key: key === 0 ? undefined : `k${key}` }));
      const done = new Set<number>();
      let progress = progressFrom("s", 0, 3);
      for (const each of steps) {
        if (each.kind === "slots") {
          progress = withSlots(progress, each.count);
          continue;
        }
        const slots = progress.next.length;
        const slot = each.slot % slots;
        const mine = records.filter((record) => slotOf(record, slots) === slot && !done.has(record.offset));
        const [first, second] = mine;
        if (!first) continue;
        done.add(first.offset);
        progress = advanced(progress, slot, second?.offset ?? records.length);
        for (const record of records) assert.ok(!isDone(progress, record) || done.has(record.offset), `${record.offset} is not done`);
        assert.ok(records.every(({ offset }) => offset >= positionOf(progress) || done.has(offset)));
      }
      for (const record of records) if (done.has(record.offset)) assert.ok(isDone(progress, record) || progress.fences.length >= 16);
      assert.equal(positionOf(from(progress, 1_000)), 1_000);
    }),
    { seed: 7, numRuns: 300 },
  );
});
