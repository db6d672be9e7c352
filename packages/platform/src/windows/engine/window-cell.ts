/**
 * What is kept of one window, in its cell: a head, the blocks of a snapshot, and the journal of what the window was told since. The cell has one
 * owner (P11), so the places of journal rows are counted, not asked for.
 */
import { type Clock, delay, isLambentError } from "../../base/index.ts";
import { type CellKey, type CommitClass, eachRow, type Op, type Store } from "../../storage/index.ts";
import type { ManagedWindow } from "../definition.ts";
import { decodeJournalRow, encodeJournalRow, type JournalRow } from "../journal/journal-row.ts";
import type { StateHead } from "./window-state.ts";

/** When a snapshot makes the journal short again, which bounds what an opening has to read. */
export interface JournalBounds {
  readonly rowsMax: number;
  /** Or twice as much as the last snapshot, where that is more: writing it has to be worth while. */
  readonly bytesMin: number;
}

export const JOURNAL_BOUNDS: JournalBounds = { rowsMax: 10_000, bytesMin: 16 * 1_048_576 };
/** Rows of the journal read at once. */
const PAGE_ROWS = 32;
/** Blocks of one commit; each has at most 1 MiB. */
const BLOCKS_PER_COMMIT = 3;
const DELETES_PER_COMMIT = 500;
const BUSY_RETRY_MS = 50;
const HEAD = "head";
const FORMAT = 1;

/** What the blocks of a snapshot are of. */
export const BLOCK_KINDS = ["windows", "anomalies", "rows"] as const;
export type BlockKind = (typeof BLOCK_KINDS)[number];
export type Blocks = Readonly<Record<BlockKind, Iterable<Uint8Array>>>;

export interface CellHead {
  readonly generation: number;
  /** By which the journal is to be read. */
  readonly definition: ManagedWindow;
  readonly state: StateHead;
  readonly sunk: Readonly<Record<string, number>>;
  readonly givenUp: Readonly<Record<string, number>>;
}

interface StoredHead extends CellHead {
  readonly format: number;
  readonly snapshot: number;
  readonly blocks: Readonly<Record<BlockKind, number>>;
  /** Of the journal, what is behind the snapshot begins here. */
  readonly journalFrom: number;
}

export class WindowCell {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #cell: CellKey;
  readonly #bounds: JournalBounds;
  #head: StoredHead | undefined;
  /** The place of the next journal row. */
  #next = 1;
  #journalBytes = 0;
  #snapshotBytes = 0;

  private constructor(store: Store, clock: Clock, cell: CellKey, bounds: JournalBounds) {
    this.#store = store;
    this.#clock = clock;
    this.#cell = cell;
    this.#bounds = bounds;
  }

  static async open(store: Store, clock: Clock, key: CellKey, bounds: JournalBounds = JOURNAL_BOUNDS): Promise<WindowCell> {
    const cell = new WindowCell(store, clock, key, bounds);
    const row = await store.get(key, HEAD);
    if (row) {
      cell.#head = JSON.parse(Buffer.from(row).toString("utf8")) as StoredHead;
      cell.#next = cell.#head.journalFrom;
      await cell.#removeLeftovers(cell.#head);
    }
    return cell;
  }

  get head(): CellHead | undefined {
    return this.#head;
  }

