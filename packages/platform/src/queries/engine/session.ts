/** One query in its process: asks for the tables that its statement names, one after the other, and answers. */
import { DatabaseSync } from "node:sqlite";
import type { FromProcess, ToProcess } from "./messages.ts";
import { type Bounds, type Ran, runStatement } from "./statement.ts";
import { StreamTable } from "./stream-table.ts";

/** Bytes of one text or blob, also while it is reckoned: a record's value and its members fit. @limit */
const VALUE_BYTES_MAX = 64 * 1024 * 1024;
/** Streams of one query. @limit */
const TABLES_MAX = 16;

/** Names of columns in a message. */
const COLUMNS_TOLD_MAX = 30;

type Phase =
  | { readonly kind: "asked" }
  | { readonly kind: "running"; readonly sql: string; readonly bounds: Bounds }
  | { readonly kind: "filling"; readonly sql: string; readonly bounds: Bounds; readonly table: StreamTable };

export class Session {
  readonly #database: DatabaseSync;
  readonly #tell: (message: FromProcess) => void;
  readonly #tables = new Map<string, StreamTable>();
  #phase: Phase = { kind: "asked" };

  constructor(tell: (message: FromProcess) => void) {
    this.#tell = tell;
    const limits = { length: VALUE_BYTES_MAX, attach: 0, compoundSelect: 50, exprDepth: 200, vdbeOp: 1_000_000 };
    this.#database = new DatabaseSync(":memory:", {
      allowExtension: false,
      enableDoubleQuotedStringLiterals: false,
      defensive: true,
      limits,
    });
    // Nothing of a query is ever in a file; what it takes is memory, which the process has a bound of.
    this.#database.exec("pragma temp_store = memory; pragma trusted_schema = off");
    this.#database.function("iso", { deterministic: true }, isoOf);
  }

  take(message: ToProcess): void {
    const phase = this.#phase;
    switch (message.kind) {
      case "query":
        return this.#begin(message.sql, message);
      case "table":
        if (phase.kind === "running") this.#phase = { ...phase, kind: "filling", table: this.#newTable(message.name) };
        return;
      case "records":
        if (phase.kind === "filling") phase.table.add(message.packed);
        return;
      case "tableEnd":
        if (phase.kind !== "filling") return;
        phase.table.end();
        this.#phase = { kind: "running", sql: phase.sql, bounds: phase.bounds };
        return this.#attempt(phase.sql, phase.bounds);
    }
  }

  #begin(sql: string, { rowsMax, bytesMax }: Bounds): void {
    const bounds = { rowsMax, bytesMax };
    this.#phase = { kind: "running", sql, bounds };
    this.#attempt(sql, bounds);
  }

  /** SQLite itself says which tables a statement needs: no reading of SQL beside its own could do that as well. */
  #attempt(sql: string, bounds: Bounds): void {
    const ran = runStatement(this.#database, sql, bounds);
    switch (ran.kind) {
      case "rows": {
        const leftOut = [...this.#tables.values()]
          .filter((table) => table.leftOut > 0)
          .map((table) => [table.name, table.leftOut] as const);
        return this.#tell({ ...ran, kind: "answer", leftOut });
      }
      case "noTable":
        return this.#want(ran.name);
      case "noColumn":
        return this.#aliased(ran) ? this.#attempt(sql, bounds) : this.#tell({ kind: "refused", message: this.#columnsText(ran.message) });
      case "refused":
        return this.#tell(ran);
    }
  }

  #want(name: string): void {
    if (this.#tables.has(name))
      return this.#tell({
        kind: "refused",
        message: `There is no table ${name} as it is written; put a name that is not a plain word into double quotes: "${name}".`,
      });
    if (this.#tables.size >= TABLES_MAX)
      return this.#tell({ kind: "refused", message: `The query names more than ${TABLES_MAX} streams.` });
    this.#tell({ kind: "wants", table: name });
  }

  #newTable(name: string): StreamTable {
    const table = new StreamTable(this.#database, name);
    this.#tables.set(name, table);
    return table;
  }

  #aliased({ name }: Extract<Ran, { readonly kind: "noColumn" }>): boolean {
    return [...this.#tables.values()].map((table) => table.alias(name)).some(Boolean);
  }

  #columnsText(message: string): string {
    const known = [...this.#tables.values()].map((table) =>
      table.records === 0
        ? `no record of ${table.name} was read`
        : `${table.name} has ${table.columns.slice(0, COLUMNS_TOLD_MAX).join(", ")}`,
    );
    return `SQLite says: ${message}${known.length > 0 ? `; ${known.join("; ")}` : ""}.`;
  }
}

/** `2026-11-22T03:05:29.000Z` of milliseconds; null where there is no such time. */
function isoOf(time: unknown): string | null {
  const at = typeof time === "number" || typeof time === "bigint" ? new Date(Number(time)) : undefined;
  return at && !Number.isNaN(at.getTime()) ? at.toISOString() : null;
}
