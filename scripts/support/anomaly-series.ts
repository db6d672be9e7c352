/**
 * Series on which detectors of anomalies are judged: two real ones, and made ones of every kind, of which all follows from their
 * seeds. A range is what has to be found: from its first value to the one after its last.
 */
import { seededRandom } from "../../packages/platform/src/base/index.ts";
import { textOf } from "./source-tree.ts";

export interface LabelledSeries {
  readonly name: string;
  readonly points: readonly { readonly time: number; readonly value: number }[];
  readonly anomalies: readonly (readonly [from: number, to: number])[];
  /** What `seasonal` is told. Where a series has no period it is told a day all the same. */
  readonly periodMs: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const LENGTH = 2_000;
/** About what two steps take; nobody keeps to it. */
const STRIDE_MS = 1_100;
const FIXTURES = "packages/platform/test/fixtures/anomaly";

/** All of them, the real ones last. */
export function labelledSeries(): readonly LabelledSeries[] {
  return [
    noise(),
    heavyTails(),
    spikes(),
    levelShift(),
    drift(),
    wrongTimeOfDay(),
    seasonalBreak(),
    missingStretch(),
    waterFlow(),
    walking(),
  ];
}

/** Normal noise, mean 0, deviation 1; each series has a seed of its own. */
function noiseOf(seed: number): () => number {
  const random = seededRandom(seed);
  return () => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}

function hourly(name: string, valueAt: (i: number) => number, anomalies: LabelledSeries["anomalies"] = []): LabelledSeries {
  const points = Array.from({ length: LENGTH }, (_, i) => ({ time: i * HOUR_MS, value: valueAt(i) }));
  return { name, points, anomalies, periodMs: DAY_MS };
}

const dayCurve = (i: number): number => 10 * Math.sin((2 * Math.PI * i) / 24) + 4 * Math.sin((4 * Math.PI * i) / 24);

function noise(): LabelledSeries {
  const next = noiseOf(101);
  return hourly("normal noise", () => 20 + next());
}

function heavyTails(): LabelledSeries {
  const random = seededRandom(102);
  return hourly("noise with heavy tails (Laplace)", () => 20 - Math.log(1 - random.next()) + Math.log(1 - random.next()));
}

function spikes(): LabelledSeries {
  const next = noiseOf(103);
  const sizes = new Map([8, -6, 10, 6, -12, 7, -8, 9, 6, -10].map((size, k) => [300 + k * 165, size]));
  return hourly(
    "spikes of 6 to 12 deviations",
    (i) => 20 + next() + (sizes.get(i) ?? 0),
    [...sizes.keys()].map((at) => [at, at + 1]),
  );
}

function levelShift(): LabelledSeries {
  const next = noiseOf(104);
  return hourly("level shift of 6 deviations", (i) => 20 + next() + (i >= 1_000 ? 6 : 0), [[1_000, 1_020]]);
}

function drift(): LabelledSeries {
  const next = noiseOf(105);
  return hourly("drift by 8 deviations over 300 values", (i) => 20 + next() + 8 * Math.min(1, Math.max(0, (i - 1_000) / 300)), [
    [1_000, 1_300],
  ]);
}

/** Values that would be nothing unusual twelve hours later. */
function wrongTimeOfDay(): LabelledSeries {
  const next = noiseOf(106);
  const at = [606, 733, 894, 1_021, 1_158, 1_317, 1_470, 1_746];
  return hourly(
    "daily pattern, values of another time of day",
    (i) => 50 + next() + (at.includes(i) ? dayCurve(i + 12) : dayCurve(i)),
    at.map((i) => [i, i + 1]),
  );
}

function seasonalBreak(): LabelledSeries {
  const next = noiseOf(107);
  const days = [40, 62];
  return hourly(
    "daily pattern, two days without it",
    (i) => 50 + next() + (days.includes(Math.floor(i / 24)) ? 0 : dayCurve(i)),
    days.map((day) => [day * 24, day * 24 + 24]),
  );
}

function missingStretch(): LabelledSeries {
  const whole = hourly("daily pattern, 103 and 57 values missing", seasonalNoise(noiseOf(108)));
  const isThere = (i: number): boolean => !((i >= 900 && i < 1_003) || (i >= 1_500 && i < 1_557));
  return { ...whole, points: whole.points.filter((_, i) => isThere(i)) };
}

function seasonalNoise(next: () => number): (i: number) => number {
  return (i) => 50 + next() + dayCurve(i);
}

function waterFlow(): LabelledSeries {
  const points = linesOf("water-flow.csv").map((line) => {
    const [time = "", value = ""] = line.split(",");
    return { time: Date.parse(time), value: Number(value) };
  });
  const lows = [[93, 112] as const, [211, 225] as const, [872, 888] as const];
  return { name: "water flow (real)", points, anomalies: [...lows, [328, 332]], periodMs: DAY_MS };
}

function walking(): LabelledSeries {
  const points = linesOf("walking.csv").map((line, i) => ({ time: (i * 1_000) / 64, value: Number(line) }));
  return { name: "walking (real, nothing unusual)", points, anomalies: [], periodMs: STRIDE_MS };
}

function linesOf(file: string): readonly string[] {
  return textOf(`${FIXTURES}/${file}`).trim().split("\n").slice(1);
}
