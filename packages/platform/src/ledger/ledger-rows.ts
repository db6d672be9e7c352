/**
 * The ledger of one cell, for the cell's owner: what it writes goes into the commits that change its events (P2).
 *
 * Bounded: beyond `LEDGER_RECORDS_MAX` records of events that have ended, the oldest go, and those that go early are counted. Of
 * events that have not ended there are as many records as the cell has events, which its owner bounds.
 */
import { Lru, type Clock } from "../base/index.ts";
import type { OwnRow, WorkList } from "../storage/index.ts";
import type { LedgerRecord } from "./record.ts";
import { COUNTS_KEY, decodeCounts, decodeRecord, encodeCounts, encodeRecord, RECORD_PREFIX, recordKey, type LedgerCounts } from "./rows.ts";

/** A record outlives its event by this, unless the bound drops it. @limit */
export const LEDGER_KEEP_MS_MIN = 86_400_000;
/** Records of events that have ended, per cell; at the bound the oldest go (P7). @limit */
export const LEDGER_RECORDS_MAX = 50_000;
/** Records looked through at once for the oldest that have ended. */
const PAGE_ROWS = 100;
/** Keys remembered as let go: their removal may not be committed yet when they are looked up again. */
const DROPPED_REMEMBERED_MAX = 1_000;
/** Records one write lets go, so that a bound that was overrun is reached again. */
const DROPPED_PER_WRITE_MAX = 4;

type Rows = Pick<WorkList, "readRows">;

export class LedgerRows {
  readonly #list: Rows;
  readonly #clock: Clock;
  readonly #recordsMax: number;
  #counts: LedgerCounts;
  /** The oldest records that have ended, as far as they were looked up. */
  #oldest: { readonly key: string; readonly endedAt: number }[] = [];
  readonly #dropped = new Lru<string, true>(DROPPED_REMEMBERED_MAX);
  /** Behind which key the next of them are. */
  #lookedUpTo: string | undefined;
  #lookingUp: Promise<void> | undefined;

  private constructor(list: Rows, clock: Clock, recordsMax: number, counts: LedgerCounts) {
    this.#list = list;
    this.#clock = clock;
    this.#recordsMax = recordsMax;
    this.#counts = counts;
  }

  /** Reads one row, however many records there are. */
  static async open(list: Rows, clock: Clock, recordsMax: number = LEDGER_RECORDS_MAX): Promise<LedgerRows> {
    const [row] = await list.readRows({ prefix: COUNTS_KEY, limit: 1 });
    const ledger = new LedgerRows(list, clock, recordsMax, row ? decodeCounts(row.value) : { ended: 0, droppedEarly: 0 });
    ledger.#lookUp();
    return ledger;
  }

  /** What it holds; a commit that failed leaves it a little too high. */
  get counts(): LedgerCounts {
    return this.#counts;
  }

  /** The rows to put into the commit that changes the event: its record, and the removal of what the bound lets go. */
  write(record: LedgerRecord): OwnRow[] {
    const row: OwnRow = { key: recordKey(record.id), value: encodeRecord(record) };
    if (record.state.kind !== "ended") return [row];
    this.#counts = { ...this.#counts, ended: this.#counts.ended + 1 };
    const dropped = this.#drop();
    return [row, ...dropped, { key: COUNTS_KEY, value: encodeCounts(this.#counts) }];
  }

  /** Writes a record again whose event ended before. */
  rewrite(record: LedgerRecord): OwnRow[] {
    return [{ key: recordKey(record.id), value: encodeRecord(record) }];
  }

  /** Records in the order of their ids, behind `after`. */
  async page(after: string | undefined, limit: number): Promise<LedgerRecord[]> {
    const rows = await this.#list.readRows({ prefix: RECORD_PREFIX, limit, ...(after === undefined ? {} : { after: recordKey(after) }) });
    return rows.map(({ value }) => decodeRecord(value));
  }

  /** The rows that forget records whose time has passed, where nothing more comes and the bound would keep them. */
  forget(records: readonly LedgerRecord[]): OwnRow[] {
    return records.map(({ id }) => ({ key: recordKey(id), value: undefined }));
  }

  /** The record as it was last committed. */
  async get(id: string): Promise<LedgerRecord | undefined> {
    const key = recordKey(id);
    const [row] = await this.#list.readRows({ prefix: key, limit: 1 });
    return row?.key === key ? decodeRecord(row.value) : undefined;
  }

  /** What is to be dropped is known ahead; while more is looked up, the bound is overrun by as much as is written meanwhile. */
  #drop(): OwnRow[] {
    const excess = Math.min(this.#counts.ended - this.#recordsMax, DROPPED_PER_WRITE_MAX);
    if (excess <= 0) return [];
    const dropped = this.#oldest.splice(0, excess);
    for (const { key } of dropped) this.#dropped.set(key, true);
    const keepFrom = this.#clock.now() - LEDGER_KEEP_MS_MIN;
    const early = dropped.filter(({ endedAt }) => endedAt > keepFrom).length;
    this.#counts = { ended: this.#counts.ended - dropped.length, droppedEarly: this.#counts.droppedEarly + early };
    if (this.#oldest.length < PAGE_ROWS / 2) this.#lookUp();
    return dropped.map(({ key }) => ({ key, value: undefined }));
  }

  #lookUp(): void {
    if (this.#counts.ended < this.#recordsMax) return;
    this.#lookingUp ??= this.#readOldest().finally(() => (this.#lookingUp = undefined));
    // Whoever reads meets the same trouble and tells it; the next write looks again.
    this.#lookingUp.catch(() => undefined);
  }

  async #readOldest(): Promise<void> {
    const known = new Set(this.#oldest.map(({ key }) => key));
    const after = this.#lookedUpTo === undefined ? {} : { after: this.#lookedUpTo };
    const rows = await this.#list.readRows({ prefix: RECORD_PREFIX, limit: PAGE_ROWS, ...after });
    // At the end it begins anew: events that had not ended may have by now.
    this.#lookedUpTo = rows.length < PAGE_ROWS ? undefined : rows.at(-1)?.key;
    for (const { key, value } of rows) {
      const { state } = decodeRecord(value);
      if (state.kind === "ended" && !known.has(key) && this.#dropped.get(key) === undefined) this.#oldest.push({ key, endedAt: state.at });
    }
  }
}
