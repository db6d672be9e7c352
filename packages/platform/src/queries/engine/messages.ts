/** What the server and the process of a query say to each other. */

/** A cell as JSON carries it: what JSON's own values cannot tell apart is an object. */
export type Cell = null | number | string | { readonly integer: string } | { readonly real: string } | { readonly blob: string };

/** Some records of one partition, in columns: one message has few parts, however many records there are. */
export interface PackedRecords {
  readonly partition: number;
  readonly offsets: Float64Array;
  readonly times: Float64Array;
  /** -1: there is none. */
  readonly keyBytes: Int32Array;
  readonly valueBytes: Int32Array;
  /** JSON, by place; most records have none. */
  readonly headers: readonly (readonly [place: number, json: string])[];
  /** Keys and values, one behind the other. */
  readonly bytes: Buffer;
}

/** To the process. */
export type ToProcess =
  | { readonly kind: "query"; readonly sql: string; readonly rowsMax: number; readonly bytesMax: number }
  /** What was wanted begins; all its records follow, then `tableEnd`. */
  | { readonly kind: "table"; readonly name: string }
  | { readonly kind: "records"; readonly packed: PackedRecords }
  | { readonly kind: "tableEnd" };

/** From the process. */
export type FromProcess =
  /** The statement names a table that is not there yet. */
  { readonly kind: "wants"; readonly table: string } | Answer | { readonly kind: "refused"; readonly message: string };

export interface Answer {
  readonly kind: "answer";
  readonly columns: readonly string[];
  /** Each row an array of `Cell` as JSON, and a newline. */
  readonly lines: Buffer;
  readonly rows: number;
  /** There were more than the bounds allow. */
  readonly cut: boolean;
  /** Members of records that got no column, by stream: too many, or named like another one. */
  readonly leftOut: readonly (readonly [table: string, members: number])[];
}
