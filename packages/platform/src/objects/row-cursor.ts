import type { StateRange, StateRow } from "../storage/index.ts";

/** Rows read at once where it is not known yet whether they will be used. */
const ROWS_AT_FIRST = 100;
const ROWS_AT_ONCE_MIN = 4;
const ROWS_AT_ONCE_MAX = 1_000;

export type ReadRows = (range: StateRange) => Promise<readonly StateRow[]>;

export interface RowsWanted {
  readonly prefix: string;
  readonly after: string | undefined;
  /** Rows that will be used if there are as many; a row that others are passed over with is one of them. */
  readonly wanted: number;
  /** None of them is passed over: they are read at once. */
  readonly all?: boolean;
  readonly delimiter?: string | undefined;
}

/**
 * Rows with one prefix in their order, read ahead: more at a time while they are used, fewer where most of them are passed over, and none
 * beyond those that are wanted until these are used up. With a delimiter, once all that are alike up to it were passed over, only the first
 * of those that are alike is read.
 */
export class RowCursor {
  readonly #read: ReadRows;
  readonly #prefix: string;
  readonly #delimiter: string | undefined;
  #after: string | undefined;
  #rows: readonly StateRow[] = [];
  #at = 0;
  #atOnce: number;
  #wanted: number;
  #ended = false;
  /** The rows that were read are the first ones of those that are alike. */
  #areFirsts = false;
  #hasPassedAll = false;
  /** Rows that were read, for whoever bounds its work. */
  rowsRead = 0;

  constructor(read: ReadRows, { prefix, after, wanted, all = false, delimiter }: RowsWanted) {
    this.#read = read;
    this.#prefix = prefix;
    this.#delimiter = delimiter;
    this.#after = after;
    this.#wanted = wanted;
    this.#atOnce = all ? ROWS_AT_ONCE_MAX : ROWS_AT_FIRST;
  }

  /** The next row, which stays the next one. */
  async peek(): Promise<StateRow | undefined> {
    if (this.#at === this.#rows.length && !this.#ended) await this.#more();
    return this.#rows[this.#at];
  }

  /** Leaves the next row behind. */
  pass(): void {
    const row = this.#rows[this.#at];
    this.#at += 1;
    this.#used();
    if (!this.#areFirsts || !row?.key.includes(this.#delimiter ?? "", this.#prefix.length)) return;
    // Of those that are like it none was read.
    this.#rows = [];
    this.#at = 0;
    this.#after = row.key;
    this.#hasPassedAll = false;
    this.#readFewer();
  }

  /** Leaves behind all rows that begin with `prefix`, which the next one does; `behind` is behind them all. */
  passAll(prefix: string, behind: string): void {
    const used = this.#at + 1;
    this.#used();
    this.#hasPassedAll = true;
    while (this.#rows[this.#at]?.key.startsWith(prefix)) this.#at += 1;
    if (this.#at < this.#rows.length) return;
    this.#after = behind;
    if (this.#rows.length > 2 * used) this.#readFewer();
  }

  /** Behind the last one that was wanted it is known no more how many will be used. */
  #used(): void {
    this.#wanted -= 1;
    if (this.#wanted === 0) this.#atOnce = ROWS_AT_FIRST;
  }

  #readFewer(): void {
    this.#atOnce = Math.max(ROWS_AT_ONCE_MIN, Math.floor(this.#atOnce / 4));
  }

  async #more(): Promise<void> {
    this.#areFirsts = this.#delimiter !== undefined && this.#hasPassedAll;
    this.#hasPassedAll = false;
    this.#rows = await this.#read({
      prefix: this.#prefix,
      limit: this.#wanted > 0 ? Math.min(this.#wanted, this.#atOnce) : this.#atOnce,
      ...(this.#after === undefined ? {} : { after: this.#after }),
      ...(this.#areFirsts && this.#delimiter !== undefined ? { delimiter: this.#delimiter } : {}),
    });
    this.#at = 0;
    this.rowsRead += this.#rows.length;
    this.#after = this.#rows.at(-1)?.key ?? this.#after;
    this.#ended = this.#rows.length === 0;
    this.#atOnce = Math.min(this.#atOnce * 2, ROWS_AT_ONCE_MAX);
  }
}
