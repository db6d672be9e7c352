/** Axes: from what to what, and where the marks are. Pure. */
import type { Chart } from "./chart.ts";

export interface Tick {
  readonly at: number;
  readonly label: string;
}

export interface Axis {
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly Tick[];
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Distances between marks of time, as clocks and calendars have them; beyond, multiples of 100 days. */
const TIME_STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, SECOND, 2 * SECOND, 5 * SECOND, 10 * SECOND, 15 * SECOND, 30 * SECOND]
  .concat([1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE))
  .concat([1, 2, 3, 6, 12].map((hours) => hours * HOUR))
  .concat([1, 2, 5, 10, 20, 50, 100].map((days) => days * DAY));

/** What numbers of any size are told apart by, with room. */
const PRECISION = 1e-14;

/** An axis over values with about `count` marks. One value alone gets room on both sides. */
export function numberAxis(low: number, high: number, count: number): Axis {
  const [from, to] = low === high ? [low - (Math.abs(low) || 1) / 2, high + (Math.abs(high) || 1) / 2] : [low, high];
  // Marks closer than numbers of this size are told apart would be one.
  const step = niceStep(Math.max((to - from) / count, Math.max(Math.abs(from), Math.abs(to)) * PRECISION));
  const begin = Math.floor(from / step);
  const end = Math.max(begin + 1, Math.ceil(to / step));
  const ticks = Array.from({ length: end - begin + 1 }, (_, at) => (begin + at) * step);
  return { low: begin * step, high: end * step, ticks: ticks.map((at) => ({ at, label: numberText(at, step) })) };
}

/** 1, 2 or 5 times a power of ten, `raw` or the next beyond. */
function niceStep(raw: number): number {
  const power = 10 ** Math.floor(Math.log10(raw));
  const times = [1, 2, 5, 10].find((each) => each * power >= raw * 0.999_999) ?? 10;
  return times * power;
}

function numberText(value: number, step: number): string {
  const size = Math.abs(value);
  if (value !== 0 && (size >= 1e9 || step < 1e-6))
    return value
      .toExponential(Math.min(6, Math.max(0, Math.ceil(Math.log10(size / step)))))
      .replace(/\.?0+e/u, "e")
      .replace("e+", "e");
  const decimals = Math.max(0, Math.min(9, -Math.floor(Math.log10(step) + 1e-9)));
  const text = value.toFixed(decimals);
  return Number(text) === 0 ? (0).toFixed(decimals) : text;
}

/** An axis over times, in UTC, marked where clocks and calendars are. It begins and ends with the data. */
export function timeAxis(low: number, high: number, count: number): Axis {
  const [from, to] = low === high ? [low - SECOND, high + SECOND] : [low, high];
  const raw = (to - from) / count;
  const step = TIME_STEPS.find((each) => each >= raw) ?? Math.ceil(raw / (100 * DAY)) * 100 * DAY;
  const ticks: Tick[] = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) ticks.push({ at, label: timeText(at, step) });
  return { low: from, high: to, ticks };
}

function timeText(at: number, step: number): string {
  const text = new Date(at).toISOString();
  if (step >= DAY) return text.slice(0, 10);
  const clock = text.slice(11, step >= MINUTE ? 16 : step >= SECOND ? 19 : 23);
  return at % DAY === 0 ? `${text.slice(5, 10)} ${clock}` : clock;
}

/** Both axes of a chart; of bars, the lower one begins at nothing. */
export function axesOf(
  { x, kind, series }: Chart,
  counts: { readonly x: number; readonly y: number },
): { readonly x: Axis; readonly y: Axis } {
  const extent = { xLow: Infinity, xHigh: -Infinity, yLow: kind === "bar" ? 0 : Infinity, yHigh: kind === "bar" ? 0 : -Infinity };
  for (const { points } of series)
    for (const point of points) {
      extent.xLow = Math.min(extent.xLow, point.x);
      extent.xHigh = Math.max(extent.xHigh, point.x);
      extent.yLow = Math.min(extent.yLow, point.y);
      extent.yHigh = Math.max(extent.yHigh, point.y);
    }
  const y = numberAxis(extent.yLow, extent.yHigh, counts.y);
  if (x.kind === "category") return { x: categoryAxis(x.labels), y };
  if (x.kind === "time") return { x: timeAxis(extent.xLow, extent.xHigh, counts.x), y };
  const room = extent.xLow === extent.xHigh ? Math.max(1, Math.abs(extent.xLow) / 1_000) : 0;
  const [low, high] = [extent.xLow - room, extent.xHigh + room];
  const { ticks } = numberAxis(low, high, counts.x);
  return { x: { low, high, ticks: ticks.filter(({ at }) => at >= low && at <= high) }, y };
}

/** Each category has a place of its own with half of one on both sides. */
function categoryAxis(labels: readonly string[]): Axis {
  return { low: -0.5, high: labels.length - 0.5, ticks: labels.map((label, at) => ({ at, label })) };
}

/** Where a value is between the ends of its axis, 0 to 1. */
export function placeIn({ low, high }: Axis, value: number): number {
  return (value - low) / (high - low);
}
