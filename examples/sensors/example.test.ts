import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { runProgram, startLambent } from "../../packages/platform/test/support/lambent-process.ts";
import { brokerOf, readTopics } from "../../packages/platform/test/support/topics.ts";

const folder = import.meta.dirname;
const lambent = await startLambent();
after(() => lambent.stop());
const broker = brokerOf(lambent);
const deployed = await lambent.run("deploy", folder);

const SENSORS = 10;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

interface Reading {
  readonly device: string;
  readonly time: string;
  readonly celsius: number;
}
interface Result {
  readonly key: string;
  readonly window: { readonly start: number; readonly end: number };
  readonly count: number;
  readonly mean?: number;
  readonly min?: number;
  readonly max?: number;
}

test("one document brings the topic, two windows over it, their results, and the function behind the bus", () => {
  assert.equal(deployed.exit, 0, deployed.err);
  assert.match(
    deployed.out,
    /→ example-sensor-alert {3}rule created\n {2}example-sensor-means {3}window created\n {2}example-sensor-days {3}window created/u,
  );
});

test("two weeks of ten sensors: each mean of six hours, and each day's least and greatest, is what the readings say", async () => {
  const hours = readFileSync(join(folder, "seattle-hourly-january.csv"), "utf8").trim().split("\n").length - 1;
  const produced = await runProgram(process.execPath, [join(folder, "produce.mjs"), broker], process.env);
  assert.deepEqual(
    [produced.exit, produced.out],
    [0, `${hours * SENSORS} readings of ${SENSORS} sensors in example_readings\n`],
    produced.err,
  );
  // The hour at midnight is the first one of a day that has not ended.
  const wanted = { example_readings: hours * SENSORS, example_means: hours * SENSORS, example_days: Math.floor(hours / 24) * SENSORS };
  const read = await readTopics(broker, Object.keys(wanted), (records) =>
    Object.entries(wanted).every(([topic, count]) => (records.get(topic)?.length ?? 0) >= count),
  );
  const readings = (read.get("example_readings") ?? []).map(({ value }) => value as Reading);
  const within = (key: string, start: number, end: number): number[] =>
    readings
      .filter(({ device, time }) => device === key && Date.parse(time) >= start && Date.parse(time) < end)
      .map(({ celsius }) => celsius);

  const means = (read.get("example_means") ?? []).map(({ value }) => value as Result);
  assert.equal(means.length, wanted.example_means);
  for (const { key, window, count, mean = Number.NaN } of means) {
    assert.equal(window.end - window.start, 6 * HOUR_MS);
    const tenths = within(key, window.start, window.end).map((value) => Math.round(value * 10));
    assert.equal(count, tenths.length);
    const exact = tenths.reduce((sum, value) => sum + value, 0) / tenths.length / 10;
    assert.ok(Math.abs(mean - exact) < 1e-9, `${key} until ${window.end}: ${mean} is not ${exact}`);
  }
  const days = (read.get("example_days") ?? []).map(({ value }) => value as Result);
  assert.equal(days.length, wanted.example_days);
  for (const { key, window, min, max } of days) {
    assert.deepEqual([window.start % DAY_MS, window.end - window.start], [0, DAY_MS]);
    const values = within(key, window.start, window.end);
    assert.deepEqual([min, max], [Math.min(...values), Math.max(...values)]);
  }
});

test("the warm hand, and nothing else, is told the bus as an anomaly, and the function says which sensor, when and why", async () => {
  const following = lambent.begin("logs", "example-sensor-alert", "-f", "--since", "1h");
  // A bus keeps no order.
  for (const hour of ["14", "15", "16"]) await following.said(new RegExp(`sensor-6 at 2010-01-09T${hour}:00`, "u"));
  await following.interrupt();
  const shown = JSON.parse((await lambent.run("windows", "show", "example-sensor-means", "--json")).out) as {
    readonly Progress: { readonly Late: number; readonly Sinks: readonly { readonly Lane: string; readonly Taken: number }[] };
  };
  assert.equal(shown.Progress.Late, 0);
  assert.deepEqual(
    shown.Progress.Sinks.filter(({ Lane }) => Lane === "anomalies").map(({ Taken }) => Taken),
    [3],
  );
  const said = new Set(
    Array.from(following.printed().matchAll(/sensor-\d at \S+Z: \S+ °C\. 31 is .* above .*/gu), ([line]) => line.slice(0, 29)),
  );
  assert.deepEqual(
    [...said].toSorted(),
    ["14", "15", "16"].map((hour) => `sensor-6 at 2010-01-09T${hour}:00:`),
  );
});
