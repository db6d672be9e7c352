import type { Instant } from "../../base/index.ts";
import type { CellKey, Op } from "../store.ts";
import { ITEMS_PER_ROW_MAX, ROW_BYTES_TARGET, type Row } from "./item.ts";
import { encodeRow, encodeRowState, type StoredItem } from "./row-codec.ts";
import type { ListTotals, OwnRow } from "./work-list.ts";

export const HEAD_KEY = "head";
export const ROW_PREFIX = "row/";
export const DONE_PREFIX = "done/";
export const SOURCE_PREFIX = "from/";
export const OWN_PREFIX = "own/";

/** Ops a commit holds before no further command joins it; a command adds at most some forty. */
const OPS_TARGET = 300;
/** The same in bytes of bodies and own rows. */
const BYTES_TARGET = 1024 * 1024;
/** Left-over rows one commit removes. */
const GARBAGE_PER_COMMIT = 100;

/** Where a list stands: one row, written with every commit that changes it. */
export interface ListHead {
  readonly first: number;
  readonly next: number;
  readonly open: number;
  readonly nextOutgoing: number;
  /** Items on their way to another cell; absent where the list was written last before they were counted here. */
  readonly outgoing?: number;
  readonly highWater: Instant;
  readonly totals: ListTotals;
}

export interface RowDraft {
  readonly position: number;
  readonly items: StoredItem[];
  bytes: number;
  /** What is known of it; undefined when the row is only in the store. */
  readonly row: Row | undefined;
  /** It is known though rows before it are not, so no item may join it that has to keep its order. */
  readonly ahead: boolean;
}

/** What the commands of one commit change. */
export class Changes {
  readonly #touched = new Set<Row>();
  readonly #drafts: RowDraft[] = [];
  readonly #puts = new Map<string, Uint8Array | undefined>();
  readonly #garbage: string[] = [];
  readonly #storedDone = new Set<number>();
  #bytes = 0;
  #trimBefore = 0;
  #dirty = false;
  /** Nothing is added any more to what was begun: a purge came behind it. */
  #draftsClosed = false;

  /** The row that new items go into; undefined when one has to be begun. */
  get openDraft(): RowDraft | undefined {
    const draft = this.#draftsClosed ? undefined : this.#drafts.at(-1);
    return draft && draft.items.length < ITEMS_PER_ROW_MAX && draft.bytes < ROW_BYTES_TARGET && draft.row?.open !== 0 ? draft : undefined;
  }

  /** No further command should join this commit. */
  get full(): boolean {
    return this.#touched.size + this.#drafts.length + this.#puts.size >= OPS_TARGET || this.#bytes >= BYTES_TARGET;
  }

  get hasGarbage(): boolean {
    return this.#garbage.length > 0;
  }

  get drafts(): readonly RowDraft[] {
    return this.#drafts;
  }

  begin(draft: RowDraft): void {
    this.#draftsClosed = false;
    this.#drafts.push(draft);
  }

  add(draft: RowDraft, item: StoredItem): void {
    draft.items.push(item);
    draft.bytes += item.body.byteLength;
    this.#bytes += item.body.byteLength;
    this.#dirty = true;
  }

  touch(row: Row): void {
    this.#touched.add(row);
    this.#dirty = true;
  }

  /** All items of `row` have ended. */
  finish(row: Row): void {
    this.#touched.delete(row);
    if (row.stored) this.put(rowKey(row.position), undefined);
    this.#dirty = true;
  }

  put(key: string, value: Uint8Array | undefined): void {
    this.#puts.set(key, value);
    this.#bytes += value?.byteLength ?? 0;
    this.#dirty = true;
  }

  putDone(start: number, end: number): void {
    this.#storedDone.add(start);
    this.put(doneKey(start), Buffer.from(String(end)));
  }

  removeDone(start: number): void {
    if (this.#storedDone.delete(start)) this.put(doneKey(start), undefined);
  }

  loadedDone(start: number): void {
    this.#storedDone.add(start);
  }

  putOwn(rows: readonly OwnRow[]): void {
    for (const { key, value } of rows) this.put(OWN_PREFIX + key, value);
  }

  trim(before: number): void {
    this.#trimBefore = before;
    this.#dirty = true;
  }

  /** Rows that mean nothing any more and are removed a few at a time. */
  discard(keys: readonly string[]): void {
    for (const key of keys) this.#garbage.push(key);
  }

  /** Everything of the list is gone: what was to be written of its rows is not. */
  forgetRows(): void {
    this.#touched.clear();
    this.#draftsClosed = true;
    for (const start of this.#storedDone) this.#garbage.push(doneKey(start));
    this.#storedDone.clear();
    for (const key of [...this.#puts.keys()]) if (key.startsWith(ROW_PREFIX) || key.startsWith(DONE_PREFIX)) this.#move(key);
  }

  /** The ops of the commit, none when nothing changed; begins the next one. */
  take(cell: CellKey, head: ListHead): Op[] {
    for (const key of this.#garbage.splice(0, GARBAGE_PER_COMMIT)) this.put(key, undefined);
    if (!this.#dirty) return [];
    this.put(HEAD_KEY, Buffer.from(JSON.stringify(head)));
    for (const row of this.#touched) {
      row.stored = true;
      this.put(rowKey(row.position), encodeRowState(row));
    }
    const ops: Op[] = this.#drafts.map(({ items }) => ({ kind: "append", cell, value: encodeRow(items) }));
    for (const [key, value] of this.#puts)
      ops.push(value === undefined ? { kind: "delete", cell, key } : { kind: "put", cell, key, value });
    if (this.#trimBefore > 0) ops.push({ kind: "trim", cell, before: this.#trimBefore });
    this.#clear();
    return ops;
  }

  #move(key: string): void {
    this.#puts.delete(key);
    this.#garbage.push(key);
  }

  #clear(): void {
    this.#touched.clear();
    this.#drafts.length = 0;
    this.#puts.clear();
    this.#bytes = 0;
    this.#trimBefore = 0;
    this.#dirty = false;
  }
}

export function rowKey(position: number): string {
  return ROW_PREFIX + padded(position);
}

export function doneKey(start: number): string {
  return DONE_PREFIX + padded(start);
}

/** Keys are listed in the order of their positions. */
function padded(position: number): string {
  return String(position).padStart(15, "0");
}
