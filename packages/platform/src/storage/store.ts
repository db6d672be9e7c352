/**
 * The substrate's interface: cells, commits, reads. What an engine must keep is the contract suite
 * (`test/storage/contract.ts`); the engines are `sqlite/` and `memory/`.
 *
 * A cell is the unit of ownership and atomicity. Nothing spans cells; a commit either happens whole or not at all (P1).
 * Deliberately absent: transactions over two cells, queries by value, anything JetStream could not keep.
 */

/** `realm/kind/name/part`, for example `000000000000.us-east-1/registry/functions/0`. At most `CELL_KEY_BYTES_MAX`. */
export type CellKey = string;

/** Counts a cell's commits, from 0 (never committed). */
export type Revision = number;

/** A change as data. Applied by one deterministic function, the same on every engine. */
export type Op =
  /** Sets `key` of the cell's state; replaces what was there. */
  | { readonly kind: "put"; readonly cell: CellKey; readonly key: string; readonly value: Uint8Array }
  /** Removes `key`; nothing happens when it is absent. */
  | { readonly kind: "delete"; readonly cell: CellKey; readonly key: string }
  /** Adds one opaque row behind all others of the cell's log. */
  | { readonly kind: "append"; readonly cell: CellKey; readonly value: Uint8Array }
  /** Forgets rows of the cell's log before position `before`. */
  | { readonly kind: "trim"; readonly cell: CellKey; readonly before: number };

/** Fair shares: `interactive` work is not kept waiting by `log` or `maintenance`. */
export type CommitClass = "interactive" | "log" | "maintenance";

export type CommitResult =
  /** Durable at the declared level. */
  | { readonly kind: "committed"; readonly revision: Revision }
  /** The cell was at `revision`, not at the expected one; nothing happened. */
  | { readonly kind: "conflict"; readonly revision: Revision };

export interface StateRow {
  readonly key: string;
  readonly value: Uint8Array;
}

/** Rows with `prefix`, behind `after` when given. */
export interface StateRange {
  readonly prefix: string;
  readonly after?: string;
  /** Of the keys that are alike up to this text, looked for behind the prefix, only the first: each is found at once, however many there are. */
  readonly delimiter?: string;
  /** 1 to 1,000. */
  readonly limit: number;
}

export interface LogRow {
  /** From 1 per cell, without gaps. */
  readonly position: number;
  readonly value: Uint8Array;
}

export const OPS_PER_COMMIT_MAX = 500;
export const COMMIT_BYTES_MAX = 4 * 1024 * 1024;
export const CELL_KEY_BYTES_MAX = 512;
export const STATE_KEY_BYTES_MAX = 2_048;
/** Keys one `getAll` may ask for. */
export const READ_KEYS_MAX = 8;
/** Rows one read may ask for. */
export const READ_ROWS_MAX = 1_000;
/** Bytes of values in one page of `list` or `read`; a first row that is larger is still answered. */
export const READ_BYTES_MAX = 32 * 1024 * 1024;

export interface Store {
  /** `fsync`, `replicated` or `memory` (P1); the banner names it. */
  readonly durability: "fsync" | "replicated" | "memory";
  /**
   * Applies `ops` to `cell` in one step and resolves when they are durable.
   * `expected` is the revision the decision was made on, or `"any"` for a cell with one owner in this process.
   * Refuses ops of another cell, more than `OPS_PER_COMMIT_MAX` ops or `COMMIT_BYTES_MAX` bytes as a bug of the caller.
   * The values' bytes are read until the promise settles: the caller leaves them alone that long.
   * Rejects with `StorageBusy` at the pending bound, `StorageCorrupt` for a cell in which damage was found, `ShuttingDown`
   * after `close`: nothing has happened then. `StorageStopped`, after an I/O error, leaves open whether it has.
   */
  commit(cell: CellKey, expected: Revision | "any", ops: readonly Op[], commitClass?: CommitClass): Promise<CommitResult>;
  /** 0 for a cell never committed. */
  revision(cell: CellKey): Promise<Revision>;
  get(cell: CellKey, key: string): Promise<Uint8Array | undefined>;
  /** The rows of `keys`, in their order, all as they are at one moment; at most `READ_KEYS_MAX` keys. */
  getAll(cell: CellKey, keys: readonly string[]): Promise<(Uint8Array | undefined)[]>;
  /** In the order of the keys' UTF-8 bytes. A page ends early at `READ_BYTES_MAX`; only an empty page is the end. */
  list(cell: CellKey, range: StateRange): Promise<StateRow[]>;
  /** Log rows from `from` (inclusive), at most `limit` (1–1,000); a page ends early at `READ_BYTES_MAX`. */
  read(cell: CellKey, from: number, limit: number): Promise<LogRow[]>;
  /** Cells whose key begins with `prefix`, ordered; at most `limit` behind `after`. */
  cells(range: { readonly prefix: string; readonly after?: string; readonly limit: number }): Promise<CellKey[]>;
  /** Waits for what is under way, checkpoints, closes. Later calls reject with `ShuttingDown`. */
  close(): Promise<void>;
}

/**
 * Content-addressed bodies beside the store: temp file, fsync, rename, folder fsync; then a commit may refer to it.
 *
 * A body that no row refers to is swept once it was neither put nor asked for for a day. So whoever commits a reference puts
 * the body or asks `has` before, also when another row refers to it already, and names its rows in a `BlobReferences`.
 */
export interface Blobs {
  /** Streams `source` in; resolves with its SHA-256 (hex) once durable. The same bytes twice are kept once. */
  put(source: AsyncIterable<Uint8Array> | Uint8Array): Promise<{ readonly digest: string; readonly bytes: number }>;
  has(digest: string): Promise<boolean>;
  /** The body, or `undefined`; for code, which is read whole. */
  get(digest: string): Promise<Buffer | undefined>;
  delete(digest: string): Promise<void>;
}
