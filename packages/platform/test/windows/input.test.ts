import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { extractor, instantOf } from "../../src/windows/input/extract.ts";
import { follow, readPath } from "../../src/windows/input/path.ts";
import { decodeJournalRow, encodeJournalRow, type JournalRow } from "../../src/windows/journal/journal-row.ts";
import type { Step } from "../../src/windows/journal/step.ts";
import type { StreamRecordView } from "../../src/streams/index.ts";

const record = (value: unknown, key?: Buffer): StreamRecordView => ({
  ...{ offset: 0, timestamp: 1_000, key, headers: [] },
  value: Buffer.from(typeof value === "string" ? value : JSON.stringify(value)),
});

test("a path leads from the whole to the part, and nowhere through what an object inherits", () => {
  const whole = { a: { "b c": [10, { d: null }] }, "it's": 1 };
  const at = (path: string): unknown => follow(readPath(path) ?? ["no path"], whole);
  assert.deepEqual([at("$"), at("$.a['b c'][0]"), at("$.a['b c'][1].d"), at("$['it\\'s']")], [whole, 10, null, 1]);
  assert.deepEqual(
    [at("$.a.constructor"), at("$.__proto__"), at("$.a['b c'].length"), at("$.a.x.y")],
    [undefined, undefined, 2, undefined],
  );
  for (const bad of ["", "a", "$a", "$.", "$..a", "$[a]", "$[-1]", "$.a[", `$${".a".repeat(33)}`, `$.${"a".repeat(300)}`])
    assert.equal(readPath(bad), undefined, bad);
});

test("a time is read in the form that was said, and no other", () => {
  assert.deepEqual(
    [instantOf(5, "ms"), instantOf("5", "ms"), instantOf(1.5, "s"), instantOf("x", "ms"), instantOf({}, "s")],
    [5, 5, 1_500, undefined, undefined],
  );
  assert.equal(instantOf("2026-01-31T12:00:00+01:00", "iso"), Date.UTC(2026, 0, 31, 11));
  assert.equal(instantOf("2026-01-31 12:00", "iso"), Date.UTC(2026, 0, 31, 12));
  assert.equal(instantOf("2026-01-31", "iso"), Date.UTC(2026, 0, 31));
  for (const bad of ["31.1.2026", "2026-13-01", "soon", 5, null]) assert.equal(instantOf(bad, "iso"), undefined, String(bad));
});

test("a key is what tells devices apart: texts, numbers, the record's own", () => {
  const of = (key: { kind: "record" } | { kind: "all" } | { kind: "path"; path: string }) =>
    extractor({ stream: "s", start: { kind: "latest" }, key, value: "$", time: { kind: "record" } });
  const told = (extracted: ReturnType<ReturnType<typeof of>>): unknown => ("fault" in extracted ? extracted.fault : extracted.key);
  assert.deepEqual(
    [
      of({ kind: "record" })(record(1, Buffer.from("é"))),
      of({ kind: "record" })(record(1, Buffer.from([0xff]))),
      of({ kind: "record" })(record(1)),
    ].map(told),
    ["é", "badKey", "noKey"],
  );
  const byPath = of({ kind: "path", path: "$.k" });
  assert.deepEqual(
    [{ k: "a" }, { k: 7 }, { k: true }, { k: null }, {}, { k: [] }, { k: "x".repeat(1_025) }].map((each) => told(byPath(record(each)))),
    ["a", "7", "true", "noKey", "noKey", "badKey", "badKey"],
  );
  assert.equal(told(byPath(record('{"k":"\\ud800"}'))), "\ufffd");
  assert.equal(told(of({ kind: "all" })(record(1))), "");
});

test("a row of the journal is read as it was written, whatever the values are", () => {
  const value = fc.oneof(fc.double({ noNaN: true }), fc.jsonValue());
  const inputs = fc.array(fc.tuple(fc.string({ unit: "binary" }), fc.integer(), value), { maxLength: 20 });
  fc.assert(
    fc.property(fc.array(inputs, { maxLength: 4 }), (all) => {
      const steps = all.map((each, source): Step => ({
        ...{ kind: "records", source, next: each.length, refused: [] },
        inputs: {
          keys: each.map(([key]) => key.toWellFormed()),
          times: each.map(([, time]) => time),
          values: each.map(([, , given]) => (typeof given === "number" ? given : (JSON.parse(JSON.stringify(given)) as unknown))),
          texts: each.map(([, , given]) => (typeof given === "number" ? undefined : JSON.stringify(given))),
          arrivals: each.length === 0 ? [] : [[each.length, 5]],
        },
      }));
      const row: JournalRow = {
        steps: [{ kind: "opened", source: 0, next: 3, streamId: "x" }, ...steps, { kind: "idle", source: 1 }],
        ...{ sunk: { "results a": 3 }, givenUp: {}, emitted: { results: 1, anomalies: 0, late: 2, setAside: 0 } },
      };
      const read = decodeJournalRow(encodeJournalRow(row));
      const withoutTexts = row.steps.map((step) => (step.kind === "records" ? { ...step, inputs: { ...step.inputs, texts: [] } } : step));
      assert.deepEqual(read, { ...row, steps: withoutTexts });
    }),
    { seed: 3, numRuns: 200 },
  );
});
