/** A query as the command line asks it, and its answer as it comes: a line about all of it, then a line a row. */
import { systemClock } from "../../base/index.ts";
import type { QueryHead } from "../../api/index.ts";
import type { Client } from "../client.ts";
import { CommandFailure } from "../errors.ts";
import { LAMBENT_PATHS } from "../lambent-api.ts";
import { wholeNumber } from "../settings.ts";
import { spanMs } from "../span.ts";

/** What JSON cannot tell apart is an object: an integer beyond 2^53, an infinite number, bytes in base64. */
export type Cell = null | number | string | { readonly integer: string } | { readonly real: string } | { readonly blob: string };
export type Row = readonly Cell[];

export interface QueryResult extends QueryHead {
  readonly cells: readonly Row[];
}

/** Options that say what of the streams is read, and how long that may take. */
export interface RangeOptions {
  readonly last?: string;
  readonly since?: string;
  readonly fromStart?: boolean;
  readonly timeout?: string;
}

const RECORDS_MAX = 1_000_000;
const TIMEOUT_SECONDS_MAX = 60;

/** Asks the server. `rowsMax` is what the answer may have. */
export async function askQuery(client: Client, sql: string, options: RangeOptions, rowsMax: number): Promise<QueryResult> {
  const body = { Sql: sql, RowsMax: rowsMax, ...rangeOf(options) };
  const headers = { "content-type": "application/json" };
  const answer = await client.send({
    service: "lambent",
    method: "POST",
    path: LAMBENT_PATHS.query,
    headers,
    body: Buffer.from(JSON.stringify(body)),
  });
  const [head = "", ...lines] = answer.body.toString("utf8").split("\n");
  if (!head.startsWith("{"))
    throw new CommandFailure(
      "failed",
      "What answers does not speak Lambent's API: its answer to a query has no head.",
      "Name a Lambent server with --endpoint.",
    );
  return { ...(JSON.parse(head) as QueryHead), cells: lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Row) };
}

function rangeOf({ last, since, fromStart, timeout }: RangeOptions): object {
  const given = [last === undefined ? "" : "--last", since === undefined ? "" : "--since", fromStart ? "--from-start" : ""].filter(
    (each) => each !== "",
  );
  if (given.length > 1)
    throw new CommandFailure(
      "usage",
      `${given.join(" and ")} exclude each other.`,
      "Say one of them, or none for the newest 100,000 records of each stream.",
    );
  const records = wholeNumber(last, "--last", 1, RECORDS_MAX);
  const seconds = wholeNumber(timeout, "--timeout", 1, TIMEOUT_SECONDS_MAX);
  return {
    ...(records === undefined ? {} : { Last: records }),
    ...(since === undefined ? {} : { Since: (systemClock.now() - spanMs(since, "--since")) / 1_000 }),
    ...(fromStart ? { FromStart: true } : {}),
    ...(seconds === undefined ? {} : { TimeoutMs: seconds * 1_000 }),
  };
}

/** What was read, for beside the result: always how much, and whether that was all. */
export function factLines({ rows, cut, durationMs, tables }: QueryHead, rowsOption: string): string[] {
  const read = tables.map(({ table, records, kept }) => `${table} ${records} of ${kept} records`);
  const lines = [`  ${[`${rows} ${rows === 1 ? "row" : "rows"}`, ...read, `${durationMs} ms`].join(" · ")}`];
  if (cut) lines.push(`  There are more rows than these${rowsOption}.`);
  for (const { table, cut: isCut, leftOut } of tables) {
    if (isCut) lines.push(`  Not all of ${table} was read: --last, --since or --from-start say which records.`);
    if (leftOut > 0) lines.push(`  ${leftOut} members of ${table} have no column: json_extract(value, '$.name') reaches them.`);
  }
  return lines;
}
