import assert from "node:assert/strict";
import { test } from "node:test";
import { checkWindowDefinition, KeyedWindows, whatChanges } from "../../../../sdk/src/windows/index.ts";
import { definition, shown, windowsOf } from "./given.ts";

const minute = { window: { kind: "tumbling", sizeMs: 60_000 }, aggregates: { sum: "sum" } };

test("a record from the future closes nobody's windows; a source that was silent is believed by when its records arrived", () => {
  const { windows, panes, aside } = windowsOf({ ...minute, jumpMsMax: 3_600_000 });
  windows.add(0, "a", 1_000, 1, 1_000);
  windows.add(0, "b", 4_102_444_800_000, 1, 2_000);
  windows.add(0, "a", 2_000, 1, 3_000);
  assert.deepEqual(
    aside.map(({ key, reason }) => [key, reason]),
    [["b", "future"]],
  );
  assert.equal(panes.length, 0);
  windows.add(0, "a", 90_000_000, 5, 90_000_100);
  assert.deepEqual(panes.map(shown), ['a [0, 60000) onTime#0! {"sum":2}']);
});

test("without a time of arrival a jump is measured from the newest record, and ends when the source is said to be further", () => {
  const { windows, aside } = windowsOf({ ...minute, jumpMsMax: 100, outOfOrdernessMs: 50 });
  windows.add(0, "a", 1_000, 1);
  windows.add(0, "a", 1_100, 1);
  windows.add(0, "a", 1_201, 1);
  windows.add(1, "a", 1_200, 1);
  windows.add(1, "a", 1_900, 1);
  assert.deepEqual(
    aside.map(({ time }) => time),
    [1_201, 1_900],
  );
  windows.advance(1, 1_800);
  windows.add(1, "a", 1_900, 1);
  assert.equal(aside.length, 2);
});

test("what is no number is set aside with its reason and the aggregate that says so; the sum stays what it was", () => {
  const { windows, panes, aside } = windowsOf({
    window: { kind: "tumbling", sizeMs: 10 },
    aggregates: { n: "count", total: { take: "sum", of: "reading.celsius" } },
  });
  const of = (celsius: unknown): unknown => ({ reading: { celsius } });
  const bad: readonly (readonly [unknown, string])[] = [
    [of(Number.NaN), "notANumber"],
    [of(Infinity), "notANumber"],
    [of("12"), "notANumber"],
    [of(null), "notANumber"],
    [of(1e141), "tooLarge"],
    [{}, "missing"],
    [null, "missing"],
    [Object.create({ reading: { celsius: 3 } }), "missing"],
  ];
  windows.add(0, "a", 1, of(2));
  for (const [value] of bad) windows.add(0, "a", 2, value);
  windows.add(0, "a", 3, of(3));
  windows.finish();
  assert.deepEqual(
    aside.map(({ reason, aggregate }) => [reason, aggregate]),
    bad.map(([, reason]) => [reason, "total"]),
  );
  assert.deepEqual(panes.map(shown), ['a [0, 10) onTime#0! {"n":2,"total":5}']);
  assert.deepEqual(windows.counts, { added: 10, late: 0, setAside: 8, panes: 1 });
});

test("what is no JSON is not kept", () => {
  const { windows, aside } = windowsOf({ window: { kind: "rolling", size: 2 }, aggregates: {} });
  const endless: unknown[] = [];
  endless.push(endless);
  for (const value of [undefined, 1n, Symbol("x"), () => 1, [Number.NaN], endless, "x".repeat(3_000_000)]) windows.add(0, "a", 0, value);
  assert.deepEqual(
    aside.map(({ reason }) => reason),
    ["missing", "notJson", "notJson", "notJson", "notJson", "notJson", "tooLarge"],
  );
});

test("a time that is no whole millisecond is set aside", () => {
  const { windows, aside } = windowsOf(minute);
  for (const time of [Number.NaN, 0.5, Infinity, 8_640_000_000_000_001]) windows.add(0, "a", time, 1);
  assert.deepEqual(
    aside.map(({ reason }) => reason),
    ["badTime", "badTime", "badTime", "badTime"],
  );
});

