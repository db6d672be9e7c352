/**
 * One slot of a shard, as a table: it gathers records, calls the function with them piece by piece, and has each piece settled before
 * the next. A shard has as many slots as batches of it may run at once; records of one key are all of one slot. Pure; `slot.ts` carries
 * the effects out.
 *
 * Keeps P4: while a piece is called with, waits, or is being written, none behind it is called with. P6: it waits for its window, for a
 * back-off, or for records.
 */
import type { MonotonicMs } from "../../base/index.ts";
import { backoffMs } from "../queue/poller-machine.ts";
import { type AfterCall, afterCall, type Ending, type Settlement } from "./after-call.ts";
import { EMPTY_STATE, expiredOf, type Moment, nextWork, type SlotRules } from "./cut.ts";
import type { Held, OpenWindow, Piece } from "./held.ts";

/** What a slot has, whatever it does. */
interface Line<R extends Held> {
  /** Parts of a batch that failed: before all that is held. */
  readonly behind: readonly Piece<R>[];
  readonly held: readonly R[];
  readonly window: OpenWindow | undefined;
}

export type SlotState<R extends Held> =
  | { readonly kind: "stopped" }
  /** `closesAt`: what is held is a batch then, however small. */
  | { readonly kind: "gathering"; readonly line: Line<R>; readonly closesAt: MonotonicMs | undefined }
  | { readonly kind: "calling"; readonly line: Line<R>; readonly piece: Piece<R> }
  /** `refused`: as soon as a call may begin, too. */
  | {
      readonly kind: "waiting";
      readonly line: Line<R>;
      readonly piece: Piece<R>;
      readonly until: MonotonicMs;
      readonly why: "refused" | "failed";
    }
  | { readonly kind: "settling"; readonly line: Line<R> }
  /** It is called with for the last time: the mapping is being disabled. */
  | { readonly kind: "finishing"; readonly line: Line<R>; readonly piece: Piece<R> }
  /** The last thing is being written. */
  | { readonly kind: "closing"; readonly line: Line<R> };

export type SlotEvent<R extends Held> =
  | { readonly kind: "start"; readonly window: OpenWindow | undefined }
  | { readonly kind: "stop" }
  | { readonly kind: "records"; readonly records: readonly R[] }
  /** No more records are read before some have ended. */
  | { readonly kind: "press" }
  /** The time that was asked for, or something may have changed. */
  | { readonly kind: "wake" }
  /** A place for a call has come free. */
  | { readonly kind: "room" }
  /** The function ran. */
  | { readonly kind: "ended"; readonly ending: Ending }
  /** It did not. */
  | { readonly kind: "refused" }
  | { readonly kind: "settled" };

export type SlotEffect<R extends Held> =
  | { readonly kind: "call"; readonly piece: Piece<R> }
  /** `next`: the first offset that is not done then; undefined: everything that was read of this slot is. */
  | { readonly kind: "settle"; readonly settlement: Settlement<R>; readonly next: number | undefined }
  /** A call ended in vain; it is tried again at `at`, or at once. */
  | { readonly kind: "note"; readonly piece: Piece<R>; readonly at: MonotonicMs | undefined }
  /** In place of the wake that was asked for before. */
  | { readonly kind: "wakeAt"; readonly at: MonotonicMs }
  /** They are not held any longer: whoever starts again reads them again. */
  | { readonly kind: "drop"; readonly records: readonly R[] }
  | { readonly kind: "stopped" };

export interface SlotStep<R extends Held> {
  readonly state: SlotState<R>;
  readonly effects: readonly SlotEffect<R>[];
}

type StateKind = SlotState<Held>["kind"];
type EventKind = SlotEvent<Held>["kind"];
type StateOf<K extends StateKind, R extends Held> = Extract<SlotState<R>, { readonly kind: K }>;
type EventOf<K extends EventKind, R extends Held> = Extract<SlotEvent<R>, { readonly kind: K }>;
type Cell<S extends StateKind, E extends EventKind> = <R extends Held>(
  state: StateOf<S, R>,
  event: EventOf<E, R>,
  rules: SlotRules,
  moment: Moment,
) => SlotStep<R>;
type Table = { readonly [S in StateKind]: { readonly [E in EventKind]: Cell<S, E> } };

const stay = <R extends Held>(state: SlotState<R>): SlotStep<R> => ({ state, effects: [] });
const drop = <R extends Held>(state: SlotState<R>, { records }: EventOf<"records", R>): SlotStep<R> => ({
  state,
  effects: [{ kind: "drop", records }],
});

