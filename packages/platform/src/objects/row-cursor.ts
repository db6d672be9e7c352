import type { StateRange, StateRow } from "../storage/index.ts";

/** Rows read at once where nothing is known yet. */
const ROWS_AT_FIRST = 100;
const ROWS_AT_ONCE_MIN = 4;
const ROWS_AT_ONCE_MAX = 1_000;

export type ReadRows = (range: StateRange) => Promise<readonly StateRow[]>;

/**
 * Rows with one prefix in their order, read ahead: more at a time while they are used, fewer where most of them are passed over. With a delimiter,
 * once all that are alike up to it were passed over, only the first of those that are alike is read.
 */
export class RowCursor {
  readonly #read: ReadRows;
  readonly #prefix: string;
  readonly #delimiter: string | undefined;
  #after: string | undefined;
  #rows: readonly StateRow[] = [];
  #at = 0;
  #atOnce: number;
  #ended = false;
  /** The rows that were read are the first ones of those that are alike. */
  #areFirsts = false;
  #hasPassedAll = false;
  /** Rows that were read, for whoever bounds its work. */
  rowsRead = 0;

  constructor(read: ReadRows, prefix: string, after: string | undefined, wanted: number, delimiter?: string) {
    this.#read = read;
    this.#prefix = prefix;
    this.#delimiter = delimiter;
    this.#after = after;
    this.#atOnce = Math.min(Math.max(wanted, ROWS_AT_ONCE_MIN), ROWS_AT_FIRST);
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
    const at = this.#rows.findIndex(({ key }, index) => index >= this.#at && !key.startsWith(prefix));
    const used = this.#at + 1;
    this.#hasPassedAll = true;
    this.#at = at === -1 ? this.#rows.length : at;
    if (at !== -1) return;
    this.#after = behind;
    if (this.#rows.length > 2 * used) this.#readFewer();
  }

  #readFewer(): void {
    this.#atOnce = Math.max(ROWS_AT_ONCE_MIN, Math.floor(this.#atOnce / 4));
  }

  async #more(): Promise<void> {
    this.#areFirsts = this.#delimiter !== undefined && this.#hasPassedAll;
    this.#hasPassedAll = false;
    this.#rows = await this.#read({
      prefix: this.#prefix,
      limit: this.#atOnce,
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
