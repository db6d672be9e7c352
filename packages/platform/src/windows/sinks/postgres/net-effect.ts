/**
 * What the results of one row come to in a table: at most one change for each of its rows, in whatever order they are made. Pure.
 *
 * A pane replaces the one that was told of its window before; a session that grew takes the rows away of those that it was made of.
 */
import type { Pane, WindowBounds, WindowDefinition } from "@lambent/sdk/windows";
import type { ResultRow } from "../../engine/result-row.ts";

/** A row of the table. */
export interface TableRow extends WindowBounds {
  readonly key: string;
  /** 0 where a window has one row; else how many panes came before. */
  readonly nth: number;
  /** The result as JSON that Postgres has place for. */
  readonly text: string;
}

export type ReplacedWindow = WindowBounds & { readonly key: string };

export interface NetEffect {
  readonly rows: readonly TableRow[];
  /** Rows of these windows go, but for those in `rows`. */
  readonly replaced: readonly ReplacedWindow[];
}

type Told = Pick<Pane, "window" | "index" | "replaces">;

/**
 * Whether each pane is a row of its own. Windows that end with a record have one pane each, and two of one time have the same bounds; panes that
 * hold only what came since the one before are none without the others.
 */
export function isRowEachPane({ window, trigger }: WindowDefinition): boolean {
  const isToldAgain = window.kind === "tumbling" || window.kind === "hopping" || window.kind === "session";
  return !isToldAgain || trigger.panes === "discarding";
}

export function netEffect({ keys, texts }: Pick<ResultRow, "keys" | "texts">, eachPane: boolean): NetEffect {
  const rows = new Map<string, Map<number, TableRow>>();
  const replaced = new Map<string, ReplacedWindow>();
  for (const [at, text] of texts.entries()) {
    const key = storable(keys[at] ?? "");
    const { window, index, replaces = [] } = JSON.parse(text) as Told;
    for (const { start, end } of replaces) {
      const name = nameOf(key, { start, end });
      replaced.set(name, { key, start, end });
      rows.delete(name);
    }
    const name = nameOf(key, window);
    const nth = eachPane ? index : 0;
    rows.set(name, (rows.get(name) ?? new Map<number, TableRow>()).set(nth, { key, ...window, nth, text: storableJson(text) }));
  }
  return { rows: [...rows.values()].flatMap((mine) => [...mine.values()]), replaced: [...replaced.values()] };
}

function nameOf(key: string, { start, end }: WindowBounds): string {
  return `${start} ${end} ${key}`;
}

/** Postgres has texts without U+0000 and without halves of pairs: both become U+FFFD. */
function storable(text: string): string {
  return text.toWellFormed().replaceAll("\0", "\u{fffd}");
}

const UNSTORABLE = /\\u(?:0000|d[89a-f])/iu;

/** Most texts are stored as they are; what might not be is looked into. */
export function storableJson(text: string): string {
  if (!UNSTORABLE.test(text)) return text;
  return JSON.stringify(mended(JSON.parse(text)));
}

function mended(value: unknown): unknown {
  if (typeof value === "string") return storable(value);
  if (Array.isArray(value)) return value.map(mended);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [storable(name), mended(member)]));
}
