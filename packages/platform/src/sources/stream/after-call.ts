/** What follows from a call that ran: pure, so that every way a batch can go is a test. */
import { closing, pieceOf, type SlotRules, WINDOW_STATE_BYTES_MAX } from "./cut.ts";
import type { AsideReason, Held, OpenWindow, Piece } from "./held.ts";

/** How a call that ran ended. */
export type Ending =
  /** `failedFrom`: the offset of the first record that is to come again; `state`: of the window. */
  | { readonly kind: "answered"; readonly failedFrom?: number | undefined; readonly state?: string | undefined }
  | { readonly kind: "failed" };

/** What is written of a piece, all of it in one commit. */
export interface Settlement<R extends Held> {
  readonly piece: Piece<R>;
  /** Those that ended here. */
  readonly records: readonly R[];
  readonly outcome: "handled" | AsideReason;
  /** The window behind it. */
  readonly window: OpenWindow | undefined;
}

export type AfterCall<R extends Held> =
  /** It ended, or its first records did; the others are called with again. */
  | { readonly kind: "settle"; readonly settlement: Settlement<R>; readonly again: readonly Piece<R>[] }
  /** At once, in their order. */
  | { readonly kind: "retry"; readonly pieces: readonly [Piece<R>, ...Piece<R>[]] }
  /** After a wait. */
  | { readonly kind: "wait"; readonly piece: Piece<R> };

/** What becomes of `piece`, behind a call with it; `window` is the open one. */
export function afterCall<R extends Held>(piece: Piece<R>, ending: Ending, window: OpenWindow | undefined, rules: SlotRules): AfterCall<R> {
  if (ending.kind === "failed") return afterFailure(piece, window, rules);
  const at = ending.failedFrom === undefined ? -1 : piece.records.findIndex(({ offset }) => offset === ending.failedFrom);
  // It named the first one: nothing is done.
  if (at === 0) return afterFailure(piece, window, rules);
  const handled = at < 0 ? piece.records : piece.records.slice(0, at);
  const again = at < 0 ? [] : [{ ...piece, records: piece.records.slice(at), failures: piece.failures + 1, refusals: 0 }];
  if (!piece.window) return settled(piece, handled, "handled", window, again);
  if (piece.window.closing !== "no") return settled(piece, handled, "handled", undefined, again);
  const open = { start: piece.window.start, state: ending.state ?? piece.window.state };
  if (Buffer.byteLength(open.state) <= WINDOW_STATE_BYTES_MAX) return settled(piece, handled, "handled", open, again);
  // Its state is too large to be kept: what it stands for ends with the window, and in one commit with that.
  return { kind: "retry", pieces: [pieceOf(handled, closing(open, rules, "early")), ...again] };
}

/** Half a batch takes nothing of the retries: of a batch of 10,000 a bad record is found in 14 steps. */
function afterFailure<R extends Held>(piece: Piece<R>, window: OpenWindow | undefined, { bisects, retriesMax }: SlotRules): AfterCall<R> {
  const { records } = piece;
  const isClosing = piece.window !== undefined && piece.window.closing !== "no";
  if (bisects && records.length > 1 && !isClosing) {
    const middle = Math.ceil(records.length / 2);
    const half = { ...piece, refusals: 0 };
    return {
      kind: "retry",
      pieces: [
        { ...half, records: records.slice(0, middle) },
        { ...half, records: records.slice(middle) },
      ],
    };
  }
  const failures = piece.failures + 1;
  if (failures > retriesMax) return settled({ ...piece, failures }, records, "retriesExhausted", isClosing ? undefined : window, []);
  return { kind: "wait", piece: { ...piece, failures, refusals: 0 } };
}

function settled<R extends Held>(
  piece: Piece<R>,
  records: readonly R[],
  outcome: Settlement<R>["outcome"],
  window: OpenWindow | undefined,
  again: readonly Piece<R>[],
): AfterCall<R> {
  return { kind: "settle", settlement: { piece, records, outcome, window }, again };
}
