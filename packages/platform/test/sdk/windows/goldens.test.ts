/** What others' windows tell, and what ours do: Apache Beam's trigger transcripts, Arroyo's golden results (fixtures/windows/SOURCE.md). */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parseAllDocuments } from "yaml";
import type { Pane } from "../../../../sdk/src/windows/index.ts";
import { play, type Transcript } from "./beam-transcript.ts";
import { windowsOf } from "./given.ts";

const fixtures = join(import.meta.dirname, "../../fixtures/windows");
const transcripts = parseAllDocuments(readFileSync(join(fixtures, "beam/trigger_transcripts.yaml"), "utf8")).map(
  (document) => document.toJS() as Transcript,
);

/** Transcripts that no definition of ours says, and why. */
const NOT_OURS: Readonly<Record<string, string>> = {
  timestamp_combiner_custom_timestamping_eow: "a window function with times of its own",
  timestamp_combiner_custom_timestamping_earliest: "a window function with times of its own",
  garbage_collection: "a trigger without the watermark, after which the window takes nothing more; ours always tell at their end",
  known_late_data_watermark: "the time of a pane leaves out records that were behind the watermark in a window still open; ours has all",
  known_late_data_no_watermark_hold_possible: "the same",
};

test("panes are told as Beam's trigger transcripts say", async (t) => {
  const ours = transcripts.filter(({ name }) => !(name in NOT_OURS));
  assert.equal(transcripts.length, 18);
  assert.deepEqual(
    [...new Set(transcripts.map(({ name }) => name))].filter((name) => name in NOT_OURS).length,
    Object.keys(NOT_OURS).length,
  );
  for (const transcript of ours) {
    await t.test(transcript.name, () => assert.equal(play(transcript), transcript.error));
  }
  assert.equal(ours.length, 12);
});

type Row = Readonly<Record<string, unknown>>;

function rowsOf(path: string): readonly Row[] {
  const lines = readFileSync(join(fixtures, "arroyo", path), "utf8")
    .trim()
    .split("\n");
  return lines.map((line) => JSON.parse(line) as Row);
}

/** Everything that windows of `given` tell of an input, with the watermark so far behind, and nothing set aside. */
function panesOf(input: string, given: object, keyOf: (row: Row) => string | undefined, behindMs: number): readonly Pane[] {
  const { windows, panes, aside } = windowsOf({ outOfOrdernessMs: behindMs, late: "output", ...given });
  for (const row of rowsOf(`inputs/${input}`)) {
    const key = keyOf(row);
    if (key !== undefined) windows.add(0, key, Date.parse(String(row["timestamp"])), row);
  }
  windows.finish();
  assert.deepEqual(aside, []);
  return panes;
}

/** Equal as sets: the order of rows means nothing, nor that of fields. */
function assertGolden(name: string, rows: readonly Row[]): void {
  const sorted = (all: readonly Row[]): readonly string[] => all.map((row) => JSON.stringify(row, Object.keys(row).toSorted())).toSorted();
  assert.deepEqual(sorted(rows), sorted(rowsOf(`golden/${name}.json`)));
}

/** As the goldens write it: without zone, and without milliseconds that are zero. */
const told = (time: number): string => new Date(time).toISOString().replace(/(\.000)?Z$/u, "");
const HOUR_MS = 3_600_000;
const hourly = { kind: "tumbling", sizeMs: HOUR_MS };
const everyone = (): string => "all";

test("an hour's events are counted by kind", () => {
  const panes = panesOf("cars.json", { window: hourly, aggregates: { n: "count" } }, (row) => String(row["event_type"]), 60_000);
  assertGolden(
    "hourly_by_event_type",
    panes.map(({ key, window, values }) => ({ event_type: key, hour: told(window.start), count: values["n"] })),
  );
});

test("a watermark at the newest record drops none that its hour still takes", () => {
  const panes = panesOf("cars.json", { window: hourly, aggregates: { n: "count" } }, everyone, 0);
  assertGolden(
    "tight_watermark",
    panes.map(({ window, values }) => ({ timestamp: told(window.end), count: values["n"] })),
  );
});

test("thirty days are counted from the epoch", () => {
  const panes = panesOf("cars.json", { window: { kind: "tumbling", sizeMs: 720 * HOUR_MS }, aggregates: { n: "count" } }, everyone, 60_000);
  assertGolden(
    "month_loose_watermark",
    panes.map(({ window, values }) => ({ month: told(window.start), count: values["n"] })),
  );
});

