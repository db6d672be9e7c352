/** What the owner and its threads say to each other. One message of a kind is under way at a time. */

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

export type WriteRequestOrClose = WriteRequest | { readonly close: true };

export type WriterAnswer =
  | { readonly kind: "opened"; readonly contents: StoreContents; readonly logFrames: number }
  | { readonly kind: "written"; readonly logFrames: number }
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

export type ReadQuestion =
  | { readonly kind: "get"; readonly cell: number; readonly key: Uint8Array }
  | {
      readonly kind: "list";
      readonly cell: number;
      readonly from: Uint8Array;
      readonly fromInclusive: boolean;
      readonly before: Uint8Array;
      readonly limit: number;
    }
  | { readonly kind: "read"; readonly cell: number; readonly position: number; readonly sequences: Float64Array };

export type ReadAnswer =
  | { readonly kind: "rows"; readonly rows: readonly { readonly key: string; readonly value: Uint8Array }[] }
  | { readonly kind: "values"; readonly values: readonly Uint8Array[] }
  | { readonly kind: "damaged"; readonly what: string };

export type ReaderMessage =
  | { readonly kind: "answers"; readonly answers: readonly ReadAnswer[] }
  | { readonly kind: "closed" }
  | ThreadFailure;

export type CheckpointerMessage = { readonly kind: "copied"; readonly frames: number } | { readonly kind: "closed" } | ThreadFailure;
