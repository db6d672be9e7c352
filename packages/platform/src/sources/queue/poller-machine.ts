/**
 * What a mapping does with its queue, as two tables: `POLLER` reads messages and cuts them into batches, `BATCH` sees one
 * batch to its end. Pure: state, event, rules and time in, state and effects out; `queue-poller.ts` carries the effects out.
 *
 * Keeps P4 (a FIFO queue's read is one batch, so two batches never share a group), P6 (one read waits, nothing polls; the only
 * other waits are the window, growth and back-off) and P7 (messages held, batches that run).
 */
import type { MonotonicMs } from "../../base/index.ts";

/** Batches of one mapping that run at once, to begin with. @limit */
export const CONCURRENT_BATCHES_START = 5;
/** Batches of one mapping that ever run at once. @limit */
export const CONCURRENT_BATCHES_MAX = 1_250;
/** While messages wait, every `GROWTH_STEP_MS` this many more batches may run at once: 300 a minute. @limit */
export const GROWTH_STEP = 5;
export const GROWTH_STEP_MS = 1_000;
/** After a refused invocation nothing grows for this long. */
export const REFUSED_PAUSE_MS = 5_000;
/** Bytes of one batch as the function receives it. @limit */
export const BATCH_BYTES_MAX = 6 * 1024 * 1024;
/** What stands around the records of a batch. */
export const BATCH_FRAME_BYTES = 16;
/** First wait after a refused invocation, or when a queue cannot be read. */
export const BACKOFF_MS_MIN = 1_000;
/** Longest such wait. */
export const BACKOFF_MS_MAX = 60_000;

/** What the machine needs to know of a message that is leased. */
export interface Held {
  /** Of its record in the event, as JSON. */
  readonly bytes: number;
}

export interface PollerRules {
  readonly ordering: "standard" | "fifo";
  readonly batchSize: number;
  readonly windowMs: number;
  /** Batches that may run at once, however many messages wait. */
  readonly concurrencyMax: number;
}

/** How many batches may run at once now, and since when. */
export interface Scale {
  readonly limit: number;
  readonly grownAt: MonotonicMs;
}

interface Active {
  readonly running: number;
  readonly scale: Scale;
}

export type PollerState<M extends Held> =
  | { readonly kind: "stopped" }
  /** A read waits for the first message. */
  | (Active & { readonly kind: "reading" })
  /** A read waits for more messages, until the batch is full or its window closes. */
  | (Active & { readonly kind: "gathering"; readonly held: readonly M[]; readonly closesAt: MonotonicMs })
  /** As many batches run as may: nothing is read. */
  | (Active & { readonly kind: "saturated"; readonly held: readonly M[]; readonly closesAt: MonotonicMs | undefined })
  /** The queue could not be read; after a wait it is tried once more. */
  | (Active & { readonly kind: "resting"; readonly failures: number })
  /** Batches in flight end, nothing new begins. */
  | { readonly kind: "draining"; readonly running: number };

export type PollerEvent<M extends Held> =
  | { readonly kind: "start" }
  | { readonly kind: "stop" }
  /** The read's answer; `more` when messages still wait. */
  | { readonly kind: "leased"; readonly messages: readonly M[]; readonly more: boolean }
  | { readonly kind: "readFailed" }
  | { readonly kind: "wake" }
  | { readonly kind: "batchEnded"; readonly ending: "handled" | "failed" | "givenBack" }
  /** An invocation was refused, while so many run; its batch stays and tries again. */
  | { readonly kind: "refused"; readonly invoking: number };

export type PollerEffect<M extends Held> =
  | { readonly kind: "read"; readonly max: number }
  /** What a read that was under way still brings is given back. */
  | { readonly kind: "stopReading" }
  | { readonly kind: "startBatch"; readonly messages: readonly M[] }
  | { readonly kind: "giveBack"; readonly messages: readonly M[] }
  /** In place of the wake that was asked for before. */
  | { readonly kind: "wakeAt"; readonly at: MonotonicMs }
  | { readonly kind: "drained" };

export interface Step<M extends Held> {
  readonly state: PollerState<M>;
  readonly effects: readonly PollerEffect<M>[];
}

type StateKind = PollerState<Held>["kind"];
type EventKind = PollerEvent<Held>["kind"];
type StateOf<K extends StateKind, M extends Held> = Extract<PollerState<M>, { readonly kind: K }>;
type EventOf<K extends EventKind, M extends Held> = Extract<PollerEvent<M>, { readonly kind: K }>;
type Cell<S extends StateKind, E extends EventKind> = <M extends Held>(
  state: StateOf<S, M>,
  event: EventOf<E, M>,
  rules: PollerRules,
  now: MonotonicMs,
) => Step<M>;
type Table = { readonly [S in StateKind]: { readonly [E in EventKind]: Cell<S, E> } };

