/** What the owner and its threads say to each other. One message of a kind is under way at a time. */

import type { StateRange } from "../store.ts";

export interface WorkerSettings {
  readonly file: string;
  /** Pages the file may have; 0 for no bound. */
  readonly pagesMax: number;
}

/** An error as it crosses threads. */
export interface ThreadFailure {
  readonly kind: "failed";
  /** A code of the catalogue when the thread knows one. */
  readonly code: string | undefined;
  readonly message: string;
}

export interface WriteRequest {
  readonly frame: Uint8Array<ArrayBuffer>;
  /** Checkpoint and start the write-ahead log from its beginning before this transaction. */
  readonly restartLog: boolean;
}

/** Questions for the writer, which answers them while it has nothing to write. */
export interface ReadRequest {
  readonly read: readonly ReadQuestion[];
}

export type WriterRequest = WriteRequest | ReadRequest | { readonly close: true };

export type WriterAnswer =
  | { readonly kind: "opened"; readonly contents: StoreContents; readonly logFrames: number }
  | { readonly kind: "written"; readonly logFrames: number }
  | { readonly kind: "answers"; readonly answers: readonly ReadAnswer[] }
  | { readonly kind: "closed" }
  | ThreadFailure;

/** What the owner keeps in memory, read once at open. Columns side by side: a million rows cross as four arrays. */
export interface StoreContents {
  readonly cells: readonly { readonly id: number; readonly key: string }[];
  readonly heads: readonly { readonly block: number; readonly data: Uint8Array }[];
  readonly damaged: readonly { readonly id: number; readonly key: string; readonly what: string }[];
  /** The log's rows in the order of writing. */
  readonly logSequences: Float64Array<ArrayBuffer>;
  readonly logCells: Float64Array<ArrayBuffer>;
  readonly logPositions: Float64Array<ArrayBuffer>;
  readonly lastSequence: number;
  readonly lastCell: number;
}

/** Keys go over as text: a `Buffer` would take all of the larger memory with it that it is a part of. */
export type ReadQuestion =
  | { readonly kind: "get"; readonly cell: number; readonly key: string }
  /** 1 to `READ_KEYS_MAX` keys. Answered with the rows that there are, in whatever order. */
  | { readonly kind: "getAll"; readonly cell: number; readonly keys: readonly string[] }
  | { readonly kind: "list"; readonly cell: number; readonly range: StateRange }
  | { readonly kind: "read"; readonly cell: number; readonly position: number; readonly sequences: Float64Array }
  | CheckQuestion;

/** Questions of `lambent verify`: rows are read and held against their checksums, and only what is wrong comes back. */
export type CheckQuestion =
  /** The next cells behind `after`: their names and where they stand. */
  | { readonly kind: "checkCells"; readonly after: number }
  /** State rows of a cell behind `after`; an empty one for the first page. */
  | { readonly kind: "checkState"; readonly cell: number; readonly after: Uint8Array }
  | { readonly kind: "checkLog"; readonly cell: number; readonly position: number; readonly sequences: Float64Array }
  /** The database as SQLite sees it, and rows that belong to no cell. Reads for as long as that takes. */
  | { readonly kind: "checkStructure" };

export type ReadAnswer =
  | { readonly kind: "rows"; readonly rows: readonly { readonly key: string; readonly value: Uint8Array }[] }
  | PackedRows
  | { readonly kind: "values"; readonly values: readonly Uint8Array[] }
  | CheckAnswer
  | { readonly kind: "damaged"; readonly what: string };

/** Rows of a list: the length of each key and of the value behind it, and all of these bytes. */
export interface PackedRows {
  readonly kind: "packed";
  readonly lengths: Uint32Array<ArrayBuffer>;
  readonly content: Uint8Array<ArrayBuffer>;
}

export interface CheckAnswer {
  readonly kind: "checked";
  readonly rows: number;
  readonly bytes: number;
  /** `at` is the cell's number, or the position in its log; 0 for a state row or the whole database. */
  readonly faults: readonly { readonly at: number; readonly what: string }[];
  /** Where the next page goes on; absent at the end. */
  readonly next?: Uint8Array | number;
}

export type ReaderMessage =
  | { readonly kind: "answers"; readonly answers: readonly ReadAnswer[] }
  | { readonly kind: "closed" }
  | ThreadFailure;

export type CheckpointerMessage = { readonly kind: "copied"; readonly frames: number } | { readonly kind: "closed" } | ThreadFailure;

/** What the copier is asked: write what the store holds now to a new file. */
export interface CopyRequest {
  readonly target: string;
}

export type CopierMessage = { readonly kind: "copied"; readonly pages: number } | ThreadFailure;
