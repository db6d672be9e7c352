import type { CallEnding, Departure } from "../model/index.ts";
import type { ProcessExit } from "../sandbox/index.ts";

/**
 * The life of one instance, as data: `starting → initialising → idle ⇄ busy → draining → gone`. Every transition is in
 * `TRANSITIONS`; whoever holds the process carries out the effects. `Running` is what the holder keeps for a call.
 */
export type InstanceState<Running> =
  /** A process is there or on its way; it has not been told what to be. */
  | { readonly kind: "starting" }
  | { readonly kind: "initialising" }
  | { readonly kind: "idle" }
  /** At least one call runs. */
  | { readonly kind: "busy"; readonly calls: Map<number, Running> }
  /** Takes nothing new; with no calls left its end is on the way. */
  | { readonly kind: "draining"; readonly calls: Map<number, Running>; readonly why: DrainReason }
  | { readonly kind: "gone"; readonly departure: Departure };

export type DrainReason =
  | { readonly kind: "asked" }
  | { readonly kind: "timedOut" }
  | { readonly kind: "initFailed" }
  /** It said by itself that it ends: its exit code tells how. */
  | { readonly kind: "exiting" }
  | { readonly kind: "broken"; readonly what: string };

export type InstanceEvent<Running> =
  | { readonly kind: "assigned" }
  | { readonly kind: "ready" }
  | { readonly kind: "initFailed" }
  | { readonly kind: "initTimedOut" }
  | { readonly kind: "admitted"; readonly callId: number; readonly running: Running }
  | { readonly kind: "settled"; readonly callId: number; readonly ending: CallEnding; readonly exiting: boolean }
  | { readonly kind: "deadline"; readonly callId: number }
  | { readonly kind: "drain" }
  | { readonly kind: "broken"; readonly what: string }
  | { readonly kind: "exited"; readonly exit: ProcessExit };

export type InstanceEffect<Running> =
  | { readonly kind: "send"; readonly callId: number; readonly running: Running }
  | { readonly kind: "end"; readonly callId: number; readonly running: Running; readonly ending: CallEnding }
  /** Ask the process to end and kill it after `graceMs`. */
  | { readonly kind: "stop"; readonly graceMs: number }
  | { readonly kind: "depart"; readonly departure: Departure };

export interface Step<Running> {
  readonly state: InstanceState<Running>;
  readonly effects: readonly InstanceEffect<Running>[];
}

/** Between SIGTERM and SIGKILL for an instance that drained; handlers that listen to SIGTERM may tidy up in it. */
export const DRAIN_GRACE_MS = 500;

type StateOf<Running, K extends InstanceState<Running>["kind"]> = Extract<InstanceState<Running>, { kind: K }>;
type EventOf<Running, K extends InstanceEvent<Running>["kind"]> = Extract<InstanceEvent<Running>, { kind: K }>;
type Transition<Running, S extends InstanceState<Running>["kind"], E extends InstanceEvent<Running>["kind"]> = (
  state: StateOf<Running, S>,
  event: EventOf<Running, E>,
) => Step<Running>;

/** Total: a state or an event without its cell does not compile. */
type Table<Running> = {
  readonly [S in InstanceState<Running>["kind"]]: {
    readonly [E in InstanceEvent<Running>["kind"]]: Transition<Running, S, E>;
  };
};

const NO_EFFECTS: readonly never[] = [];
const stay = <Running>(state: InstanceState<Running>): Step<Running> => ({ state, effects: NO_EFFECTS });

/** Starts to drain without waiting for calls: the process ends within `graceMs`. */
function end<Running>(calls: Map<number, Running>, why: DrainReason, graceMs: number): Step<Running> {
  return { state: { kind: "draining", calls, why }, effects: [{ kind: "stop", graceMs }] };
}

function breakOff<Running>(state: InstanceState<Running>, event: EventOf<Running, "broken">): Step<Running> {
  return end(callsOf(state), { kind: "broken", what: event.what }, 0);
}

function depart<Running>(state: InstanceState<Running>, event: EventOf<Running, "exited">): Step<Running> {
  const departure = departureOf(state, event.exit);
  const ends = [...callsOf(state)].map(
    ([callId, running]) => ({ kind: "end", callId, running, ending: { kind: "instanceLost", departure } }) as const,
  );
  return { state: { kind: "gone", departure }, effects: [...ends, { kind: "depart", departure }] };
}

function refuse<Running>(state: InstanceState<Running>, event: EventOf<Running, "admitted">): Step<Running> {
  const departure: Departure =
    state.kind === "gone" ? state.departure : { kind: "notStarted", what: `an instance that is ${state.kind} takes no calls` };
  return { state, effects: [{ kind: "end", callId: event.callId, running: event.running, ending: { kind: "instanceLost", departure } }] };
}

