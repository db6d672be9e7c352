/** One stream as a table: what every record has, and a column for each member of those that are JSON objects. */
import { isUtf8 } from "node:buffer";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { PackedRecords } from "./messages.ts";
import { type UnpackedRecord, unpackRecords } from "./packed-records.ts";

/** Members that become columns; the others are reached by `json_extract`. @limit */
const MEMBER_COLUMNS_MAX = 200;
/** Characters of a member's name that becomes a column. */
const MEMBER_NAME_MAX = 128;

/** What every record has. While records come in, these are named with an underscore: members may have the plain names. */
const RECORD_COLUMNS = ["partition", "offset", "time", "key", "value", "headers"] as const;

type Value = null | number | bigint | string | Buffer;

export class StreamTable {
  readonly name: string;
  readonly #database: DatabaseSync;
  /** Lower case, as SQL compares names → the member and its place among the values. */
  readonly #columns = new Map<string, { readonly member: string; readonly place: number }>();
  readonly #leftOut = new Set<string>();
  readonly #aliases = new Set<string>();
  #insert: StatementSync;
  #records = 0;

  constructor(database: DatabaseSync, name: string) {
    this.name = name;
    this.#database = database;
    const columns = RECORD_COLUMNS.map((column) =>
      column === "partition" || column === "offset" || column === "time" ? `_${column} integer` : `_${column}`,
    );
    database.exec(`begin; create table ${quoted(name)} (${columns.join(", ")})`);
    this.#insert = this.#prepareInsert();
  }

  add(packed: PackedRecords): void {
    for (const record of unpackRecords(packed)) {
      // Before the statement is looked at: a new member makes another one.
      const values = this.#valuesOf(record, packed.partition);
      this.#insert.run(...values);
      this.#records += 1;
    }
  }

  get records(): number {
    return this.#records;
  }

  /** All records are in: what every record has gets its plain name, where no member has it. */
  end(): void {
    for (const column of RECORD_COLUMNS)
      if (!this.#columns.has(column)) this.#database.exec(`alter table ${quoted(this.name)} rename column _${column} to ${quoted(column)}`);
    this.#database.exec("commit");
  }

  /** Members that have no column. */
  get leftOut(): number {
    return this.#leftOut.size;
  }

  /** Names, as a query may use them. */
  get columns(): readonly string[] {
    return [
      ...RECORD_COLUMNS.map((column) => (this.#columns.has(column) ? `_${column}` : column)),
      ...[...this.#columns.values()].map(({ member }) => member),
    ];
  }

  /** Makes the underscored name of a record's own column one for the plain name it has. False where there is nothing to make. */
  alias(name: string): boolean {
    const plain = RECORD_COLUMNS.find((column) => `_${column}` === name.toLowerCase());
    if (plain === undefined || this.#columns.has(plain) || this.#aliases.has(plain)) return false;
    this.#aliases.add(plain);
    this.#database.exec(`alter table ${quoted(this.name)} add column _${plain} generated always as (${quoted(plain)}) virtual`);
    return true;
  }

  #valuesOf({ offset, time, key, value, headers }: UnpackedRecord, partition: number): Value[] {
    const text = value && isUtf8(value) ? value.toString("utf8") : undefined;
    const members = text === undefined ? undefined : membersOf(text);
    const found = members ? this.#memberValues(members) : [];
    const own = [partition, offset, time, textOrBytes(key), text === undefined ? (value ?? null) : scalarOf(text), headers ?? null];
    const values: Value[] = [...own, ...found];
    // Members that the record does not have.
    while (values.length < RECORD_COLUMNS.length + this.#columns.size) values.push(null);
    return values;
  }

  #memberValues(members: Readonly<Record<string, unknown>>): Value[] {
    const values: Value[] = [];
    for (const member of Object.keys(members)) {
      const place = this.#placeOf(member);
      if (place === undefined) continue;
      while (values.length < place) values.push(null);
      values[place] = columnValue(members[member]);
    }
    return values;
  }

  #placeOf(member: string): number | undefined {
    const lower = sqlLower(member);
    const known = this.#columns.get(lower);
    if (known?.member === member) return known.place;
    if (known || this.#leftOut.has(member)) return this.#leave(member);
    const isNone =
      member === "" || member.length > MEMBER_NAME_MAX || member.includes("\0") || RECORD_COLUMNS.some((column) => `_${column}` === lower);
    if (isNone || this.#columns.size >= MEMBER_COLUMNS_MAX) return this.#leave(member);
    const place = this.#columns.size;
    this.#database.exec(`alter table ${quoted(this.name)} add column ${quoted(member)}`);
    this.#columns.set(lower, { member, place });
    this.#insert = this.#prepareInsert();
    return place;
  }

  #leave(member: string): undefined {
    // Counted as far as anybody would.
    if (this.#leftOut.size < 10 * MEMBER_COLUMNS_MAX) this.#leftOut.add(member);
  }

  #prepareInsert(): StatementSync {
    const places = Array.from({ length: RECORD_COLUMNS.length + this.#columns.size }, () => "?");
    return this.#database.prepare(`insert into ${quoted(this.name)} values (${places.join(", ")})`);
  }
}

/** SQL's names know no case of the letters A to Z. */
function sqlLower(name: string): string {
  return name.replaceAll(/[A-Z]/gu, (letter) => letter.toLowerCase());
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** The members of a text that is a JSON object. */
function membersOf(text: string): Readonly<Record<string, unknown>> | undefined {
  if (!/^\s*\{/u.test(text)) return undefined;
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

/** A value that is a JSON number is one in SQL, too. */
function scalarOf(text: string): Value {
  if (!/^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/u.test(text) || text.length > 40) return text;
  return numberValue(Number(text));
}

function numberValue(value: number): Value {
  // SQLite reckons with integers otherwise than with reals; JSON's 5 is an integer.
  return Number.isSafeInteger(value) ? BigInt(value) : value;
}

function columnValue(value: unknown): Value {
  switch (typeof value) {
    case "string":
      return value;
    case "number":
      return numberValue(value);
    case "boolean":
      return value ? 1n : 0n;
    default:
      return value === null || value === undefined ? null : jsonOf(value);
  }
}

function jsonOf(value: unknown): string | null {
  try {
    return JSON.stringify(value);
  } catch {
    // Nested deeper than it can be written again; the record's value has it.
    return null;
  }
}

function textOrBytes(bytes: Buffer | undefined): Value {
  if (!bytes) return null;
  return isUtf8(bytes) ? bytes.toString("utf8") : bytes;
}