/** Nothing happens. */
const stay = <M extends Held>(state: PollerState<M>): Step<M> => ({ state, effects: [] });

const POLLER: Table = {
  stopped: {
    start: (_state, _event, rules, now) => begin(0, rules, now),
    stop: (state) => ({ state, effects: [{ kind: "drained" }] }),
    leased: (state, { messages }) => ({ state, effects: [{ kind: "giveBack", messages }] }),
    readFailed: stay,
    wake: stay,
    batchEnded: stay,
    refused: stay,
  },
  reading: {
    start: stay,
    stop: (state) => drain(state.running, []),
    leased: (state, event, rules, now) => take({ ...state, held: [], closesAt: undefined }, event, rules, now),
    readFailed: (state, _event, _rules, now) => rest(state, 1, now),
    wake: stay,
    batchEnded: (state, event) => stay({ ...state, ...ended(state, event) }),
    refused: (state, { invoking }, _rules, now) => stay({ ...state, scale: shrunk(state, invoking, now) }),
  },
  gathering: {
    start: stay,
    stop: (state) => drain(state.running, state.held),
    leased: take,
    readFailed: (state, _event, rules, now) => close(state, rules, now),
    wake: (state, _event, rules, now) =>
      // A timer may be early by a fraction.
      now < state.closesAt ? { state, effects: [{ kind: "wakeAt", at: state.closesAt }] } : withoutRead(close(state, rules, now)),
    batchEnded: (state, event) => stay({ ...state, ...ended(state, event) }),
    refused: (state, { invoking }, _rules, now) => stay({ ...state, scale: shrunk(state, invoking, now) }),
  },
  saturated: {
    start: stay,
    stop: (state) => drain(state.running, state.held),
    leased: take,
    readFailed: stay,
    wake: (state, _event, rules, now) => goOn({ ...state, scale: grown(state.scale, rules, now) }, rules, now),
    batchEnded: (state, event, rules, now) => goOn({ ...state, ...ended(state, event) }, rules, now),
    refused: (state, { invoking }, _rules, now) => {
      const scale = shrunk(state, invoking, now);
      return { state: { ...state, scale }, effects: [{ kind: "wakeAt", at: growthAt(scale) }] };
    },
  },
  resting: {
    start: stay,
    stop: (state) => drain(state.running, []),
    leased: (state, event, rules, now) => take({ ...state, held: [], closesAt: undefined }, event, rules, now),
    readFailed: (state, _event, _rules, now) => rest(state, state.failures + 1, now),
    wake: (state) => ({ state, effects: [{ kind: "read", max: 1 }] }),
    batchEnded: (state, event) => stay({ ...state, ...ended(state, event) }),
    refused: stay,
  },
  draining: {
    start: (state, _event, rules, now) => begin(state.running, rules, now),
    stop: stay,
    leased: (state, { messages }) => ({ state, effects: [{ kind: "giveBack", messages }] }),
    readFailed: stay,
    wake: stay,
    batchEnded: (state) => drained(state.running - 1),
    refused: stay,
  },
};

/** One step of a poller. */
export function pollerStep<M extends Held>(state: PollerState<M>, event: PollerEvent<M>, rules: PollerRules, now: MonotonicMs): Step<M> {
  // The table pairs each state with each event; the compiler cannot follow both keys at once.
  const cell = POLLER[state.kind][event.kind] as (
    state: PollerState<M>,
    event: PollerEvent<M>,
    rules: PollerRules,
    now: MonotonicMs,
  ) => Step<M>;
  return cell(state, event, rules, now);
}

interface Holding<M extends Held> extends Active {
  readonly held: readonly M[];
  readonly closesAt: MonotonicMs | undefined;
}

function begin<M extends Held>(running: number, rules: PollerRules, now: MonotonicMs): Step<M> {
  const scale = { limit: Math.min(CONCURRENT_BATCHES_START, rules.concurrencyMax), grownAt: now };
  return goOn({ running, scale, held: [], closesAt: undefined }, rules, now);
}

function drain<M extends Held>(running: number, held: readonly M[]): Step<M> {
  const { state, effects } = drained<M>(running);
  const back: PollerEffect<M>[] = held.length > 0 ? [{ kind: "giveBack", messages: held }] : [];
  return { state, effects: [{ kind: "stopReading" }, ...back, ...effects] };
}

function drained<M extends Held>(running: number): Step<M> {
  return running > 0 ? stay({ kind: "draining", running }) : { state: { kind: "stopped" }, effects: [{ kind: "drained" }] };
}

function rest<M extends Held>({ running, scale }: Active, failures: number, now: MonotonicMs): Step<M> {
  return { state: { kind: "resting", running, scale, failures }, effects: [{ kind: "wakeAt", at: now + backoffMs(failures) }] };
}