function admit<Running>(state: StateOf<Running, "idle" | "busy">, event: EventOf<Running, "admitted">): Step<Running> {
  const next = state.kind === "busy" ? state : { kind: "busy" as const, calls: new Map<number, Running>() };
  next.calls.set(event.callId, event.running);
  return { state: next, effects: [{ kind: "send", callId: event.callId, running: event.running }] };
}

function settle<Running>(state: StateOf<Running, "busy" | "draining">, event: EventOf<Running, "settled">): Step<Running> {
  const running = state.calls.get(event.callId);
  // Late: the call was cut at its deadline.
  if (running === undefined) return stay(state);
  state.calls.delete(event.callId);
  const ended = { kind: "end", callId: event.callId, running, ending: event.ending } as const;
  if (event.exiting) return { state: { kind: "draining", calls: state.calls, why: { kind: "exiting" } }, effects: [ended] };
  if (state.calls.size > 0) return { state, effects: [ended] };
  if (state.kind === "busy") return { state: { kind: "idle" }, effects: [ended] };
  return { state, effects: [ended, { kind: "stop", graceMs: graceOf(state.why) }] };
}

/** Answers the one call; others keep their own deadlines. The process may be stuck, so nothing is asked of it at its end. */
function cut<Running>(state: StateOf<Running, "busy" | "draining">, event: EventOf<Running, "deadline">): Step<Running> {
  const running = state.calls.get(event.callId);
  if (running === undefined) return stay(state);
  state.calls.delete(event.callId);
  const why: DrainReason = state.kind === "draining" && state.why.kind === "broken" ? state.why : { kind: "timedOut" };
  const ended = { kind: "end", callId: event.callId, running, ending: { kind: "timedOut" } } as const;
  const stop = state.calls.size === 0 ? [{ kind: "stop", graceMs: 0 } as const] : [];
  return { state: { kind: "draining", calls: state.calls, why }, effects: [ended, ...stop] };
}

function graceOf(why: DrainReason): number {
  return why.kind === "asked" ? DRAIN_GRACE_MS : 0;
}

function table<Running>(): Table<Running> {
  const unborn = {
    settled: stay,
    deadline: stay,
    admitted: refuse,
    broken: breakOff,
    exited: depart,
    drain: () => end<Running>(new Map(), { kind: "asked" }, DRAIN_GRACE_MS),
    initTimedOut: () => end<Running>(new Map(), { kind: "timedOut" }, 0),
  } as const;
  const living = { assigned: stay, ready: stay, initFailed: stay, initTimedOut: stay, broken: breakOff, exited: depart } as const;
  return {
    starting: { ...unborn, assigned: () => stay({ kind: "initialising" }), ready: stay, initFailed: stay },
    initialising: {
      ...unborn,
      assigned: stay,
      ready: () => stay({ kind: "idle" }),
      initFailed: () => end<Running>(new Map(), { kind: "initFailed" }, 0),
    },
    idle: {
      ...living,
      admitted: admit,
      settled: stay,
      deadline: stay,
      drain: () => end<Running>(new Map(), { kind: "asked" }, DRAIN_GRACE_MS),
    },
    busy: {
      ...living,
      admitted: admit,
      settled: settle,
      deadline: cut,
      drain: (state) => stay({ kind: "draining", calls: state.calls, why: { kind: "asked" } }),
    },
    draining: {
      ...living,
      admitted: refuse,
      settled: settle,
      deadline: cut,
      drain: stay,
      broken: (state, event) => (state.why.kind === "broken" ? stay(state) : breakOff(state, event)),
    },
    gone: { ...living, admitted: refuse, settled: stay, deadline: stay, drain: stay, broken: stay, exited: stay },
  };
}

const TRANSITIONS: Table<unknown> = table();

/** The next state and what to do about it. Reads nothing but its arguments. */
export function advance<Running>(state: InstanceState<Running>, event: InstanceEvent<Running>): Step<Running> {
  // The table's cell takes exactly this state and this event; the pairing cannot be said in types.
  const transition = TRANSITIONS[state.kind][event.kind] as (state: InstanceState<Running>, event: InstanceEvent<Running>) => Step<Running>;
  return transition(state, event);
}

/** The calls that run, also where a state has none. */
export function callsOf<Running>(state: InstanceState<Running>): Map<number, Running> {
  return state.kind === "busy" || state.kind === "draining" ? state.calls : new Map();
}

/** Why a process that ended in `state` is gone. */
function departureOf<Running>(state: InstanceState<Running>, exit: ProcessExit): Departure {
  if (exit.outOfMemory) return { kind: "outOfMemory" };
  if (state.kind === "draining") {
    if (state.why.kind === "broken") return { kind: "protocolBroken", what: state.why.what };
    if (state.why.kind === "asked" && state.calls.size === 0) return { kind: "drained" };
  }
  if (exit.signal !== undefined) return { kind: "killed", signal: exit.signal };
  return { kind: "exited", code: exit.code ?? 0 };
}
