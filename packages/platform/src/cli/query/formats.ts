/** The rows of a query as text. */
import { layOut } from "../output.ts";
import type { Cell, QueryResult, Row } from "./ask.ts";

/** Rows that a table on a screen has; files have all. */
export const TABLE_ROWS_MAX = 200;
/** Characters of one cell of a table. */
const CELL_CHARS_MAX = 80;

/** RFC 4180: lines end with CR LF; what SQL has no value for is empty, an empty text is `""`. */
export function csvOf({ columns, cells }: QueryResult): string {
  const lines = [columns.map(csvField), ...cells.map((row) => row.map((cell) => (cell === null ? "" : csvField(cellText(cell)))))];
  return lines.map((fields) => `${fields.join(",")}\r\n`).join("");
}

function csvField(text: string): string {
  return text === "" || /[",\r\n]|^\s|\s$/u.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** One array of an object a row. */
export function jsonOf(result: QueryResult): string {
  const rows = rowObjects(result);
  return rows.length === 0 ? "[]\n" : `[\n${rows.map((row) => `  ${row}`).join(",\n")}\n]\n`;
}

/** An object a line. */
export function jsonLinesOf(result: QueryResult): string {
  return rowObjects(result)
    .map((row) => `${row}\n`)
    .join("");
}

function rowObjects({ columns, cells }: QueryResult): string[] {
  const names = uniqueNames(columns).map((name) => JSON.stringify(name));
  return cells.map((row) => `{${row.map((cell, at) => `${names[at]}:${jsonCell(cell)}`).join(",")}}`);
}

/** Integers keep all their digits, whatever size; whoever reads them decides. */
function jsonCell(cell: Cell): string {
  if (cell === null || typeof cell !== "object") return JSON.stringify(cell);
  return "integer" in cell ? cell.integer : JSON.stringify(cellText(cell));
}

/** `a, a` becomes `a, a_2`: an object has a name once. */
export function uniqueNames(names: readonly string[]): string[] {
  const taken = new Set(names);
  const seen = new Set<string>();
  return names.map((name) => {
    let unique = name;
    for (let number = 2; seen.has(unique); number += 1) unique = taken.has(`${name}_${number}`) ? unique : `${name}_${number}`;
    seen.add(unique);
    return unique;
  });
}

/** A cell as a person reads it; blobs in base64. */
export function cellText(cell: Cell): string {
  if (cell === null) return "";
  if (typeof cell !== "object") return String(cell);
  return "integer" in cell ? cell.integer : "real" in cell ? cell.real : cell.blob;
}

/** Lines of a table, numbers to the right. `foreign` makes text fit for where it is shown. */
export function tableOf({ columns, cells }: QueryResult, foreign: (text: string) => string): string[] {
  const shown = cells.slice(0, TABLE_ROWS_MAX);
  const isNumeric = columns.map((_, at) => shown.some((row) => row[at] !== null) && shown.every((row) => isNumber(row[at] ?? null)));
  const rows = [columns.map(foreign), ...shown.map((row: Row) => row.map((cell) => foreign(shortText(cell))))];
  const widths = columns.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  const [head = [], ...body] = rows.map((row) => row.map((text, at) => (isNumeric[at] ? text.padStart(widths[at] ?? 0) : text)));
  return layOut(head, body);
}

function isNumber(cell: Cell): boolean {
  return cell === null || typeof cell === "number" || (typeof cell === "object" && !("blob" in cell));
}

function shortText(cell: Cell): string {
  const text = cellText(cell).replaceAll(/\s+/gu, " ");
  return text.length > CELL_CHARS_MAX ? `${text.slice(0, CELL_CHARS_MAX - 1)}…` : text;
}