test("at each bound the record is set aside and what is there goes on", () => {
  const limited = (given: object, limits: object): readonly string[] => {
    const { windows, aside, panes } = windowsOf({ outOfOrdernessMs: 100, ...given }, limits);
    for (let at = 0; at < 40; at++) windows.add(0, `key-${at % 4}`, at, at);
    windows.finish();
    assert.ok(panes.length > 0);
    return [...new Set(aside.map(({ reason }) => reason))];
  };
  const tumbling = { window: { kind: "tumbling", sizeMs: 10 }, aggregates: { n: "count" } };
  const sliding = { window: { kind: "sliding", sizeMs: 10 }, aggregates: { n: "count" } };
  assert.deepEqual(limited(tumbling, { keysMax: 2 }), ["tooManyKeys"]);
  assert.deepEqual(limited(tumbling, { panesMax: 3 }), ["tooManyPanes"]);
  assert.deepEqual(limited(tumbling, { bytesMax: 500 }), ["tooMuchMemory"]);
  assert.deepEqual(limited(sliding, { bufferedMax: 5 }), ["tooManyBuffered"]);
  assert.deepEqual(limited(sliding, { keysMax: 2 }), ["tooManyKeys"]);
  assert.deepEqual(limited({ window: { kind: "tumblingCount", size: 2 }, aggregates: { n: "count" } }, { keysMax: 1 }), ["tooManyKeys"]);
});

test("late records are handed out where that is asked, and only counted where it is not", () => {
  for (const late of ["output", "drop"]) {
    const { windows, aside } = windowsOf({ ...minute, late });
    windows.add(0, "a", 100_000, 1);
    windows.add(0, "a", 1_000, 1);
    assert.equal(windows.counts.late, 1);
    assert.equal(aside.length, late === "output" ? 1 : 0);
  }
});

test("a silent source holds nobody back until it speaks; when all are silent the farthest counts; a closed one is forgotten", () => {
  const { windows, panes } = windowsOf({ window: { kind: "tumbling", sizeMs: 10 }, aggregates: { n: "count" } });
  for (const source of [0, 1, 2]) windows.openSource(source);
  windows.add(0, "a", 15, 1);
  windows.add(1, "b", 25, 1);
  assert.equal(windows.watermark, -Infinity);
  windows.idle(2);
  assert.equal(windows.watermark, 15);
  windows.idle(0);
  assert.equal(windows.watermark, 25);
  windows.add(2, "c", 18, 1);
  assert.equal(windows.watermark, 25);
  windows.add(1, "b", 40, 1);
  assert.equal(windows.watermark, 25);
  windows.closeSource(2);
  assert.equal(windows.watermark, 40);
  assert.deepEqual(panes.map(shown), ['a [10, 20) onTime#0! {"n":1}', 'b [20, 30) onTime#0! {"n":1}']);
});

test("every fault of a definition is named with its field and rule", () => {
  const faultsOf = (given: unknown): readonly string[] => {
    const checked = checkWindowDefinition(given);
    return checked.kind === "faults" ? checked.faults.map(({ field }) => field) : [];
  };
  assert.deepEqual(faultsOf(7), [""]);
  assert.deepEqual(faultsOf({ window: { kind: "rolling", size: 3 } }), []);
  assert.deepEqual(faultsOf({}), ["window", "aggregates"]);
  assert.deepEqual(faultsOf({ window: { kind: "tumbling", sizeMs: 0, size: 4 }, aggregates: {}, latness: 4 }), [
    "latness",
    "window.size",
    "window.sizeMs",
    "aggregates",
  ]);
  assert.deepEqual(faultsOf({ ...minute, window: { kind: "hopping", sizeMs: 10, everyMs: 11 } }), ["window.everyMs"]);
  assert.deepEqual(faultsOf({ ...minute, window: { kind: "hopping", sizeMs: 100_000, everyMs: 99 } }), ["window.everyMs"]);
  assert.deepEqual(faultsOf({ ...minute, window: { kind: "session", gapMs: 10, sizeMsMax: 9 } }), ["window.sizeMsMax"]);
  assert.deepEqual(
    faultsOf({ ...minute, window: { kind: "sliding", sizeMs: 10 }, allowedLatenessMs: 5, trigger: { early: { count: 2 } } }),
    ["trigger", "allowedLatenessMs"],
  );
  const aggregates = {
    ...{
      a: "average",
      b: { topK: 0 },
      c: { quantiles: [1.5] },
      d: { take: "mean", of: "a..b" },
      e: { take: "mean", topK: 3 },
      "1f": "sum",
    },
    ...(JSON.parse('{ "__proto__": "sum" }') as object),
  };
  assert.deepEqual(faultsOf({ ...minute, aggregates }).toSorted(), [
    ...["aggregates.1f", "aggregates.__proto__", "aggregates.a", "aggregates.b.topK", "aggregates.c.quantiles"],
    ...["aggregates.d.of", "aggregates.e"],
  ]);
  assert.deepEqual(faultsOf({ ...minute, trigger: { early: {}, late: { count: 0 }, panes: "all", soon: 1 }, late: "keep" }), [
    ...["trigger.soon", "trigger.early", "trigger.late.count", "trigger.panes", "late"],
  ]);
  const checked = checkWindowDefinition({ ...minute, window: { kind: "sliding", sizeMs: 1.5 } });
  assert.deepEqual(checked.kind === "faults" && checked.faults, [
    { field: "window.sizeMs", rule: "is 1.5; it has to be a whole number from 1 to 3155760000000." },
  ]);
});

