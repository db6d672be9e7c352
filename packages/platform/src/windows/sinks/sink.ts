/** What takes the results of one lane of a window. */
import type { Realm } from "../../model/index.ts";
import type { SinkForm } from "../definition.ts";
import type { Lane } from "../engine/lane.ts";
import type { ResultRow } from "../engine/result-row.ts";

/** Of which window results are, for ids that are the same when a result is handed on again. */
export interface SinkOrigin {
  readonly realm: Realm;
  readonly windowName: string;
  readonly windowId: string;
  readonly generation: number;
  readonly windowArn: string;
}

export type Progress = (sunk: number, givenUp?: number) => void;

export interface Sink {
  /** Names it in the journal: the same as long as lane and form are. */
  readonly id: string;
  readonly lane: Lane;
  /** The stream that it appends to, where it does. */
  readonly stream?: string;
  /**
   * Hands over what of the row comes behind the first `sunk` results of the lane; `progress` is told how many it has then, also on the way, and how many
   * of those since the last time were given up. What it throws is tried again, with the same row, from where it was.
   */
  send(row: ResultRow, sunk: number, progress: Progress, signal: AbortSignal): Promise<void>;
}

/** By which a sink is known as the one that it was. How a function is retried does not make it another one. */
export function sinkId(lane: Lane, form: SinkForm): string {
  return `${lane} ${sinkText(form)}`;
}

/** `stream averages`, for people and for ids. */
export function sinkText(form: SinkForm): string {
  switch (form.kind) {
    case "stream":
      return `stream ${form.stream}`;
    case "function":
      return `function ${form.functionName}${form.qualifier === undefined ? "" : `:${form.qualifier}`}`;
    case "target":
      return form.arn;
    case "http":
      return form.url;
    case "bucket":
      return `bucket ${form.bucket}/${form.prefix}`;
    case "postgres":
      return `postgres ${form.table}`;
  }
}

/** Names one result for ever: the lane's n-th of this generation. */
export function resultId({ windowId, generation }: SinkOrigin, lane: Lane, number: number): string {
  return `${windowId}.${generation}.${lane}.${number}`;
}