const SLOT: Table = {
  stopped: {
    start: (_state, { window }, rules, moment) => goOn({ behind: [], held: [], window }, undefined, rules, moment),
    stop: (state) => ({ state, effects: [{ kind: "stopped" }] }),
    records: drop,
    press: stay,
    wake: stay,
    room: stay,
    ended: stay,
    refused: stay,
    settled: stay,
  },
  gathering: {
    start: stay,
    stop: ({ line }) => stopped(line, []),
    records: ({ line, closesAt }, { records }, rules, moment) => goOn(withHeld(line, records), closesAt, rules, moment),
    press: ({ line }, _event, rules, moment) => goOn(line, moment.ms, rules, moment),
    wake: ({ line, closesAt }, _event, rules, moment) => goOn(line, closesAt, rules, moment),
    room: stay,
    ended: stay,
    refused: stay,
    settled: stay,
  },
  calling: {
    start: stay,
    stop: ({ line, piece }) => stay({ kind: "finishing", line, piece }),
    records: (state, { records }) => stay({ ...state, line: withHeld(state.line, records) }),
    press: stay,
    wake: stay,
    room: stay,
    ended: ({ line, piece }, { ending }, rules, moment) => follow(line, piece, afterCall(piece, ending, line.window, rules), rules, moment),
    refused: ({ line, piece }, _event, _rules, moment) => {
      const refused = { ...piece, refusals: piece.refusals + 1 };
      return waitFor(line, refused, "refused", moment.ms + backoffMs(refused.refusals));
    },
    settled: stay,
  },
  waiting: {
    start: stay,
    stop: ({ line, piece }) => stopped(line, piece.records),
    records: (state, { records }) => stay({ ...state, line: withHeld(state.line, records) }),
    press: stay,
    wake: (state, _event, rules, moment) =>
      // A timer may be early by a fraction.
      moment.ms < state.until
        ? { state, effects: [{ kind: "wakeAt", at: state.until }] }
        : goOn({ ...state.line, behind: [state.piece, ...state.line.behind] }, undefined, rules, moment),
    room: (state, _event, rules, moment) =>
      state.why === "failed" ? stay(state) : goOn({ ...state.line, behind: [state.piece, ...state.line.behind] }, undefined, rules, moment),
    ended: stay,
    refused: stay,
    settled: stay,
  },
  settling: {
    start: stay,
    stop: ({ line }) => stay({ kind: "closing", line }),
    records: (state, { records }) => stay({ ...state, line: withHeld(state.line, records) }),
    press: stay,
    wake: stay,
    room: stay,
    ended: stay,
    refused: stay,
    settled: ({ line }, _event, rules, moment) => goOn(line, undefined, rules, moment),
  },
  finishing: {
    start: stay,
    stop: stay,
    records: drop,
    press: stay,
    wake: stay,
    room: stay,
    ended: ({ line, piece }, { ending }, rules) => {
      const then = afterCall(piece, ending, line.window, rules);
      if (then.kind !== "settle") return stopped(line, piece.records);
      const { settlement, again } = then;
      const left = { ...line, window: settlement.window, behind: [...again, ...line.behind] };
      return { state: { kind: "closing", line: left }, effects: [{ kind: "settle", settlement, next: firstOf(left) }] };
    },
    refused: ({ line, piece }) => stopped(line, piece.records),
    settled: stay,
  },
  closing: {
    start: stay,
    stop: stay,
    records: drop,
    press: stay,
    wake: stay,
    room: stay,
    ended: stay,
    refused: stay,
    settled: ({ line }) => stopped(line, []),
  },
};

/** One step of a slot. */
export function slotStep<R extends Held>(state: SlotState<R>, event: SlotEvent<R>, rules: SlotRules, moment: Moment): SlotStep<R> {
  // The table pairs each state with each event; the compiler cannot follow both keys at once.
  const cell = SLOT[state.kind][event.kind] as (state: SlotState<R>, event: SlotEvent<R>, rules: SlotRules, moment: Moment) => SlotStep<R>;
  return cell(state, event, rules, moment);
}

function withHeld<R extends Held>(line: Line<R>, records: readonly R[]): Line<R> {
  return { ...line, held: [...line.held, ...records] };
}

/** Takes the next piece, or waits for records, for the window of the batch, or for the end of the tumbling one. */
function goOn<R extends Held>(line: Line<R>, closesAt: MonotonicMs | undefined, rules: SlotRules, moment: Moment): SlotStep<R> {
  const [piece, ...behind] = line.behind;
  if (piece) return again({ ...line, behind }, piece, rules, moment);
  const work = nextWork(line.held, line.window, rules, moment, closesAt !== undefined && closesAt <= moment.ms);
  switch (work.kind) {
    case "batch":
      return call({ ...line, held: work.rest }, work.piece);
    case "aside": {
      const { records, reason, rest } = work;
      return settle({ ...line, held: rest }, { piece: whole(records), records, outcome: reason, window: line.window }, []);
    }
    case "none":
      return gather(line, closesAt, rules, moment);
  }
}