/** Messages came. Once none are left behind them, the concurrency that was needed for many goes back. */
function take<M extends Held>(state: Holding<M>, event: EventOf<"leased", M>, rules: PollerRules, now: MonotonicMs): Step<M> {
  const { limit, grownAt } = state.scale;
  const calm = Math.max(Math.min(CONCURRENT_BATCHES_START, rules.concurrencyMax), state.running);
  const scale = { limit: event.more ? limit : Math.min(limit, calm), grownAt };
  return goOn({ ...state, scale, held: [...state.held, ...event.messages] }, rules, now);
}

/** The window closed, or nothing more can be read: what is held is a batch as it is. */
function close<M extends Held>(state: Holding<M>, rules: PollerRules, now: MonotonicMs): Step<M> {
  return goOn({ ...state, closesAt: now }, rules, now);
}

/** A read that still waits goes on waiting: no second one. */
function withoutRead<M extends Held>(step: Step<M>): Step<M> {
  if (step.state.kind === "saturated") return { state: step.state, effects: [{ kind: "stopReading" }, ...step.effects] };
  return { state: step.state, effects: step.effects.filter(({ kind }) => kind !== "read") };
}

/** Starts the batches there is room for; then reads on, waits for the window, or for room. */
function goOn<M extends Held>(from: Holding<M>, rules: PollerRules, now: MonotonicMs): Step<M> {
  const effects: PollerEffect<M>[] = [];
  const limit = Math.min(from.scale.limit, ceiling(rules));
  let { running, held, closesAt } = from;
  while (running < limit) {
    const count = batchCount(held, rules, closesAt !== undefined && closesAt <= now);
    if (count === 0) break;
    effects.push({ kind: "startBatch", messages: held.slice(0, count) });
    running += 1;
    held = held.slice(count);
    closesAt = undefined;
    if (rules.ordering === "fifo" && held.length > 0) {
      // They may be of groups that now run, so they wait for their turn in the queue.
      effects.push({ kind: "giveBack", messages: held });
      held = [];
    }
  }
  const active = { running, scale: from.scale };
  if (held.length > 0) closesAt ??= now + rules.windowMs;
  if (running >= limit) {
    if (from.scale.limit < ceiling(rules)) effects.push({ kind: "wakeAt", at: growthAt(from.scale) });
    return { state: { kind: "saturated", ...active, held, closesAt }, effects };
  }
  if (held.length === 0 || closesAt === undefined) {
    effects.push({ kind: "read", max: readMax(limit - running, rules) });
    return { state: { kind: "reading", ...active }, effects };
  }
  effects.push({ kind: "wakeAt", at: closesAt }, { kind: "read", max: rules.batchSize - held.length });
  return { state: { kind: "gathering", ...active, held, closesAt }, effects };
}

/** Without a window one read may fill several batches; groups of a FIFO queue must not be split over two. */
function readMax(room: number, { ordering, batchSize, windowMs }: PollerRules): number {
  return ordering === "fifo" || windowMs > 0 ? batchSize : batchSize * room;
}

/** How many of the messages held are a batch that can start; 0 when it still waits for more. */
function batchCount(held: readonly Held[], { batchSize, windowMs }: PollerRules, closed: boolean): number {
  let bytes = BATCH_FRAME_BYTES;
  let count = 0;
  for (const message of held.slice(0, batchSize)) {
    bytes += message.bytes + 1;
    if (bytes > BATCH_BYTES_MAX && count > 0) return count;
    count += 1;
  }
  return count === batchSize || windowMs === 0 || closed ? count : 0;
}

/** A place is free again. A batch that failed, or was refused to the end, takes some of the room it had. */
function ended({ running, scale }: Active, { ending }: EventOf<"batchEnded", Held>): Active {
  const limit = ending === "failed" ? Math.max(scale.limit - 1, Math.min(scale.limit, CONCURRENT_BATCHES_START)) : scale.limit;
  return { running: running - 1, scale: { ...scale, limit } };
}

/** What runs now is what the function takes. */
function shrunk({ scale }: Active, invoking: number, now: MonotonicMs): Scale {
  return { limit: Math.max(1, Math.min(scale.limit, invoking)), grownAt: now + REFUSED_PAUSE_MS };
}

function growthAt({ grownAt }: Scale): MonotonicMs {
  return grownAt + GROWTH_STEP_MS;
}

function grown(scale: Scale, rules: PollerRules, now: MonotonicMs): Scale {
  if (now < growthAt(scale)) return scale;
  return { limit: Math.min(scale.limit + GROWTH_STEP, ceiling(rules)), grownAt: now };
}

function ceiling({ concurrencyMax }: PollerRules): number {
  return Math.min(concurrencyMax, CONCURRENT_BATCHES_MAX);
}

/** 1 s, 2 s, 4 s … 60 s. */
export function backoffMs(attempt: number): number {
  return Math.min(BACKOFF_MS_MIN * 2 ** Math.min(attempt - 1, 20), BACKOFF_MS_MAX);
}
