/** A chart of characters: braille dots for lines and points, blocks for bars. Pure. */
import type { Chart, Series } from "./chart.ts";
import { type Axis, axesOf, placeIn } from "./scale.ts";

export interface TerminalOptions {
  /** Characters, all of it. */
  readonly width: number;
  /** Rows of the drawing, without axis and legend. */
  readonly height: number;
  /** Paints what belongs to a series. */
  readonly paint?: (series: number, text: string) => string;
  /** Makes texts of the data fit for a terminal. */
  readonly foreign?: (text: string) => string;
}

const NAME_CHARS_MAX = 40;
/** The dots of a braille character by column and row. */
const DOTS = [
  [0x01, 0x02, 0x04, 0x40],
  [0x08, 0x10, 0x20, 0x80],
] as const;
const BRAILLE = 0x2800;
const BLOCKS = " ▁▂▃▄▅▆▇█";
const MARKS = "abcdefghijkl";

/** Lines of text: the drawing between its axes, then a legend where there are several series. */
export function terminalChart(chart: Chart, options: TerminalOptions): string[] {
  const { width, height, paint = (_series, text) => text, foreign = (text) => text } = options;
  const { x, y } = axesOf(chart, { x: Math.max(2, Math.floor(width / 14)), y: Math.max(2, Math.floor(height / 3)) });
  const labelChars = Math.max(...y.ticks.map(({ label }) => label.length));
  const isMarked = chart.series.length > 1;
  const columns = Math.max(10, width - labelChars - 3 - (isMarked ? 2 : 0));
  const grid = new Grid(columns, height);
  if (chart.kind === "bar") drawBars(grid, chart.series, x, y);
  else for (const [at, series] of chart.series.entries()) drawSeries(grid, at, series, chart.kind, x, y);
  const labels = new Map(y.ticks.map(({ at, label }) => [height - 1 - Math.round(placeIn(y, at) * (height - 1)), label]));
  const marks = isMarked && chart.kind !== "bar" ? marksOf(chart.series, y, height) : new Map<number, number>();
  const rows = Array.from({ length: height }, (_, row) => {
    const label = labels.get(row);
    const mark = marks.get(row);
    const end = mark === undefined ? "" : ` ${paint(mark, MARKS[mark] ?? "")}`;
    return `${(label ?? "").padStart(labelChars)} ${label === undefined ? "│" : "┤"}${grid.row(row, paint)}${end}`.trimEnd();
  });
  const title = chart.title === undefined ? [] : [" ".repeat(labelChars + 2) + foreign(chart.title)];
  return [...title, ...rows, ...bottomOf(chart, x, columns, labelChars, foreign), ...legendOf(chart, labelChars, paint, foreign)];
}

/** Dots, each character of which belongs to the series that was drawn there last. */
class Grid {
  readonly #columns: number;
  readonly #cells: { char: number; series: number }[];
  readonly rows: number;

  constructor(columns: number, rows: number) {
    this.#columns = columns;
    this.rows = rows;
    this.#cells = Array.from({ length: columns * rows }, () => ({ char: 0, series: -1 }));
  }

  get dotsAcross(): number {
    return this.#columns * 2;
  }

  get dotsDown(): number {
    return this.rows * 4;
  }

  get columns(): number {
    return this.#columns;
  }

  dot(x: number, y: number, series: number): void {
    const cell = this.#cells[Math.floor(y / 4) * this.#columns + Math.floor(x / 2)];
    if (!cell || x < 0 || x >= this.dotsAcross) return;
    cell.char |= DOTS[(x & 1) as 0 | 1][(y & 3) as 0 | 1 | 2 | 3];
    cell.series = series;
  }

