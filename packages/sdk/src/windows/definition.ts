/** What a window is and what it computes: plain data, as it stands in `lambent.yaml` and in a managed window's record. */

/** What JSON can say. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [name: string]: JsonValue };

/**
 * Which records belong together. Times are event times in milliseconds, windows are `[start, end)`, and those of a fixed size are
 * aligned to the epoch, moved by `offsetMs`.
 */
export type WindowSpec =
  | { readonly kind: "tumbling"; readonly sizeMs: number; readonly offsetMs?: number }
  | { readonly kind: "hopping"; readonly sizeMs: number; readonly everyMs: number; readonly offsetMs?: number }
  /** For each record the last `sizeMs` up to and including it: `[time - sizeMs + 1, time + 1)`. */
  | { readonly kind: "sliding"; readonly sizeMs: number }
  /** Records less than `gapMs` apart. One that would get longer than `sizeMsMax` is cut. */
  | { readonly kind: "session"; readonly gapMs: number; readonly sizeMsMax?: number }
  | { readonly kind: "tumblingCount"; readonly size: number; readonly order?: CountOrder }
  | { readonly kind: "slidingCount"; readonly size: number; readonly fullOnly?: boolean; readonly order?: CountOrder }
  /** For each record the last `size` values themselves, oldest first. */
  | { readonly kind: "rolling"; readonly size: number; readonly fullOnly?: boolean; readonly order?: CountOrder };

/** What counts as the next record: the one that arrives next, at once; or the next in event time, once the watermark says so. */
export type CountOrder = "arrival" | "time";

export type SimpleAggregate =
  | "count"
  | "sum"
  | "mean"
  | "variance"
  | "sampleVariance"
  | "min"
  | "max"
  | "earliest"
  | "latest"
  | "first"
  | "last"
  | "distinct";

/** What is computed, of the value itself or of its field `of` (`"reading.celsius"`). */
export type AggregateSpec =
  | SimpleAggregate
  | { readonly take: SimpleAggregate; readonly of?: string }
  /** The most frequent values. */
  | { readonly topK: number; readonly of?: string }
  /** The largest numbers. */
  | { readonly largest: number; readonly of?: string }
  | { readonly quantiles: readonly number[]; readonly of?: string }
  /** The last so many values in the order of time, oldest first. */
  | { readonly collect: number; readonly of?: string };

/** When a window of time tells something besides when it is complete. */
export interface TriggerSpec {
  /** Before it is complete: every so many records, or every so much event time in which something came. */
  readonly early?: { readonly count?: number; readonly everyMs?: number };
  /** After it was complete: every so many late records. */
  readonly late: { readonly count: number };
  /** Whether a pane has all records of its window, or those since the pane before. */
  readonly panes: "accumulating" | "discarding";
}

/** A window with everything said; `checkWindowDefinition` makes one of what a person wrote. */
export interface WindowDefinition {
  readonly window: WindowSpec;
  readonly aggregates: Readonly<Record<string, AggregateSpec>>;
  /** How far behind the newest record of its source a record may be without being late. */
  readonly outOfOrdernessMs: number;
  /** How long after its end a window still takes late records. */
  readonly allowedLatenessMs: number;
  /** How far ahead a record may be before it counts as one from the future. */
  readonly jumpMsMax: number;
  /** Silence after which a source no longer holds the watermark back; told by whoever has a clock. */
  readonly idleAfterMs: number;
  readonly trigger: TriggerSpec;
  /** What happens to records that come too late: only counted, or handed out. */
  readonly late: "drop" | "output";
}

/** Windows of a fixed size that one record may be in. @limit */
export const WINDOWS_PER_RECORD_MAX = 1_000;
/** Records in a window by count, and values that `collect`, `topK` and `largest` give. @limit */
export const COUNT_SIZE_MAX = 100_000;
/** Aggregates of one definition. @limit */
export const AGGREGATES_MAX = 32;
/** Quantiles of one aggregate. @limit */
export const QUANTILES_MAX = 32;
/** Longest duration of a definition: a hundred years. @limit */
export const DURATION_MS_MAX = 3_155_760_000_000;

/** What one set of windows may hold; a record that would need more is set aside with the reason, and what is there stays whole. */
export interface WindowLimits {
  /** Reason `tooManyKeys`. */
  readonly keysMax: number;
  /** Reason `tooManyPanes`. */
  readonly panesMax: number;
  /** Reason `tooManyBuffered`. */
  readonly bufferedMax: number;
  /** Reason `tooMuchMemory`; estimated. */
  readonly bytesMax: number;
}

/** Keys with state. @limit */
export const KEYS_MAX = 4_000_000;
/** Windows with state, over all keys. @limit */
export const PANES_MAX = 8_000_000;
/** Records that wait for the watermark, over all keys. @limit */
export const BUFFERED_MAX = 1_000_000;
/** Memory of state, estimated. @limit */
export const STATE_BYTES_MAX = 2_147_483_648;

export const DEFAULT_LIMITS: WindowLimits = {
  keysMax: KEYS_MAX,
  panesMax: PANES_MAX,
  bufferedMax: BUFFERED_MAX,
  bytesMax: STATE_BYTES_MAX,
};

/** Whether the event time of a record decides where it goes, so that the watermark does. */
export function isTimed(window: WindowSpec): boolean {
  switch (window.kind) {
    case "tumblingCount":
    case "slidingCount":
    case "rolling":
      return window.order === "time";
    case "tumbling":
    case "hopping":
    case "sliding":
    case "session":
      return true;
  }
}
