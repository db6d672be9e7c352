/** What is to be done next with the records that one slot of a shard holds. Pure: records and rules in, a batch out, or the reason to wait. */
import type { Instant, MonotonicMs } from "../../base/index.ts";
import { BATCH_BYTES_MAX } from "../queue/poller-machine.ts";
import type { AsideReason, Held, OpenWindow, Piece, PieceWindow } from "./held.ts";

/** What stands around the records of a batch: names of stream and window, and the window's state beside it. */
export const EVENT_FRAME_BYTES = 8 * 1024;
/** Bytes of a window's state; one that has more is closed early. @limit */
export const WINDOW_STATE_BYTES_MAX = 1024 * 1024;

/** Of a window in which no call has ended. */
export const EMPTY_STATE = "{}";

export interface SlotRules {
  readonly batchSize: number;
  readonly windowMs: number;
  readonly bisects: boolean;
  /** Infinity: for as long as the stream keeps the records. */
  readonly retriesMax: number;
  /** Infinity: as long as the stream keeps them. */
  readonly recordAgeMsMax: number;
  /** 0: no windows. */
  readonly tumblingMs: number;
}

/** What a decision is made on beside the state. */
export interface Moment {
  readonly ms: MonotonicMs;
  readonly now: Instant;
  /** The oldest offset that the stream keeps. */
  readonly keptFrom: number;
  /** How far the shard was read: to a place with more behind it, to where it ends now, or to where it ends for good. */
  readonly read: "behind" | "caughtUp" | "ended";
}

export type Work<R extends Held> =
  | { readonly kind: "batch"; readonly piece: Piece<R>; readonly rest: readonly R[] }
  | { readonly kind: "aside"; readonly records: readonly R[]; readonly reason: AsideReason; readonly rest: readonly R[] }
  /** More records are waited for. */
  | { readonly kind: "none" };

/** The next batch; `closed` where nothing more is waited for. */
export function nextWork<R extends Held>(
  held: readonly R[],
  window: OpenWindow | undefined,
  rules: SlotRules,
  moment: Moment,
  closed: boolean,
): Work<R> {
  const [first] = held;
  if (window && isOver(window, first, rules, moment))
    return { kind: "batch", piece: pieceOf<R>([], closing(window, rules, "ended")), rest: held };
  if (!first) return { kind: "none" };
  const expired = leading(held, (each) => isExpired(each, rules, moment));
  if (expired > 0) return { kind: "aside", records: held.slice(0, expired), reason: "expired", rest: held.slice(expired) };
  const { fault } = first;
  if (fault !== undefined) {
    const alike = leading(held, (each) => each.fault === fault);
    return { kind: "aside", records: held.slice(0, alike), reason: fault, rest: held.slice(alike) };
  }
  return batchOf(held, window, rules, closed || moment.read === "ended");
}

/** How many records at the beginning of a piece are too old to be tried once more. */
export function expiredOf<R extends Held>({ records, window }: Piece<R>, rules: SlotRules, moment: Moment): number | "whole" {
  if (window && window.closing !== "no") return moment.now - window.end > rules.recordAgeMsMax ? "whole" : 0;
  return leading(records, (each) => isExpired(each, rules, moment));
}

function isExpired({ offset, arrivedAt }: Held, { recordAgeMsMax }: SlotRules, { now, keptFrom }: Moment): boolean {
  return offset < keptFrom || now - arrivedAt > recordAgeMsMax;
}

/** Records of a later window are there, or none can come any more. */
function isOver(window: OpenWindow, first: Held | undefined, { tumblingMs }: SlotRules, { now, read }: Moment): boolean {
  const end = window.start + tumblingMs;
  if (first) return first.arrivedAt >= end;
  return read === "ended" || (read === "caughtUp" && now >= end);
}

function batchOf<R extends Held>(held: readonly R[], window: OpenWindow | undefined, rules: SlotRules, closed: boolean): Work<R> {
  const [first] = held as readonly [R, ...R[]];
  const { tumblingMs, batchSize, windowMs } = rules;
  const current =
    tumblingMs === 0 ? undefined : (window ?? { start: Math.floor(first.arrivedAt / tumblingMs) * tumblingMs, state: EMPTY_STATE });
  const end = current ? current.start + tumblingMs : Number.POSITIVE_INFINITY;
  let bytes = EVENT_FRAME_BYTES + (current?.state.length ?? 0);
  let count = 0;
  for (const each of held) {
    bytes += each.bytes + 1;
    // Whatever ends the batch here, no record that comes later can join it.
    if (count === batchSize || each.fault !== undefined || each.arrivedAt >= end || (bytes > BATCH_BYTES_MAX && count > 0)) break;
    count += 1;
  }
  const full = count === batchSize || count < held.length;
  if (!full && !closed && windowMs > 0) return { kind: "none" };
  const about: PieceWindow | undefined = current && { ...current, end, closing: "no" };
  return { kind: "batch", piece: pieceOf(held.slice(0, count), about), rest: held.slice(count) };
}

export function pieceOf<R extends Held>(records: readonly R[], window: PieceWindow | undefined): Piece<R> {
  return { records, failures: 0, refusals: 0, window };
}

export function closing(window: OpenWindow, { tumblingMs }: SlotRules, how: "ended" | "early"): PieceWindow {
  return { start: window.start, state: window.state, end: window.start + tumblingMs, closing: how };
}

function leading<R>(records: readonly R[], fits: (record: R) => boolean): number {
  const end = records.findIndex((each) => !fits(each));
  return end < 0 ? records.length : end;
}
