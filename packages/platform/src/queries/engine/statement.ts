/** Runs the one statement of a query: what it may touch, and how much it may answer. */
import { constants, type DatabaseSync } from "node:sqlite";
import type { Cell } from "./messages.ts";

const ALLOWED: ReadonlySet<number> = new Set([constants.SQLITE_SELECT, constants.SQLITE_READ, constants.SQLITE_RECURSIVE]);
/** Not there unless they are switched on; refused all the same. */
const REFUSED_FUNCTIONS: ReadonlySet<string> = new Set(["load_extension", "fts3_tokenizer"]);

export type Ran =
  | { readonly kind: "rows"; readonly columns: readonly string[]; readonly lines: Buffer; readonly rows: number; readonly cut: boolean }
  | { readonly kind: "noTable"; readonly name: string }
  | { readonly kind: "noColumn"; readonly name: string; readonly message: string }
  | { readonly kind: "refused"; readonly message: string };

export interface Bounds {
  readonly rowsMax: number;
  readonly bytesMax: number;
}

/** Lets a database compile nothing but statements that read what is in it. */
export function onlyReads(database: DatabaseSync): void {
  database.setAuthorizer((action, _first, second) => {
    if (action === constants.SQLITE_FUNCTION)
      return REFUSED_FUNCTIONS.has(second?.toLowerCase() ?? "") ? constants.SQLITE_DENY : constants.SQLITE_OK;
    return ALLOWED.has(action) ? constants.SQLITE_OK : constants.SQLITE_DENY;
  });
}

/** Compiles and runs `sql`, as far as the bounds go. */
export function runStatement(database: DatabaseSync, sql: string, bounds: Bounds): Ran {
  onlyReads(database);
  try {
    return collect(database, sql, bounds);
  } catch (error) {
    return refusalOf(error);
  } finally {
    database.setAuthorizer(null);
  }
}

function collect(database: DatabaseSync, sql: string, { rowsMax, bytesMax }: Bounds): Ran {
  const statement = database.prepare(sql);
  statement.setReadBigInts(true);
  statement.setReturnArrays(true);
  const columns = statement.columns().map(({ name }) => name);
  const lines: Buffer[] = [];
  let bytes = 0;
  let cut = false;
  for (const row of statement.iterate() as Iterable<unknown>) {
    const line = Buffer.from(`${JSON.stringify((row as readonly unknown[]).map(cellOf))}\n`);
    cut = lines.length >= rowsMax || bytes + line.length > bytesMax;
    if (cut) break;
    lines.push(line);
    bytes += line.length;
  }
  return { kind: "rows", columns, lines: Buffer.concat(lines), rows: lines.length, cut };
}

function cellOf(value: unknown): Cell {
  if (typeof value === "bigint")
    return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : { integer: String(value) };
  if (typeof value === "number") return Number.isFinite(value) ? value : { real: String(value) };
  if (typeof value === "string") return value;
  return value instanceof Uint8Array ? { blob: Buffer.from(value).toString("base64") } : null;
}

const NO_TABLE = /^no such table: (.+)$/su;
const NO_COLUMN = /^no such column: (?:.*\.)?([^.]+)$/su;
/** SQLite's numbers for what is no fault of the statement's wording. */
const NO_MEMORY = 7;
const TOO_BIG = 18;
const NOT_AUTHORIZED = 23;

function refusalOf(error: unknown): Ran {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && "errcode" in error ? Number(error.errcode) & 0xff : 0;
  const table = NO_TABLE.exec(message)?.[1];
  if (table !== undefined) return { kind: "noTable", name: table };
  const column = NO_COLUMN.exec(message)?.[1];
  if (column !== undefined) return { kind: "noColumn", name: column, message };
  if (code === NO_MEMORY) return { kind: "refused", message: "The query needs more memory than one may have: let it read or sort less." };
  if (code === TOO_BIG) return { kind: "refused", message: "The query makes a value that is longer than one may be." };
  if (code === NOT_AUTHORIZED) return { kind: "refused", message: `A query only reads streams: ${message}.` };
  return { kind: "refused", message: `SQLite says: ${message}.` };
}
