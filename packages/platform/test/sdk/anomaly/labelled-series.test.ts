/** The table of docs/anomaly.md is compared with the code by test/tidy.test.ts; here is what it must not stop saying. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { anomalyResults, countAlarms, type Result } from "../../../../../scripts/support/anomaly-results.ts";
import { labelledSeries } from "../../../../../scripts/support/anomaly-series.ts";

test("alarms are counted once for neighbours, and belong to a range and the ten values after it", () => {
  const ranges = [[100, 110] as const, [200, 201] as const, [300, 301] as const];
  assert.deepEqual(countAlarms([50, 52, 54, 90, 104, 105, 119, 211, 302], ranges), {
    anomalies: 3,
    found: 2,
    alarms: 6,
    falseAlarms: 3,
    delay: 3,
  });
  assert.deepEqual(countAlarms([], []), { anomalies: 0, found: 0, alarms: 0, falseAlarms: 0, delay: undefined });
});

test("labelled ranges lie within their series, and made series are the same every time", () => {
  const all = labelledSeries();
  assert.deepEqual(labelledSeries(), all);
  for (const { name, points, anomalies } of all) {
    assert.ok(
      points.length > 1_000 && points.every(({ time, value }, i) => Number.isFinite(value) && time > (points[i - 1]?.time ?? -Infinity)),
      name,
    );
    for (const [from, to] of anomalies) assert.ok(from >= 0 && from < to && to <= points.length, name);
  }
});

test("each detector finds what it is for, and no detector calls normal noise an anomaly", () => {
  const results = anomalyResults();
  const of = (series: string, detector: Result["detector"]): Result =>
    results.find((result) => result.series.startsWith(series) && result.detector === detector) ?? assert.fail(`no ${series}`);
  for (const detector of ["robustZ", "ewma", "seasonal", "rrcf"] as const) {
    assert.equal(of("normal noise", detector).falseAlarms, 0);
    assert.equal(of("daily pattern, 103", detector).falseAlarms, 0);
  }
  assert.equal(of("spikes", "robustZ").found, 10);
  assert.equal(of("level shift", "robustZ").found, 1);
  assert.equal(of("level shift", "rrcf").found, 1);
  assert.equal(of("daily pattern, two days", "seasonal").found, 2);
  assert.ok(of("daily pattern, values", "seasonal").found > of("daily pattern, values", "robustZ").found);
  assert.equal(of("water flow", "robustZ").found, 4);
});
