/** Every kind of window against its definition, over records that are out of order, there twice, and late. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Pane } from "../../../../sdk/src/windows/index.ts";
import { byDefinition, EVERY_AGGREGATE, type TestRecord, WatermarkByDefinition } from "./by-definition.ts";
import { shown, windowsOf } from "./given.ts";

const SOURCES = 2;
const RUNS = { numRuns: 250, seed: 20_261_122 } as const;

/** Records that go forward by a little and jump about; every tenth or so is there twice. */
const records: fc.Arbitrary<readonly TestRecord[]> = fc
  .array(
    fc.record({
      source: fc.nat(SOURCES - 1),
      key: fc.constantFrom("a", "b", "c"),
      step: fc.nat(6),
      back: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(40) }),
      value: fc.integer({ min: -3, max: 3 }),
      twice: fc.nat(9),
    }),
    { maxLength: 60 },
  )
  .map((steps) => {
    let now = -50;
    return steps.flatMap(({ source, key, step, back, value, twice }) => {
      now += step;
      const record = { source, key, time: now - back, value };
      return twice === 0 ? [record, record] : [record];
    });
  });
const small = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });

/** Feeds all records, both sources known before. */
function panesAfter(given: object, fed: readonly TestRecord[]): readonly Pane[] {
  const { windows, panes, aside } = windowsOf({ aggregates: EVERY_AGGREGATE, ...given });
  for (let source = 0; source < SOURCES; source++) windows.openSource(source);
  for (const { source, key, time, value } of fed) windows.add(source, key, time, value);
  windows.finish();
  assert.deepEqual(aside, []);
  return panes;
}

interface Expected {
  readonly key: string;
  readonly start: number;
  readonly end: number;
  readonly held: TestRecord[];
  panes: number;
  passed: boolean;
}

function paneByDefinition({ key, start, end, held, panes }: Expected, timing: Pane["timing"], final: boolean): string {
  const window = { start, end };
  return shown({ key, window, timing, index: panes, final, count: held.length, values: byDefinition(held) });
}

/** Panes of aligned windows, found by looking at all windows after each record. */
function alignedByDefinition(
  fed: readonly TestRecord[],
  startsOf: (time: number) => readonly number[],
  sizeMs: number,
  behindMs: number,
  latenessMs: number,
): string[] {
  const clock = new WatermarkByDefinition(SOURCES, behindMs);
  const open: Expected[] = [];
  const told: string[] = [];
  const tell = (window: Expected, timing: Pane["timing"], final: boolean): void => {
    told.push(paneByDefinition(window, timing, final));
    window.panes += 1;
  };
  const look = (): void => {
    const ended = open.filter(({ end, passed }) => !passed && end <= clock.watermark).toSorted((a, b) => a.end - b.end);
    for (const window of ended) {
      window.passed = true;
      tell(window, "onTime", latenessMs === 0);
    }
  };
  for (const record of fed) {
    for (const start of startsOf(record.time)) {
      if (start + sizeMs + latenessMs <= clock.watermark) continue;
      let window = open.find(({ key, start: own }) => key === record.key && own === start);
      if (!window)
        open.push(
          (window = { key: record.key, start, end: start + sizeMs, held: [], panes: 0, passed: start + sizeMs <= clock.watermark }),
        );
      window.held.push(record);
      if (window.passed) tell(window, "late", false);
    }
    clock.saw(record);
    look();
  }
  clock.watermark = Infinity;
  look();
  return told;
}

test("tumbling and hopping windows hold what lies in them, and tell it on time and late", () => {
  const given = fc.record({
    everyMs: small(8),
    more: fc.nat(3),
    offsetMs: fc.integer({ min: -20, max: 20 }),
    behindMs: fc.nat(20),
    latenessMs: fc.nat(30),
  });
  const property = fc.property(records, given, (fed, { everyMs, more, offsetMs, behindMs, latenessMs }) => {
    const sizeMs = everyMs * (more + 1) + (more > 0 ? 1 : 0);
    const window = more === 0 ? { kind: "tumbling", sizeMs, offsetMs } : { kind: "hopping", sizeMs, everyMs, offsetMs };
    const startsOf = (time: number): readonly number[] => {
      const starts: number[] = [];
      for (let start = time - sizeMs + 1; start <= time; start++) if ((start - offsetMs) % everyMs === 0) starts.push(start);
      return starts;
    };
    const panes = panesAfter({ window, outOfOrdernessMs: behindMs, allowedLatenessMs: latenessMs }, fed).map(shown);
    assert.deepEqual(panes.toSorted(), alignedByDefinition(fed, startsOf, sizeMs, behindMs, latenessMs).toSorted());
  });
  fc.assert(property, RUNS);
});

