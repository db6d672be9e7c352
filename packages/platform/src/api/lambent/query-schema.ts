import { asPayload, blob, boolean, integer, operation, optional, string, structure, timestamp, type TypeOf } from "../../wire/index.ts";

/** The part of Lambent's own API that looks into streams. */

/** Read-only SQL; each stream is a table of its name. */
const runRequest = structure("RunQueryRequest", {
  Sql: string({ min: 1, max: 65_536 }),
  // Which records of each stream: one of these, or none for the newest 100,000.
  Last: optional(integer({ min: 1, max: 1_000_000 })),
  Since: optional(timestamp()),
  FromStart: optional(boolean()),
  RowsMax: optional(integer({ min: 1, max: 100_000 })),
  TimeoutMs: optional(integer({ min: 100, max: 60_000 })),
});
/**
 * One JSON document a line: `{"columns","rows","cut","durationMs","tables":[{"table","stream","records","bytes","kept","cut","leftOut"}]}` first, then each row
 * as an array. A cell is null, a number, a text, or `{"integer"}` for one beyond 2^53, `{"real"}` for an infinite one, `{"blob"}` in base64.
 */
const runResponse = structure("RunQueryResponse", { Lines: asPayload(blob()) });

export type RunQueryRequest = TypeOf<typeof runRequest>;
export type RunQueryResponse = TypeOf<typeof runResponse>;

/** The first line of an answer. */
export interface QueryHead {
  readonly columns: readonly string[];
  readonly rows: number;
  /** There are more rows than the answer has. */
  readonly cut: boolean;
  readonly durationMs: number;
  readonly tables: readonly QueriedTable[];
}

export interface QueriedTable {
  /** As the statement names it. */
  readonly table: string;
  readonly stream: string;
  readonly records: number;
  readonly bytes: number;
  /** Records the stream keeps. */
  readonly kept: number;
  /** Not all that was asked for was read. */
  readonly cut: boolean;
  /** Members that have no column. */
  readonly leftOut: number;
}

export const QUERY_OPERATIONS = [operation("RunQuery", "POST", "/_lambent/v1/query", { input: runRequest, output: runResponse })];