function gather<R extends Held>(line: Line<R>, closesAt: MonotonicMs | undefined, rules: SlotRules, moment: Moment): SlotStep<R> {
  if (line.held.length > 0) {
    const at = closesAt ?? moment.ms + rules.windowMs;
    return { state: { kind: "gathering", line, closesAt: at }, effects: [{ kind: "wakeAt", at }] };
  }
  const state: SlotState<R> = { kind: "gathering", line, closesAt: undefined };
  const leftMs = line.window ? line.window.start + rules.tumblingMs - moment.now : 0;
  // What is read to its end meanwhile wakes it.
  return leftMs > 0 ? { state, effects: [{ kind: "wakeAt", at: moment.ms + leftMs }] } : stay(state);
}

/** A piece that was called with before: what is too old by now is not called with again. */
function again<R extends Held>(line: Line<R>, piece: Piece<R>, rules: SlotRules, moment: Moment): SlotStep<R> {
  const expired = expiredOf(piece, rules, moment);
  if (expired === 0) return call(line, inWindow(piece, line.window));
  const count = expired === "whole" ? piece.records.length : expired;
  const rest = expired === "whole" || count === piece.records.length ? [] : [{ ...piece, records: piece.records.slice(count) }];
  const window = expired === "whole" ? undefined : line.window;
  return settle(line, { piece, records: piece.records.slice(0, count), outcome: "expired", window }, rest);
}

/** The pieces of a batch go through its window one behind the other. */
function inWindow<R extends Held>(piece: Piece<R>, open: OpenWindow | undefined): Piece<R> {
  if (piece.window?.closing !== "no") return piece;
  return { ...piece, window: { ...piece.window, state: open?.state ?? EMPTY_STATE } };
}

function call<R extends Held>(line: Line<R>, piece: Piece<R>): SlotStep<R> {
  return { state: { kind: "calling", line, piece }, effects: [{ kind: "call", piece }] };
}

function settle<R extends Held>(from: Line<R>, settlement: Settlement<R>, rest: readonly Piece<R>[]): SlotStep<R> {
  const line = { ...from, window: settlement.window, behind: [...rest, ...from.behind] };
  return { state: { kind: "settling", line }, effects: [{ kind: "settle", settlement, next: firstOf(line) }] };
}

function follow<R extends Held>(line: Line<R>, piece: Piece<R>, then: AfterCall<R>, rules: SlotRules, moment: Moment): SlotStep<R> {
  switch (then.kind) {
    case "settle":
      return settle(line, then.settlement, then.again);
    case "retry": {
      const step = goOn({ ...line, behind: [...then.pieces, ...line.behind] }, undefined, rules, moment);
      const note: SlotEffect<R>[] = then.pieces[0].window?.closing === "early" ? [] : [{ kind: "note", piece, at: undefined }];
      return { state: step.state, effects: [...note, ...step.effects] };
    }
    case "wait": {
      const at = moment.ms + backoffMs(then.piece.failures);
      const step = waitFor(line, then.piece, "failed", at);
      return { state: step.state, effects: [{ kind: "note", piece, at }, ...step.effects] };
    }
  }
}

function waitFor<R extends Held>(line: Line<R>, piece: Piece<R>, why: "refused" | "failed", until: MonotonicMs): SlotStep<R> {
  return { state: { kind: "waiting", line, piece, until, why }, effects: [{ kind: "wakeAt", at: until }] };
}

function stopped<R extends Held>({ behind, held }: Line<R>, records: readonly R[]): SlotStep<R> {
  const dropped = [...records, ...behind.flatMap((each) => each.records), ...held];
  return { state: { kind: "stopped" }, effects: [{ kind: "drop", records: dropped }, { kind: "stopped" }] };
}

/** The first offset that is not done, of what is not being written at the moment; undefined where there is none. */
export function firstOpen<R extends Held>(state: SlotState<R>): number | undefined {
  switch (state.kind) {
    case "stopped":
      return undefined;
    case "gathering":
    case "settling":
    case "closing":
      return firstOf(state.line);
    case "calling":
    case "waiting":
    case "finishing":
      return state.piece.records[0]?.offset ?? firstOf(state.line);
  }
}

/** The first offset that is not done. */
function firstOf<R extends Held>({ behind, held }: Line<R>): number | undefined {
  const piece = behind.find(({ records }) => records.length > 0);
  return piece?.records[0]?.offset ?? held[0]?.offset;
}

function whole<R extends Held>(records: readonly R[]): Piece<R> {
  return { records, failures: 0, refusals: 0, window: undefined };
}
