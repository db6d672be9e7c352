/** What a changed definition does to what was reckoned, as a table. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isLambentError } from "../../src/base/index.ts";
import { whatChanges, type WindowChange } from "../../src/windows/index.ts";
import { declared } from "./world.ts";

const SPIKES = { of: "sum", detector: { kind: "robustZ" }, sinks: [{ stream: "alerts" }] };

const CHANGES: readonly (readonly [what: string, change: Readonly<Record<string, unknown>>, becomes: WindowChange["kind"]])[] = [
  ["nothing", {}, "same"],
  ["where it began", { start: "latest" }, "same"],
  ["another sink", { sinks: [{ stream: "elsewhere" }] }, "kept"],
  ["how often a function is called", { sinks: [{ function: "f", retries: 9 }] }, "kept"],
  ["where refused records go", { setAside: "refused" }, "kept"],
  ["detectors that were not there", { anomaly: SPIKES }, "kept"],
  ["the lateness allowed", { allowedLateness: "1m" }, "migrated"],
  ["how late a record may be", { outOfOrderness: "5s" }, "migrated"],
  ["when a partition is idle", { idleAfter: "1s" }, "migrated"],
  ["another size", { window: { kind: "tumbling", size: "2m" } }, "restarted"],
  ["another kind", { window: { kind: "sliding", size: "1m" } }, "restarted"],
  ["another aggregate", { aggregates: { sum: "max", count: "count" } }, "restarted"],
  ["another stream", { source: "others" }, "restarted"],
  ["another key", { key: "record" }, "restarted"],
  ["another value", { value: "$.other" }, "restarted"],
  ["another time", { time: { path: "$.at", format: "s" } }, "restarted"],
];

for (const [what, change, becomes] of CHANGES)
  test(`${what}: ${becomes}`, () => {
    const told = whatChanges(declared(), declared(change));
    assert.equal(told.kind, becomes, JSON.stringify(told));
    if (told.kind !== "same") assert.ok((told.kind === "restarted" ? told.why : told.fields).length > 0);
  });

test("another detector is another beginning, other ears for it are not", () => {
  const before = declared({ anomaly: SPIKES });
  assert.equal(whatChanges(before, declared({ anomaly: { ...SPIKES, detector: { kind: "ewma" } } })).kind, "restarted");
  assert.equal(whatChanges(before, declared({ anomaly: { ...SPIKES, of: "count" } })).kind, "restarted");
  assert.deepEqual(whatChanges(before, declared({ anomaly: { ...SPIKES, sinks: [] } })), { kind: "kept", fields: ["anomaly.sinks"] });
});

const REFUSED: readonly (readonly [Readonly<Record<string, unknown>>, RegExp])[] = [
  [{ sinks: [] }, /^sinks is empty/u],
  [{ sinks: [{ strem: "sums" }] }, /^sinks\[0\] has to have one of stream, function/u],
  [{ sinks: [{ stream: "a", function: "b" }] }, /^sinks\[0\] has to have one of/u],
  [{ sinks: [{ stream: "sums" }, { stream: "sums" }] }, /^sinks names one sink twice/u],
  [{ sinks: [{ stream: "readings" }] }, /^readings is what the window reads/u],
  [{ sinks: [{ target: "queue" }] }, /^sinks\[0\]\.target is "queue"; it has to be an ARN/u],
  [{ sinks: [{ function: "f", retries: 101 }] }, /^sinks\[0\]\.retries is 101/u],
  [{ source: undefined }, /^source is missing/u],
  [{ start: "now" }, /^start is "now"; it has to be latest, earliest or a time/u],
  [{ key: "device" }, /^key is "device"; it has to be record, all, or a path/u],
  [{ value: "$..a" }, /^value is "\$\.\.a"; it has to be a path/u],
  [{ time: { path: "$.at", format: "us" } }, /^time\.format is "us"/u],
  [{ outOfOrderness: "5 seconds" }, /^outOfOrderness is "5 seconds"/u],
  [{ window: { kind: "tumbling" } }, /size/u],
  [{ windw: 1 }, /windw/u],
  [{ aggregates: { key: "sum" } }, /^aggregates\.key cannot be named so/u],
  [{ lateSinks: [{ stream: "late" }] }, /^lateSinks get records that come too late/u],
  [{ anomaly: { of: "none", detector: { kind: "ewma" } } }, /^anomaly\.of is "none"; it has to be value, or an aggregate: sum, count/u],
  [{ anomaly: { detector: { kind: "magic" } } }, /^anomaly\.detector: kind is "magic"/u],
];

for (const [change, why] of REFUSED)
  test(`refused: ${JSON.stringify(change)}`, () => {
    assert.throws(
      () => declared(change),
      (error) => isLambentError(error, "InvalidParameter") && why.test(error.message),
    );
  });
