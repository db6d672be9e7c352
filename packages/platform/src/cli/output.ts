import type { Writable } from "node:stream";
import { styleText } from "node:util";
import { asCalledHere } from "./version.ts";

/** Where a command writes: results to `out`, everything said beside them to `err`. */
export interface Output {
  readonly json: boolean;
  /** A result: goes to standard output, and nothing else does. */
  line(text: string): void;
  /** Said beside the result, on standard error; silent with `--json`. */
  note(text: string): void;
  /** The same result as data, one JSON document; only with `--json`. */
  data(value: unknown): void;
  /** Raw bytes of a result. */
  raw(bytes: Uint8Array): void;
  table(head: readonly string[], rows: readonly (readonly string[])[]): void;
  /**
   * Text that a function made, for where it is shown: a terminal gets control characters spelled out, because they move
   * its cursor, rename its window, or type for its owner. A file or a program gets the text as it is.
   */
  foreign(text: string, to?: "out" | "err"): string;
  readonly paint: Paint;
}

type Style = "red" | "green" | "yellow" | "dim" | "bold";
export type Paint = (style: Style, text: string) => string;

export interface OutputOptions {
  readonly json: boolean;
  /** Colours; by default only when standard output is a terminal and NO_COLOR is not set. */
  readonly colour?: boolean;
  /** Somebody looks at both streams; by default at each that is a terminal. */
  readonly terminal?: boolean;
  readonly out?: Writable;
  readonly err?: Writable;
}

/** Standard output and standard error as a command sees them. */
export function openOutput(options: OutputOptions): Output {
  const out = options.out ?? process.stdout;
  const err = options.err ?? process.stderr;
  const colour = options.colour ?? (process.stdout.isTTY === true && !process.env["NO_COLOR"]);
  const terminals = { out: options.terminal ?? process.stdout.isTTY === true, err: options.terminal ?? process.stderr.isTTY === true };
  const paint: Paint = (style, text) => (colour ? styleText(style, text, { validateStream: false }) : text);
  return {
    json: options.json,
    paint,
    foreign: (text, to = "out") => (terminals[to] ? spelledOut(text) : text),
    line: (text) => void out.write(`${text}\n`),
    note: (text) => void (options.json || err.write(`${asCalledHere(text)}\n`)),
    data: (value) => void out.write(`${JSON.stringify(value, undefined, 2)}\n`),
    raw: (bytes) => void out.write(bytes),
    table: (head, rows) =>
      void out.write(
        layOut(head, rows)
          .map((row, at) => `${at === 0 ? paint("dim", row) : row}\n`)
          .join(""),
      ),
  };
}

/** Every control character but tab and newline as `\x1b`: C0, delete, and C1, which terminals heed too. */
function spelledOut(text: string): string {
  return text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/gu, (each) => `\\x${each.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

/** Columns padded to their widest cell, two spaces apart; the last column is not padded. */
export function layOut(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all.map((row) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}

/** `2.1 ms`, `38 ms`, `1.2 s`: three figures at most, the unit people read. */
export function formatMs(ms: number): string {
  if (ms < 10) return `${(Math.round(ms * 10) / 10).toString()} ms`;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  return `${(Math.round(ms / 100) / 10).toString()} s`;
}

/** `3 h 12 min`, `41 s`: the two largest units. */
export function formatSpan(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3_600)} h`;
}

export function formatBytes(bytes: number): string {
  if (bytes < 1_024) return `${bytes} B`;
  if (bytes < 1_024 * 1_024) return `${(bytes / 1_024).toFixed(1)} KB`;
  if (bytes < 1_024 * 1_024 * 1_024) return `${(bytes / 1_024 / 1_024).toFixed(1)} MB`;
  return `${(bytes / 1_024 / 1_024 / 1_024).toFixed(1)} GB`;
}
