/** What is said to Postgres. Every value goes as a parameter; the table's name was checked when it was declared. */
import type { NetEffect, TableRow } from "./net-effect.ts";

/** What is asked of a connection; `pg`'s clients are ones. */
export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** `averages`, or `public.averages`: what a declaration may say. Each part has at most 63 letters, as Postgres has it. */
export const TABLE_NAME = /^(?:([A-Za-z_][A-Za-z0-9_]{0,62})\.)?([A-Za-z_][A-Za-z0-9_]{0,62})$/u;
/** Beside the tables of a schema: how far each of them is. */
const TURNS_TABLE = "lambent_window_turns";

/** A table of results, and the one that says how far it is, as they are written in a statement. */
export interface TableNames {
  readonly table: string;
  readonly turns: string;
}

export function tableNames(declared: string): TableNames {
  const [, schema, name = ""] = TABLE_NAME.exec(declared) ?? [];
  const within = schema === undefined ? "" : `"${schema}".`;
  return { table: `${within}"${name}"`, turns: `${within}"${TURNS_TABLE}"` };
}

/** Gives one row: which of the tables are missing. */
export function whichAreMissing({ table, turns }: TableNames): Statement {
  return { text: "select to_regclass($1) is null as results, to_regclass($2) is null as turns", values: [table, turns] };
}

/** One server at a time makes tables: two that do are refused by Postgres. */
export const ALONE_MAKING_TABLES = "select pg_advisory_xact_lock(7811882206)";

export function createResults({ table }: TableNames): string {
  return `create table if not exists ${table} (
  window_name text not null,
  key text not null,
  window_start timestamptz not null,
  window_end timestamptz not null,
  nth bigint not null,
  result jsonb not null,
  written_at timestamptz not null default now(),
  primary key (window_name, key, window_start, window_end, nth)
)`;
}

export function createTurns({ turns }: TableNames): string {
  return `create table if not exists ${turns} (
  sink text primary key,
  generation bigint not null,
  turn bigint not null,
  digest text not null
)`;
}

/** Which row of results this is: the table has had it, and those before it, or it has not. */
export interface Turn {
  /** Names window, lane and table. */
  readonly sink: string;
  readonly generation: number;
  readonly turn: number;
  /** Of what it writes. */
  readonly digest: string;
}

/** Gives a row when the turn is a new one. In the same transaction as what the turn writes. */
export function takeTurn({ turns }: TableNames, { sink, generation, turn, digest }: Turn): Statement {
  return {
    text: `insert into ${turns} as known (sink, generation, turn, digest) values ($1, $2, $3, $4)
on conflict (sink) do update set generation = excluded.generation, turn = excluded.turn, digest = excluded.digest
where (known.generation, known.turn) < (excluded.generation, excluded.turn) returning 1`,
    values: [sink, generation, turn, digest],
  };
}

/** Gives a row when the last turn is one that this window cannot have had. */
export function otherTurn({ turns }: TableNames, { sink, generation, turn, digest }: Turn): Statement {
  return {
    text: `select 1 from ${turns} where sink = $1 and (generation > $2 or (generation = $2 and turn = $3 and digest <> $4))`,
    values: [sink, generation, turn, digest],
  };
}

/** Times are numbers of milliseconds. */
const TIME = (column: string): string => `to_timestamp(${column} / 1000)`;

export function removeReplaced({ table }: TableNames, windowName: string, { replaced }: NetEffect): Statement {
  return {
    text: `delete from ${table} as known using unnest($2::text[], $3::float8[], $4::float8[]) as gone (key, from_ms, to_ms)
where known.window_name = $1 and known.key = gone.key and known.window_start = ${TIME("gone.from_ms")} and known.window_end = ${TIME("gone.to_ms")}`,
    values: [windowName, replaced.map(({ key }) => key), replaced.map(({ start }) => start), replaced.map(({ end }) => end)],
  };
}

/** No two of `rows` are of one row of the table. */
export function putRows({ table }: TableNames, windowName: string, rows: readonly TableRow[]): Statement {
  return {
    text: `insert into ${table} (window_name, key, window_start, window_end, nth, result)
select $1, key, ${TIME("from_ms")}, ${TIME("to_ms")}, nth, result
from unnest($2::text[], $3::float8[], $4::float8[], $5::bigint[], $6::jsonb[]) as told (key, from_ms, to_ms, nth, result)
on conflict (window_name, key, window_start, window_end, nth) do update set result = excluded.result, written_at = now()`,
    values: [
      windowName,
      rows.map(({ key }) => key),
      rows.map(({ start }) => start),
      rows.map(({ end }) => end),
      rows.map(({ nth }) => nth),
      rows.map(({ text }) => text),
    ],
  };
}
