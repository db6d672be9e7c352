import type { DatabaseSync, StatementSync } from "node:sqlite";
import { numberKey, rowChecksum } from "./checksum.ts";
import { blockOf, HeadBlocks } from "./head-blocks.ts";
import type { CheckAnswer, CheckQuestion } from "./messages.ts";
import { isDamage } from "./thread.ts";

/** Cells one page of a check looks at. */
const CELLS_PER_PAGE = 256;
/** State rows one page of a check reads: few, because other reads wait behind it. */
const ROWS_PER_PAGE = 256;
/** Bytes after which such a page ends early. */
const PAGE_BYTES = 4 * 1024 * 1024;
/** Lines SQLite says about a damaged database. */
const STRUCTURE_LINES = 20;
const NOTHING = new Uint8Array(0);

type Faults = CheckAnswer["faults"][number][];

/** The reading half of `lambent verify`, inside the reader's thread. Each page is a statement of its own: no long read holds the write-ahead log. */
export class Checker {
  readonly #database: DatabaseSync;
  readonly #cells: StatementSync;
  readonly #head: StatementSync;
  readonly #state: StatementSync;
  readonly #log: StatementSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#cells = database.prepare(`select id, key, crc from cell where id > ? order by id limit ${CELLS_PER_PAGE}`);
    this.#head = database.prepare("select data from head where block = ?");
    this.#state = database.prepare(`select key, crc, value from state where cell = ? and key > ? order by key limit ${ROWS_PER_PAGE}`);
    this.#log = database.prepare("select cell, position, crc, value from log where seq = ?");
  }

  answer(question: CheckQuestion): CheckAnswer {
    try {
      switch (question.kind) {
        case "checkCells":
          return this.#checkCells(question.after);
        case "checkState":
          return this.#checkState(question.cell, question.after);
        case "checkLog":
          return this.#checkLog(question);
        case "checkStructure":
          return this.#checkStructure();
      }
    } catch (error) {
      // A page that SQLite itself cannot read: what lies behind it cannot be reached.
      if (isDamage(error)) return { kind: "checked", rows: 0, bytes: 0, faults: [{ at: 0, what: error.message }] };
      throw error;
    }
  }

  /** Heads are read behind the names: a cell that joins meanwhile has both or neither. */
  #checkCells(after: number): CheckAnswer {
    const faults: Faults = [];
    const rows = this.#cells.all(after) as unknown as { id: number; key: Uint8Array; crc: number }[];
    const heads = new HeadBlocks();
    for (const block of new Set(rows.map(({ id }) => blockOf(id)))) {
      const row = this.#head.get(block) as unknown as { data: Uint8Array } | undefined;
      if (row) heads.load(block, row.data);
    }
    let bytes = 0;
    for (const { id, key, crc } of rows) {
      bytes += key.byteLength;
      if (rowChecksum(id, key, NOTHING) !== crc) faults.push({ at: id, what: "its name does not have its checksum" });
      if (!heads.get(id)) faults.push({ at: id, what: "where it stands does not have its checksum" });
    }
    const last = rows.at(-1);
    return { kind: "checked", rows: rows.length, bytes, faults, ...(last ? { next: last.id } : {}) };
  }

  #checkState(cell: number, after: Uint8Array): CheckAnswer {
    const faults: Faults = [];
    let rows = 0;
    let bytes = 0;
    let last: Uint8Array | undefined;
    for (const row of this.#state.iterate(cell, after)) {
      const { key, crc, value } = row as unknown as { key: Uint8Array; crc: number; value: Uint8Array };
      rows++;
      bytes += key.byteLength + value.byteLength;
      last = key;
      if (rowChecksum(cell, key, value) !== crc)
        faults.push({ at: 0, what: `its row ${JSON.stringify(Buffer.from(key).toString("utf8"))} does not have its checksum` });
      if (bytes >= PAGE_BYTES) break;
    }
    return { kind: "checked", rows, bytes, faults, ...(last ? { next: last } : {}) };
  }

  #checkLog({ cell, position: from, sequences }: Extract<CheckQuestion, { kind: "checkLog" }>): CheckAnswer {
    const faults: Faults = [];
    let bytes = 0;
    let rows = 0;
    for (const sequence of sequences) {
      const position = from + rows++;
      const row = this.#log.get(sequence) as unknown as { cell: number; position: number; crc: number; value: Uint8Array } | undefined;
      if (!row) faults.push({ at: position, what: `row ${position} of its log is missing` });
      else if (row.cell !== cell || row.position !== position || rowChecksum(cell, numberKey(position), row.value) !== row.crc)
        faults.push({ at: position, what: `row ${position} of its log does not have its checksum` });
      bytes += row?.value.byteLength ?? 0;
      if (bytes >= PAGE_BYTES) break;
    }
    return { kind: "checked", rows, bytes, faults, next: from + rows };
  }

  #checkStructure(): CheckAnswer {
    const said = this.#database
      .prepare(`pragma integrity_check(${STRUCTURE_LINES})`)
      .all()
      .map((row) => String(row["integrity_check"]));
    const faults = said.filter((line) => line !== "ok").map((what) => ({ at: 0, what }));
    for (const table of ["state", "log"]) {
      const strays = Number(this.#database.prepare(`select count(*) n from ${table} where cell not in (select id from cell)`).get()?.["n"]);
      if (strays > 0) faults.push({ at: 0, what: `${strays} rows of ${table} belong to no cell` });
    }
    return { kind: "checked", rows: 0, bytes: 0, faults };
  }
}
