/** Results that go to their sinks together. Which are in one row follows from the journal alone, so that behind a crash the rows are the same. */
import { ColumnReader, ColumnWriter } from "../journal/columns.ts";
import type { Route } from "../journal/step.ts";
import type { Lane } from "./lane.ts";

/** Results of one row. @limit */
export const ROW_RESULTS_MAX = 1_000;
/** Characters of the results of one row, beyond a first one that is longer. */
const ROW_LENGTH_MAX = 262_144;
const FORMAT = 2;

export interface ResultRow {
  readonly lane: Lane;
  /** From 0 within its lane and generation, without gaps. */
  readonly number: number;
  /** The number of its first result within lane and generation. */
  readonly first: number;
  readonly keys: readonly string[];
  /** Of the events: milliseconds. */
  readonly times: readonly number[];
  /** JSON. */
  readonly texts: readonly string[];
  /** By stream: where results went when these were made. */
  readonly routes: ReadonlyMap<string, Route>;
  /** About what it takes in memory. */
  readonly bytes: number;
}

/** How many results there are behind it. */
export function endOf({ first, keys }: ResultRow): number {
  return first + keys.length;
}

/** Rows of one lane as they are made. */
export class RowMaker {
  readonly #lane: Lane;
  #number: number;
  #emitted: number;
  #keys: string[] = [];
  #times: number[] = [];
  #texts: string[] = [];
  #length = 0;

  constructor(lane: Lane, from: { readonly number: number; readonly emitted: number }) {
    this.#lane = lane;
    this.#number = from.number;
    this.#emitted = from.emitted;
  }

  /** Behind the last row. */
  get counters(): { readonly number: number; readonly emitted: number } {
    return { number: this.#number, emitted: this.#emitted };
  }

  add(key: string, time: number, text: string): void {
    this.#keys.push(key);
    this.#times.push(time);
    this.#texts.push(text);
    this.#length += key.length + text.length;
  }

  get isFull(): boolean {
    return this.#keys.length >= ROW_RESULTS_MAX || this.#length >= ROW_LENGTH_MAX;
  }

  /** What was added since the last one; undefined when that is nothing. */
  cut(routes: ReadonlyMap<string, Route>): ResultRow | undefined {
    if (this.#keys.length === 0) return undefined;
    const row: ResultRow = {
      ...{ lane: this.#lane, number: this.#number, first: this.#emitted, keys: this.#keys, times: this.#times, texts: this.#texts },
      ...{ routes, bytes: this.#length + 24 * this.#keys.length },
    };
    this.#number += 1;
    this.#emitted += this.#keys.length;
    this.#keys = [];
    this.#times = [];
    this.#texts = [];
    this.#length = 0;
    return row;
  }
}

export function encodeResultRow({ lane, number, first, keys, times, texts, routes, bytes }: ResultRow): Buffer {
  const writer = new ColumnWriter().json({ lane, number, first, bytes, routes: [...routes] });
  return writer.json(keys).numbers(times).json(texts).done(FORMAT);
}

export function decodeResultRow(block: Uint8Array): ResultRow {
  const reader = new ColumnReader(block, FORMAT, "A row of a window's results");
  const { routes, ...head } = reader.json<
    Pick<ResultRow, "lane" | "number" | "first" | "bytes"> & { readonly routes: [string, Route][] }
  >();
  return { ...head, keys: reader.json<string[]>(), times: reader.numbers(), texts: reader.json<string[]>(), routes: new Map(routes) };
}