  get journal(): { readonly rows: number; readonly bytes: number } {
    return { rows: this.#next - (this.#head?.journalFrom ?? 1), bytes: this.#journalBytes };
  }

  /** Reading the journal would take longer than is worth while. */
  get isLong(): boolean {
    const { rows, bytes } = this.journal;
    return rows >= this.#bounds.rowsMax || bytes >= Math.max(this.#bounds.bytesMin, 2 * this.#snapshotBytes);
  }

  /** The blocks of the snapshot, of one kind. */
  async blocks(kind: BlockKind): Promise<Uint8Array[]> {
    const { snapshot = 0 } = this.#head ?? {};
    const blocks: Uint8Array[] = [];
    for await (const { value } of eachRow(this.#store, this.#cell, `${snapshotPrefix(snapshot)}${kind}/`, BLOCKS_PER_COMMIT)) {
      blocks.push(value);
      this.#snapshotBytes += value.byteLength;
    }
    return blocks;
  }

  /** What was told since the snapshot, in order; to be read to its end before anything is added. */
  async *replay(): AsyncGenerator<JournalRow> {
    for await (const value of this.#journalRows()) yield decodeJournalRow(value);
  }

  /** Goes to the end of the journal without looking at it. */
  async passJournal(): Promise<void> {
    const rows = this.#journalRows();
    while (!(await rows.next()).done);
  }

  async *#journalRows(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const rows = await this.#store.read(this.#cell, this.#next, PAGE_ROWS);
      for (const { position, value } of rows) {
        this.#next = position + 1;
        this.#journalBytes += value.byteLength;
        yield value;
      }
      if (rows.length === 0) return;
    }
  }

  /** Resolves once the row is durable (P1). */
  async append(row: JournalRow): Promise<void> {
    const value = encodeJournalRow(row);
    await this.#commit([{ kind: "append", cell: this.#cell, value }], "log");
    this.#next += 1;
    this.#journalBytes += value.length;
  }

  /**
   * Replaces snapshot and journal by what is known now. The blocks are written first, in commits of their own, and count with the last commit,
   * which also lets the journal go; nothing may be appended meanwhile.
   */
  async replace(head: CellHead, blocks: Blocks): Promise<void> {
    const before = this.#head;
    const snapshot = (before?.snapshot ?? 0) + 1;
    const counts = { windows: 0, anomalies: 0, rows: 0 };
    let bytes = 0;
    let ops: Op[] = [];
    for (const kind of BLOCK_KINDS) {
      for (const value of blocks[kind]) {
        ops.push({ kind: "put", cell: this.#cell, key: blockKey(snapshot, kind, counts[kind]), value });
        counts[kind] += 1;
        bytes += value.byteLength;
        if (ops.length < BLOCKS_PER_COMMIT) continue;
        await this.#commit(ops, "maintenance");
        ops = [];
      }
    }
    if (ops.length > 0) await this.#commit(ops, "maintenance");
    const stored: StoredHead = { ...head, format: FORMAT, snapshot, blocks: counts, journalFrom: this.#next };
    const value = Buffer.from(JSON.stringify(stored));
    await this.#commit(
      [
        { kind: "put", cell: this.#cell, key: HEAD, value },
        { kind: "trim", cell: this.#cell, before: this.#next },
      ],
      "log",
    );
    this.#head = stored;
    this.#journalBytes = 0;
    this.#snapshotBytes = bytes;
    if (before) await this.#removeSnapshot(before);
  }

  async #removeSnapshot({ snapshot, blocks }: StoredHead): Promise<void> {
    const keys = BLOCK_KINDS.flatMap((kind) => Array.from({ length: blocks[kind] }, (_, index) => blockKey(snapshot, kind, index)));
    await this.#delete(keys);
  }

  /** Blocks of a snapshot that a crash kept from counting, or from going. */
  async #removeLeftovers({ snapshot }: StoredHead): Promise<void> {
    const prefix = "snapshot/";
    const firsts = await this.#store.list(this.#cell, { prefix, delimiter: "/", limit: 100 });
    for (const { key } of firsts) {
      const others = `${key.split("/").slice(0, 2).join("/")}/`;
      if (others === snapshotPrefix(snapshot)) continue;
      const keys: string[] = [];
      for await (const row of eachRow(this.#store, this.#cell, others, BLOCKS_PER_COMMIT)) keys.push(row.key);
      await this.#delete(keys);
    }
  }

  async #delete(keys: readonly string[]): Promise<void> {
    for (let from = 0; from < keys.length; from += DELETES_PER_COMMIT) {
      const some = keys.slice(from, from + DELETES_PER_COMMIT);
      await this.#commit(
        some.map((key) => ({ kind: "delete", cell: this.#cell, key })),
        "maintenance",
      );
    }
  }

  /** A storage that is busy is asked again: nothing has happened then. */
  async #commit(ops: readonly Op[], commitClass: CommitClass): Promise<void> {
    for (;;) {
      try {
        await this.#store.commit(this.#cell, "any", ops, commitClass);
        return;
      } catch (error) {
        if (!isLambentError(error, "StorageBusy")) throw error;
        await delay(this.#clock, BUSY_RETRY_MS);
      }
    }
  }
}

/** Empties the cell of a window that is no more. */
export async function emptyCell(store: Store, cell: CellKey): Promise<void> {
  const trim: Op = { kind: "trim", cell, before: Number.MAX_SAFE_INTEGER };
  await store.commit(cell, "any", [trim, { kind: "delete", cell, key: HEAD }], "maintenance");
  for await (const { key } of eachRow(store, cell, "snapshot/", BLOCKS_PER_COMMIT))
    await store.commit(cell, "any", [{ kind: "delete", cell, key }], "maintenance");
}

function snapshotPrefix(snapshot: number): string {
  return `snapshot/${String(snapshot).padStart(12, "0")}/`;
}

function blockKey(snapshot: number, kind: BlockKind, index: number): string {
  return `${snapshotPrefix(snapshot)}${kind}/${String(index).padStart(9, "0")}`;
}