  /** A character of its own in place of dots. */
  put(column: number, row: number, char: string, series: number): void {
    const cell = this.#cells[row * this.#columns + column];
    if (!cell || column >= this.#columns) return;
    cell.char = char.codePointAt(0) ?? 0;
    cell.series = series;
  }

  row(row: number, paint: (series: number, text: string) => string): string {
    let text = "";
    for (const { char, series } of this.#cells.slice(row * this.#columns, (row + 1) * this.#columns)) {
      if (char === 0) text += " ";
      else text += paint(series, String.fromCodePoint(char < 0x100 ? BRAILLE + char : char));
    }
    return text;
  }
}

function drawSeries(grid: Grid, at: number, { points }: Series, kind: "line" | "points", x: Axis, y: Axis): void {
  let before: readonly [number, number] | undefined;
  for (const point of points) {
    const dot = [
      Math.round(placeIn(x, point.x) * (grid.dotsAcross - 1)),
      Math.round((1 - placeIn(y, point.y)) * (grid.dotsDown - 1)),
    ] as const;
    if (kind === "line" && before) drawLine(grid, at, before, dot);
    else grid.dot(dot[0], dot[1], at);
    before = dot;
  }
}

/** As many dots as the longer of both distances has. */
function drawLine(grid: Grid, series: number, [fromX, fromY]: readonly [number, number], [toX, toY]: readonly [number, number]): void {
  const steps = Math.max(1, Math.abs(toX - fromX), Math.abs(toY - fromY));
  for (let step = 0; step <= steps; step += 1) {
    const part = step / steps;
    grid.dot(Math.round(fromX + (toX - fromX) * part), Math.round(fromY + (toY - fromY) * part), series);
  }
}

/** Bars of all series stand side by side at their place; those below nothing hang in half blocks. */
function drawBars(grid: Grid, series: readonly Series[], x: Axis, y: Axis): void {
  const places = new Set(series.flatMap(({ points }) => points.map((point) => point.x)));
  const room = (grid.columns / Math.max(1, places.size)) * 0.8;
  const wide = Math.max(1, Math.floor(room / series.length));
  const zero = placeIn(y, 0) * grid.rows * 8;
  for (const [at, { points }] of series.entries())
    for (const point of points) {
      const middle = placeIn(x, point.x) * (grid.columns - 1);
      const left = Math.min(grid.columns - wide, Math.max(0, Math.round(middle - (wide * series.length) / 2) + at * wide));
      const [low, high] = [zero, placeIn(y, point.y) * grid.rows * 8].toSorted((a, b) => a - b) as [number, number];
      for (let column = left; column < left + wide; column += 1) drawBar(grid, column, low, high, at);
    }
}

/** From `low` to `high` in eighths of rows from below. */
function drawBar(grid: Grid, column: number, low: number, high: number, series: number): void {
  for (let row = Math.floor(low / 8); row * 8 < high; row += 1) {
    const filled = Math.round(Math.min(8, high - row * 8));
    const char = low > row * 8 + 4 ? "▀" : (BLOCKS[filled] ?? "");
    if (filled > 0) grid.put(column, grid.rows - 1 - row, char, series);
  }
}

/** The row of each series' end, moved where another one is. */
function marksOf(series: readonly Series[], y: Axis, height: number): Map<number, number> {
  const marks = new Map<number, number>();
  for (const [at, { points }] of series.entries()) {
    const last = points.at(-1);
    const wanted = last ? height - 1 - Math.round(placeIn(y, last.y) * (height - 1)) : 0;
    const free = Array.from({ length: height }, (_, row) => row).filter((row) => !marks.has(row));
    const row = free.toSorted((left, right) => Math.abs(left - wanted) - Math.abs(right - wanted))[0];
    if (row !== undefined) marks.set(row, at);
  }
  return marks;
}

function bottomOf({ x: axis, xName }: Chart, x: Axis, columns: number, labelChars: number, foreign: (text: string) => string): string[] {
  const line = Array.from({ length: columns }, () => "─");
  const labels = Array.from({ length: columns }, () => " ");
  let free = 0;
  for (const { at, label } of x.ticks) {
    const column = Math.round(placeIn(x, at) * (columns - 1));
    const text = foreign(label).slice(0, NAME_CHARS_MAX);
    const begin = Math.max(0, Math.min(columns - text.length, column - Math.floor(text.length / 2)));
    line[column] = "┬";
    if (begin < free) continue;
    labels.splice(begin, text.length, ...text);
    free = begin + text.length + 2;
  }
  const margin = " ".repeat(labelChars + 1);
  const name = `${foreign(xName)}${axis.kind === "time" ? " (UTC)" : ""}`.slice(0, columns);
  return [
    `${margin}└${line.join("")}`,
    `${margin} ${labels.join("").slice(0, columns)}`.trimEnd(),
    `${margin} ${name.padStart(Math.floor((columns + name.length) / 2))}`,
  ];
}

function legendOf(
  { series, yName }: Chart,
  labelChars: number,
  paint: (series: number, text: string) => string,
  foreign: (text: string) => string,
): string[] {
  const margin = " ".repeat(labelChars + 2);
  if (series.length === 1) return [`${margin}${paint(0, "─")} ${foreign(series[0]?.name ?? yName).slice(0, NAME_CHARS_MAX)}`];
  return series.map(({ name }, at) => `${margin}${paint(at, MARKS[at] ?? "")} ${foreign(name).slice(0, NAME_CHARS_MAX)}`);
}
