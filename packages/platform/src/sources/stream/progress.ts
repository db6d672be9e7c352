/**
 * How far a mapping has come with one shard. Records of one slot end in their order, so one offset a slot says which are done: as few
 * numbers as batches may run at once, however far the slots are apart.
 *
 * When their number changes, what the former slots had done beyond the common position is remembered as a fence until all have passed it.
 */
import { crc32 } from "node:zlib";
import { LambentError } from "../../base/index.ts";
import type { OpenWindow } from "./held.ts";

/** Fences kept; of more, the oldest goes, and what it had done is handed out again. */
const FENCES_MAX = 16;
const FORMAT = 1;

export interface Progress {
  /** The stream that the offsets are of: another one of the same name begins anew. */
  readonly streamId: string;
  /** Of each slot, the first offset that is not done. */
  readonly next: readonly number[];
  readonly fences: readonly (readonly number[])[];
  /** The shard is closed, and all of it is done. */
  readonly ended: boolean;
  /** Records in the ledger of batches that have not ended. */
  readonly noted: readonly string[];
}

/** What has to be known of a record to find its slot: what it keeps its order by. Without a key it keeps none. */
export interface Keyed {
  readonly offset: number;
  readonly key: Uint8Array | string | undefined;
}

/** Nothing is done from `offset` on. */
export function progressFrom(streamId: string, offset: number, slots: number): Progress {
  return { streamId, next: Array.from({ length: slots }, () => offset), fences: [], ended: false, noted: [] };
}

/** Which of `count` slots a record is of. */
export function slotOf({ offset, key }: Keyed, count: number): number {
  if (count === 1) return 0;
  return (key === undefined ? offset : crc32(key)) % count;
}

/** The first offset that is not done. */
export function positionOf({ next }: Pick<Progress, "next">): number {
  return Math.min(...next);
}

/** It has ended before. */
export function isDone({ next, fences }: Pick<Progress, "next" | "fences">, record: Keyed): boolean {
  const isBefore = (slots: readonly number[]): boolean => record.offset < (slots[slotOf(record, slots.length)] ?? 0);
  return isBefore(next) || fences.some(isBefore);
}

/** As it is with `count` slots from here on. */
export function withSlots(progress: Progress, count: number): Progress {
  if (progress.next.length === count) return progress;
  const next = Array.from({ length: count }, () => positionOf(progress));
  return pruned({ ...progress, next, fences: [...progress.fences, progress.next].slice(-FENCES_MAX) });
}

/** A slot has come to `next`. */
export function advanced(progress: Progress, slot: number, next: number): Progress {
  return pruned({ ...progress, next: progress.next.map((each, at) => (at === slot ? Math.max(each, next) : each)) });
}

/** Nothing before `offset` can be read any more. */
export function from(progress: Progress, offset: number): Progress {
  return pruned({ ...progress, next: progress.next.map((each) => Math.max(each, offset)) });
}

function pruned(progress: Progress): Progress {
  if (progress.fences.length === 0) return progress;
  const position = positionOf(progress);
  return { ...progress, fences: progress.fences.filter((fence) => Math.max(...fence) > position) };
}

export function encodeProgress(progress: Progress): Buffer {
  return Buffer.from(JSON.stringify([FORMAT, progress]));
}

export function decodeProgress(value: Uint8Array): Progress {
  return decoded(value, "The position of a mapping") as Progress;
}

export function encodeWindow(window: OpenWindow): Buffer {
  return Buffer.from(JSON.stringify([FORMAT, window]));
}

export function decodeWindow(value: Uint8Array): OpenWindow {
  return decoded(value, "The window of a mapping") as OpenWindow;
}

function decoded(value: Uint8Array, what: string): unknown {
  const [format, content] = JSON.parse(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("utf8")) as [number, unknown];
  if (format !== FORMAT) throw new LambentError("StorageCorrupt", `${what} has format ${format}; this Lambent reads ${FORMAT}.`);
  return content;
}