test("every minute the most active driver of the hour before is found", () => {
  const window = { kind: "hopping", sizeMs: HOUR_MS, everyMs: 60_000 };
  const panes = panesOf("cars.json", { window, aggregates: { n: "count" } }, (row) => String(row["driver_id"]), HOUR_MS);
  const most = new Map<number, Pane>();
  for (const pane of panes) {
    const best = most.get(pane.window.start);
    const more = pane.count - (best?.count ?? 0);
    if (more > 0 || (more === 0 && Number(pane.key) > Number(best?.key))) most.set(pane.window.start, pane);
  }
  assertGolden(
    "most_active_driver_last_hour",
    [...most.values()].map(({ key, count, window: { start, end } }) => ({
      ...{ count, driver_id: Number(key), row_number: 1 },
      ...{ start: told(start), end: told(end) },
    })),
  );
});

test("drivers who dropped off and who picked up in an hour are counted once each, and joined", () => {
  const aggregates = { drivers: { take: "distinct", of: "driver_id" } };
  const hours = (type: string): ReadonlyMap<string, unknown> => {
    const panes = panesOf("cars.json", { window: hourly, aggregates }, (row) => (row["event_type"] === type ? "all" : undefined), 60_000);
    return new Map(panes.map(({ window, values }) => [told(window.start), values["drivers"]]));
  };
  const [dropOffs, pickUps] = [hours("dropoff"), hours("pickup")];
  const both = [...dropOffs].filter(([hour]) => pickUps.has(hour));
  assertGolden(
    "windowed_inner_join",
    both.map(([hour, drivers]) => ({ hour, drivers, pickups: pickUps.get(hour) })),
  );
  const either = [...new Set([...dropOffs.keys(), ...pickUps.keys()])];
  assertGolden(
    "windowed_outer_join",
    either.map((hour) => ({ hour, drivers: dropOffs.get(hour) ?? null, pickups: pickUps.get(hour) ?? null })),
  );
});

test("windows over what windows told: drivers with more than two pick-ups in the hour", () => {
  const isPickUp = (row: Row): string | undefined => (row["event_type"] === "pickup" ? String(row["driver_id"]) : undefined);
  const busy = panesOf("cars.json", { window: hourly, aggregates: { n: "count" } }, isPickUp, 60_000).filter(({ count }) => count > 2);
  const { windows, panes } = windowsOf({ window: hourly, aggregates: { n: "count" } });
  for (const { key, window } of busy) windows.add(0, "all", window.start, key);
  windows.finish();
  assertGolden(
    "reinvoke_window_function",
    panes.map(({ window: { start, end }, count }) => ({ drivers: count, start: told(start), end: told(end) })),
  );
});

test("ten seconds are told every two", () => {
  const aggregates = { count: "count", min: { take: "min", of: "counter" }, max: { take: "max", of: "counter" } };
  const panes = panesOf("impulse.json", { window: { kind: "hopping", sizeMs: 10_000, everyMs: 2_000 }, aggregates }, everyone, 1_000);
  assertGolden(
    "sliding_window_end",
    panes.map(({ window: { start, end }, values }) => ({ ...values, start: told(start), end: told(end) })),
  );
});

test("sessions end their gap after the last record", () => {
  const window = { kind: "session", gapMs: 20_000 };
  const user = ({ counter }: Row): string => String(Number(counter) % 10 === 0 ? 0 : counter);
  const byUser = panesOf("impulse.json", { window, aggregates: { rows: "count" } }, user, 1_000);
  assertGolden(
    "session_window",
    byUser.map(({ key, window: { start, end }, count }) => ({ user_id: Number(key), rows: count, start: told(start), end: told(end) })),
  );
  const ofAll = panesOf("impulse.json", { window, aggregates: { rows: "count" } }, everyone, 1_000);
  assertGolden(
    "global_session_window",
    ofAll.map(({ window: { start, end }, count }) => ({ rows: count, start: told(start), end: told(end) })),
  );
});

test("windows of two watermarks are the same windows", () => {
  const given = { window: { kind: "tumbling", sizeMs: 1_000 }, aggregates: { n: "count" } };
  const placeOf = ({ key, window }: Pane): string => `${key} ${window.start}`;
  const counter = (row: Row): string => String(row["counter"]);
  const behind = new Set(panesOf("impulse.json", given, counter, 600_000).map(placeOf));
  const joined = panesOf("impulse.json", given, counter, 0).filter((pane) => behind.has(placeOf(pane)));
  assertGolden(
    "offset_impulse_join",
    joined.map(({ key, window }) => ({ counter: Number(key), start: told(window.start) })),
  );
});
