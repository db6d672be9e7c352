/**
 * The ledger as it is read: what became of every accepted event (P2), over all cells that keep records.
 *
 * Owns nothing: each cell's owner writes its records in the commits that change its events (`LedgerRows`). Records are found by id
 * and listed by time, newest first. Deliberately absent: any index over cells; whoever looks asks each of them.
 */
import { timeOfId, type Clock, type Instant } from "../base/index.ts";
import { realmKey, type Realm } from "../model/index.ts";
import { eachCell, READ_ROWS_MAX, readOwnRows, type CellKey, type Store } from "../storage/index.ts";
import { LEDGER_RECORDS_MAX } from "./ledger-rows.ts";
import type { LedgerRecord, RecordState } from "./record.ts";
import { decodeRecord, keyBefore, RECORD_PREFIX, recordKey } from "./rows.ts";

/** Records one answer holds. @limit */
export const LEDGER_LISTED_MAX = 1_000;
/** The first stretch of time that is looked through, backwards; each further one is four times as long. */
const FIRST_STRETCH_MS = 4_000;
/** Cells that are read at the same time. */
const CELLS_AT_ONCE = 8;

export interface LedgerQuery {
  /** Events accepted from here on. */
  readonly since?: Instant | undefined;
  /** Events accepted before. */
  readonly until?: Instant | undefined;
  readonly source?: LedgerRecord["source"] | undefined;
  /** The first event of a chain: all that it led to, and itself. No record of the chain is older. */
  readonly correlation?: string | undefined;
  /** ARN of a function, with or without qualifier: without one, it stands for all of them. */
  readonly target?: string | undefined;
  readonly states?: readonly RecordState["kind"][] | undefined;
  /** 1 to `LEDGER_LISTED_MAX`. */
  readonly limit: number;
}

export interface LedgerParts {
  readonly store: Store;
  readonly clock: Clock;
  /** Second words of the names of cells that keep records, `async` for example. */
  readonly cellKinds: readonly string[];
  /** A record as its event's owner knows it now: what runs at this moment is not written down. */
  readonly live: (cell: CellKey, record: LedgerRecord) => LedgerRecord;
}

export interface FoundRecord {
  readonly cell: CellKey;
  readonly record: LedgerRecord;
}

export class Ledger {
  readonly #parts: LedgerParts;

  constructor(parts: LedgerParts) {
    this.#parts = parts;
  }

  /** The record of the event with this id; undefined when there never was one, or its time has passed. */
  async find(realm: Realm, id: string): Promise<FoundRecord | undefined> {
    const key = recordKey(id);
    for await (const found of this.#eachCell(realm, async (cell) => {
      const [row] = await readOwnRows(this.#parts.store, cell, { prefix: key, limit: 1 });
      return row?.key === key ? [{ cell, record: this.#parts.live(cell, decodeRecord(row.value)) }] : [];
    }))
      for (const each of found) return each;
    return undefined;
  }

  /** The newest records that fit the query, the newest first. */
  async list(realm: Realm, query: LedgerQuery): Promise<LedgerRecord[]> {
    const newest: LedgerRecord[] = [];
    for await (const found of this.#eachCell(realm, (cell) => this.#newestOf(cell, query))) newest.push(...found);
    return newest.sort((left, right) => (left.id < right.id ? 1 : -1)).slice(0, query.limit);
  }

  /** Looks backwards in stretches of time: rows are read in the order of time, and the newest are wanted. */
  async #newestOf(cell: CellKey, query: LedgerQuery): Promise<LedgerRecord[]> {
    const since = Math.max(query.since ?? 0, query.correlation === undefined ? 0 : timeOfId(query.correlation));
    const oldest = Math.max(since, await this.#oldestOf(cell));
    let found: LedgerRecord[] = [];
    // Ids of the same millisecond as now, and of a clock that was ahead, are looked at too.
    let before = query.until ?? Number.MAX_SAFE_INTEGER;
    let from = Math.min(before, this.#parts.clock.now()) - FIRST_STRETCH_MS;
    for (let stretchMs = FIRST_STRETCH_MS; before > oldest && found.length < query.limit; stretchMs *= 4) {
      const begin = Math.max(from, oldest);
      const stretch = await this.#between(cell, begin, before, query);
      found = [...stretch, ...found];
      before = begin;
      from = begin - stretchMs * 4;
    }
    return found.slice(-query.limit);
  }

  async #oldestOf(cell: CellKey): Promise<Instant> {
    const [row] = await readOwnRows(this.#parts.store, cell, { prefix: RECORD_PREFIX, limit: 1 });
    return row ? timeOfId(row.key.slice(RECORD_PREFIX.length)) : Number.POSITIVE_INFINITY;
  }

  async #between(cell: CellKey, from: Instant, before: Instant, query: LedgerQuery): Promise<LedgerRecord[]> {
    const found: LedgerRecord[] = [];
    let after = keyBefore(from);
    // As many as a cell keeps, and as many again that wait: what is read is bounded, too.
    for (let read = 0; read < LEDGER_RECORDS_MAX * 2;) {
      const rows = await readOwnRows(this.#parts.store, cell, { prefix: RECORD_PREFIX, after, limit: READ_ROWS_MAX });
      for (const row of rows) {
        const record = this.#parts.live(cell, decodeRecord(row.value));
        if (timeOfId(record.id) >= before) return found;
        if (fits(record, query)) found.push(record);
        if (found.length > query.limit * 2) found.splice(0, found.length - query.limit);
      }
      const last = rows.at(-1);
      if (!last) return found;
      after = last.key;
      read += rows.length;
    }
    return found;
  }

  /** Asks all cells of the realm that keep records, a few at a time. */
  async *#eachCell<T>(realm: Realm, ask: (cell: CellKey) => Promise<T>): AsyncGenerator<T> {
    const few: CellKey[] = [];
    for (const kind of this.#parts.cellKinds) {
      for await (const cell of eachCell(this.#parts.store, `${realmKey(realm)}/${kind}/`)) {
        few.push(cell);
        if (few.length === CELLS_AT_ONCE) yield* await Promise.all(few.splice(0).map(ask));
      }
    }
    yield* await Promise.all(few.map(ask));
  }
}

function fits(record: LedgerRecord, { source, target, states, correlation }: LedgerQuery): boolean {
  if (correlation !== undefined && record.correlation !== correlation) return false;
  if (source !== undefined && record.source !== source) return false;
  if (states !== undefined && !states.includes(record.state.kind)) return false;
  return target === undefined || record.target === target || record.target.startsWith(`${target}:`);
}
