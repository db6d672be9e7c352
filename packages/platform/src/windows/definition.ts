/** A managed window as it is declared, and as it is kept. */
import type { WindowDefinition } from "@lambent/sdk/windows";
import type { Instant } from "../base/index.ts";
import type { AnomalyForm } from "./anomaly-form.ts";

/** Where a window begins to read. */
export type Start =
  | { readonly kind: "latest" }
  | { readonly kind: "earliest" }
  /** With the first records made at or after this time. */
  | { readonly kind: "time"; readonly at: Instant }
  /** Where it is: only for one that was there before. */
  | { readonly kind: "here" };

/** What tells windows of one stream apart. */
export type KeyForm =
  /** The record's own key. */
  | { readonly kind: "record" }
  | { readonly kind: "path"; readonly path: string }
  /** Nothing: all records are of one key, the empty text. */
  | { readonly kind: "all" };

export type TimeFormat = "ms" | "s" | "iso";

export type TimeForm = { readonly kind: "record" } | { readonly kind: "path"; readonly path: string; readonly format: TimeFormat };

export interface WindowSource {
  readonly stream: string;
  readonly start: Exclude<Start, { readonly kind: "here" }>;
  readonly key: KeyForm;
  /** A path into the record's JSON; `$` is all of it. */
  readonly value: string;
  readonly time: TimeForm;
}

/** What a sink has to know and nobody is to read. */
export type SecretForm =
  | { readonly kind: "environment"; readonly variable: string }
  /** As it was declared: never kept so. */
  | { readonly kind: "plain"; readonly value: string }
  /** Base64. */
  | { readonly kind: "sealed"; readonly sealed: string };

/** What gets what a window says. */
export type SinkForm =
  /** Exactly once. */
  | { readonly kind: "stream"; readonly stream: string }
  /** A call for each result, in order for each key. */
  | {
      readonly kind: "function";
      readonly functionName: string;
      readonly qualifier: string | undefined;
      /** Calls behind the first one. */
      readonly retriesMax: number;
      /** ARN of what gets a result that every call failed with. */
      readonly onFailure: string | undefined;
    }
  /** A bus, queue, topic, or whatever else receives events, by its ARN; each result is one. */
  | { readonly kind: "target"; readonly arn: string }
  /** Posted, several results at a time. */
  | { readonly kind: "http"; readonly url: string }
  /** Objects of newline-delimited JSON, by date. */
  | { readonly kind: "bucket"; readonly bucket: string; readonly prefix: string }
  /** Rows of a table, exactly once. */
  | { readonly kind: "postgres"; readonly table: string; readonly url: SecretForm };

export interface ManagedWindow {
  readonly source: WindowSource;
  readonly window: WindowDefinition;
  readonly anomaly: AnomalyForm | undefined;
  readonly sinks: readonly SinkForm[];
  /** What gets records that came too late, where the window's definition puts them out. */
  readonly lateSinks: readonly SinkForm[];
  /** The stream that gets records that cannot be taken. */
  readonly setAside: string | undefined;
}

export interface WindowRecord {
  readonly name: string;
  /** Another one each time a window of this name is created: names its cell. */
  readonly id: string;
  readonly definition: ManagedWindow;
  /** Rises with each reset: what was reckoned before is dropped. */
  readonly generation: number;
  /** Where this generation begins. */
  readonly start: Start;
  readonly state: "running" | "paused";
  readonly createdAt: Instant;
  readonly modifiedAt: Instant;
}