test("a checked definition is one, and checking it again changes nothing", () => {
  for (const window of [
    { kind: "tumbling", sizeMs: 5 },
    { kind: "slidingCount", size: 5 },
  ]) {
    const checked = definition({ window, aggregates: { n: "count" } });
    assert.deepEqual(checkWindowDefinition(JSON.parse(JSON.stringify(checked))), { kind: "definition", definition: checked });
  }
});

test("a changed definition says whether state is kept", () => {
  const before = definition(minute);
  const change = (given: object): object => whatChanges(before, definition({ ...minute, ...given }));
  assert.deepEqual(change({}), { kind: "same" });
  assert.deepEqual(change({ aggregates: { sum: { take: "sum" } } }), { kind: "same" });
  assert.deepEqual(change({ allowedLatenessMs: 5, trigger: { early: { count: 3 } } }), {
    kind: "compatible",
    fields: ["allowedLatenessMs", "trigger"],
  });
  assert.equal((change({ window: { kind: "tumbling", sizeMs: 30_000 } }) as { readonly kind: string }).kind, "incompatible");
  assert.deepEqual(change({ aggregates: { mean: "mean" } }), {
    kind: "incompatible",
    why: ["The aggregate mean is new: kept windows do not have it.", "The aggregate sum is gone; kept windows have it."],
  });
  assert.deepEqual(change({ trigger: { panes: "discarding" } }), {
    kind: "incompatible",
    why: ["Panes were accumulating and are discarding: kept windows hold the other."],
  });
});

test("state that is kept under a changed definition follows the new one from then on", () => {
  const { windows } = windowsOf(minute);
  windows.add(0, "a", 1_000, 1);
  const panes: string[] = [];
  const after = definition({ ...minute, trigger: { early: { count: 2 } }, allowedLatenessMs: 100_000 });
  const restored = KeyedWindows.restore(after, { pane: (pane) => panes.push(shown(pane)) }, windows.snapshot());
  restored.add(0, "a", 2_000, 1);
  restored.add(0, "a", 61_000, 1);
  restored.add(0, "a", 3_000, 1);
  assert.deepEqual(
    panes,
    ["early#0", "onTime#1", "late#2"].map((timing, at) => `a [0, 60000) ${timing} {"sum":${[2, 2, 3][at]}}`),
  );
});

test("a key with tens of thousands of open windows takes the next record as quickly as one with a few", () => {
  for (const { window, stepMs } of [
    { window: { kind: "tumbling", sizeMs: 1_000 }, stepMs: 1_000 },
    { window: { kind: "session", gapMs: 1_000 }, stepMs: 2_000 },
  ]) {
    const cpuOf = (outOfOrdernessMs: number): number => {
      const { windows } = windowsOf({ window, aggregates: { count: "count" }, outOfOrdernessMs });
      const before = process.cpuUsage();
      for (let at = 0; at < 40_000; at++) windows.add(0, "a", at * stepMs, 1);
      return process.cpuUsage(before).user;
    };
    cpuOf(60_000);
    const [few, many] = [cpuOf(60_000), cpuOf(100_000_000)];
    // Looking through all of them took three hundred times as long.
    assert.ok(many < 30 * few + 100_000, `${window.kind}: ${few} µs with few windows, ${many} µs with many`);
  }
});
