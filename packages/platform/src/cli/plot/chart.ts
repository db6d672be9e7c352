/** What is drawn: some series of points over one axis, made of the rows of a query. Pure. */
import { type Cell, cellText, type QueryResult } from "../query/index.ts";

/** Series of one chart: more cannot be told apart. @limit */
export const SERIES_MAX = 12;
/** Categories along the bottom. @limit */
export const CATEGORIES_MAX = 200;
/** Numbers that can be reckoned with: the distance of two is one, too. */
const NUMBER_MAX = 1e300;
/** Numbers that are times: milliseconds of 2000 to 2100. */
const TIME_MIN = 946_684_800_000;
const TIME_MAX = 4_102_444_800_000;

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Series {
  readonly name: string;
  /** In the order of x. */
  readonly points: readonly Point[];
}

export type XAxis = { readonly kind: "number" | "time" } | { readonly kind: "category"; readonly labels: readonly string[] };

export interface Chart {
  readonly x: XAxis;
  readonly xName: string;
  readonly yName: string;
  readonly kind: Kind;
  readonly title: string | undefined;
  readonly series: readonly Series[];
  /** Rows that have no place: without a number, or with an infinite one. */
  readonly leftOut: number;
}

export type Kind = "line" | "bar" | "points";

export interface Wanted {
  readonly x?: string | undefined;
  readonly y?: string | undefined;
  readonly by?: string | undefined;
  readonly kind: Kind;
  readonly title?: string | undefined;
}

export type Charted =
  | { readonly kind: "chart"; readonly chart: Chart }
  | { readonly kind: "fault"; readonly what: string; readonly next: string };

const fault = (what: string, next: string): Charted => ({ kind: "fault", what, next });

/** Chooses columns and makes series of them; what cannot be drawn is a sentence. */
export function chartOf(result: Pick<QueryResult, "columns" | "cells">, wanted: Wanted): Charted {
  const { columns, cells } = result;
  if (cells.length === 0)
    return fault("The query answers no rows; there is nothing to draw.", "Ask for more: --from-start reads from the oldest record on.");
  const asked = [wanted.x, wanted.by, ...(wanted.y?.split(",") ?? [])].filter((name) => name !== undefined);
  const unknown = asked.find((name) => !columns.includes(name.trim()));
  if (unknown !== undefined)
    return fault(`There is no column ${unknown.trim()}; the query answers ${columns.join(", ")}.`, "Name one of these.");
  const xName = wanted.x ?? columns[0] ?? "";
  const yNames = wanted.y?.split(",").map((name) => name.trim()) ?? firstNumeric(result, [xName, wanted.by]);
  if (yNames.length === 0)
    return fault(
      `No column beside ${xName} holds numbers; the query answers ${columns.join(", ")}.`,
      "Draw one that does, or count: select …, count(*) … group by ….",
    );
  const xs = cells.map((row) => row[columns.indexOf(xName)] ?? null);
  const x = axisOf(xs);
  if (x.kind === "category" && x.labels.length > CATEGORIES_MAX)
    return fault(
      `Column ${xName} has more than ${CATEGORIES_MAX} different texts, which no axis has room for.`,
      "Group them, or draw over a number or a time.",
    );
  const by = wanted.by === undefined ? undefined : columns.indexOf(wanted.by);
  const { series, leftOut } = seriesOf(cells, {
    place: placeOn(x),
    x: columns.indexOf(xName),
    by,
    ys: yNames.map((name) => [name, columns.indexOf(name)] as const),
  });
  if (series.length > SERIES_MAX)
    return fault(
      `There are ${series.length} lines to draw; ${SERIES_MAX} can be told apart.`,
      "Choose some with where, or leave --by out.",
    );
  if (series.length === 0)
    return fault(
      `${yNames.join(", ")} ${yNames.length === 1 ? "has" : "have"} no finite number in any of ${cells.length} rows.`,
      "Name a column of numbers with --y.",
    );
  const { kind, title } = wanted;
  return { kind: "chart", chart: { x, xName, yName: yNames.join(", "), kind, title, series, leftOut } };
}

function firstNumeric({ columns, cells }: Pick<QueryResult, "columns" | "cells">, others: readonly (string | undefined)[]): string[] {
  const isNumeric = (at: number): boolean => {
    const known = cells.map((row) => row[at] ?? null).filter((cell) => cell !== null);
    return known.length > 0 && known.every((cell) => numberOf(cell) !== undefined || (typeof cell === "object" && "real" in cell));
  };
  const found = columns.find((name, at) => !others.includes(name) && isNumeric(at));
  return found === undefined ? [] : [found];
}

/** The number a cell is, also as a text of one; one that an axis has no room for is none. */
function numberOf(cell: Cell): number | undefined {
  if (cell === null || (typeof cell === "object" && "blob" in cell)) return undefined;
  const text = cellText(cell).trim();
  const value = text === "" ? Number.NaN : Number(text);
  const size = Math.abs(value);
  return size <= NUMBER_MAX && (size >= 1 / NUMBER_MAX || size === 0) ? value : undefined;
}

/** Milliseconds of a text as `2026-11-22`, `2026-11-22 10:00` or `2026-11-22T10:00:00Z`; UTC where it says nothing else. */
function timeOf(cell: Cell): number | undefined {
  if (typeof cell !== "string") return undefined;
  const found = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)(Z|[+-]\d{2}:\d{2})?)?$/u.exec(cell.trim());
  const at = found ? Date.parse(`${found[1]}T${found[2] ?? "00:00"}${found[3] ?? "Z"}`) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}

function axisOf(xs: readonly Cell[]): XAxis {
  const known = xs.filter((cell) => cell !== null);
  const numbers = known.map(numberOf);
  if (known.length > 0 && numbers.every((value) => value !== undefined && value >= TIME_MIN && value <= TIME_MAX)) return { kind: "time" };
  if (known.length > 0 && numbers.every((value) => value !== undefined)) return { kind: "number" };
  if (known.length > 0 && known.every((cell) => timeOf(cell) !== undefined)) return { kind: "time" };
  return { kind: "category", labels: [...new Set(known.map(cellText))] };
}

function placeOn(axis: XAxis): (cell: Cell) => number | undefined {
  if (axis.kind !== "category") return (cell) => numberOf(cell) ?? timeOf(cell);
  const places = new Map(axis.labels.map((label, at) => [label, at]));
  return (cell) => (cell === null ? undefined : places.get(cellText(cell)));
}

interface Places {
  readonly place: (cell: Cell) => number | undefined;
  readonly x: number;
  readonly by: number | undefined;
  readonly ys: readonly (readonly [name: string, at: number])[];
}

function seriesOf(cells: QueryResult["cells"], { place, x: xAt, by, ys }: Places): { series: Series[]; leftOut: number } {
  const points = new Map<string, Point[]>();
  let leftOut = 0;
  for (const row of cells) {
    const x = place(row[xAt] ?? null);
    const group = by === undefined ? undefined : cellText(row[by] ?? null) || "(none)";
    for (const [name, at] of ys) {
      const y = numberOf(row[at] ?? null);
      if (x === undefined || y === undefined) {
        leftOut += 1;
        continue;
      }
      const series = group === undefined ? name : ys.length === 1 ? group : `${group} ${name}`;
      const mine = points.get(series);
      if (mine) mine.push({ x, y });
      else points.set(series, [{ x, y }]);
    }
  }
  const series = [...points].map(([name, mine]) => ({ name, points: mine.toSorted((left, right) => left.x - right.x) }));
  return { series, leftOut };
}