test("sessions are the records less than a gap apart, whatever the order they come in, and what they replace is said", () => {
  const given = fc.record({ gapMs: small(12), behindMs: fc.nat(15), early: fc.boolean() });
  const property = fc.property(records, given, (fed, { gapMs, behindMs, early }) => {
    const trigger = early ? { early: { count: 2 } } : {};
    const panes = panesAfter(
      { window: { kind: "session", gapMs }, outOfOrdernessMs: behindMs, allowedLatenessMs: 1_000_000, trigger },
      fed,
    );
    // What a table has that takes up each pane and lets go what it replaces.
    const table = new Map<string, string>();
    for (const { key, window, values, replaces = [] } of panes) {
      for (const { start, end } of replaces) assert.ok(table.delete(`${key} ${start} ${end}`), "what is replaced was told");
      table.set(`${key} ${window.start} ${window.end}`, JSON.stringify(values));
    }
    assert.deepEqual(table, new Map(sessionsByDefinition(fed, gapMs)));
    assert.equal(table.size, sessionsByDefinition(fed, gapMs).length);
  });
  fc.assert(property, RUNS);
});

function sessionsByDefinition(fed: readonly TestRecord[], gapMs: number): [string, string][] {
  const sessions: { readonly key: string; readonly held: TestRecord[] }[] = [];
  for (const record of fed.toSorted((a, b) => a.time - b.time)) {
    const own = sessions.findLast(({ key }) => key === record.key);
    if (own && record.time - Math.max(...own.held.map(({ time }) => time)) < gapMs) own.held.push(record);
    else sessions.push({ key: record.key, held: [record] });
  }
  return sessions.map(({ key, held }) => {
    const times = held.map(({ time }) => time);
    const inOrder = fed.filter((record) => held.includes(record));
    return [`${key} ${Math.min(...times)} ${Math.max(...times) + gapMs}`, JSON.stringify(byDefinition(inOrder.slice(0, held.length)))];
  });
}

test("a sliding window has the last so much time up to and including each record, in order of time", () => {
  const property = fc.property(records, small(20), fc.nat(25), (fed, sizeMs, behindMs) => {
    const panes = panesAfter({ window: { kind: "sliding", sizeMs }, outOfOrdernessMs: behindMs }, fed);
    const clock = new WatermarkByDefinition(SOURCES, behindMs);
    const taken: TestRecord[] = [];
    for (const record of fed) {
      if (record.time >= clock.watermark) taken.push(record);
      clock.saw(record);
    }
    const inOrder = taken.toSorted((a, b) => a.time - b.time);
    const expected = inOrder.map(({ key, time }, at) => {
      const held = inOrder.slice(0, at + 1).filter((each) => each.key === key && each.time > time - sizeMs);
      return `${key} ${time} ${JSON.stringify(byDefinition(held, "arrival"))}`;
    });
    assert.deepEqual(
      panes.map(({ key, window, values }) => `${key} ${window.end - 1} ${JSON.stringify(values)}`),
      expected,
    );
    assert.ok(panes.every(({ window: { start, end } }) => end - start === sizeMs));
  });
  fc.assert(property, RUNS);
});

test("windows by count have the last or the next so many records of their key, as they arrive or in order of time", () => {
  const given = fc.record({
    kind: fc.constantFrom("tumblingCount", "slidingCount", "rolling"),
    size: small(6),
    order: fc.constantFrom("arrival" as const, "time" as const),
    fullOnly: fc.boolean(),
  });
  const property = fc.property(records, given, (fed, { kind, size, order, fullOnly }) => {
    const window = kind === "tumblingCount" ? { kind, size, order } : { kind, size, order, fullOnly };
    const panes = panesAfter({ window, outOfOrdernessMs: 1_000 }, fed);
    const inOrder = order === "time" ? fed.toSorted((a, b) => a.time - b.time) : fed;
    const expected = ["a", "b", "c"].flatMap((key) => {
      const own = inOrder.filter((record) => record.key === key);
      const ends = own.map((_, at) => at + 1).filter((end) => (kind === "tumblingCount" ? end % size === 0 : !fullOnly || end >= size));
      return ends.map((end, index) => {
        const held = own.slice(Math.max(0, end - size), end);
        const times = held.map(({ time }) => time);
        const bounds = { start: Math.min(...times), end: Math.max(...times) + 1 };
        const values = byDefinition(held, kind === "tumblingCount" ? "time" : "arrival");
        const data = kind === "rolling" ? { data: held.map(({ value }) => value) } : {};
        return shown({ key, window: bounds, timing: "onTime", index, final: true, count: held.length, values, ...data });
      });
    });
    assert.deepEqual(panes.map(shown).toSorted(), expected.toSorted());
  });
  fc.assert(property, RUNS);
});
