/** One batch from its first invocation to its end, as a table. Pure; `queue-poller.ts` carries the effects out. */
import type { MonotonicMs } from "../../base/index.ts";
import { BACKOFF_MS_MIN, backoffMs } from "./poller-machine.ts";

export type BatchState =
  | { readonly kind: "invoking"; readonly attempt: number }
  /** Refused (throttled, no instance, function not ready): tried again at `until`. */
  | { readonly kind: "waiting"; readonly attempt: number; readonly until: MonotonicMs }
  /** It is invoked for the last time: the mapping is being disabled. */
  | { readonly kind: "finishing" }
  | { readonly kind: "ended" };

export type BatchEvent =
  /** The function ran, however it ended. */
  | { readonly kind: "answered" }
  /** The function did not run. */
  | { readonly kind: "refused" }
  | { readonly kind: "wake" }
  /** A place for a call has come free. */
  | { readonly kind: "room" }
  | { readonly kind: "stop" };

export type BatchEffect =
  | { readonly kind: "invoke" }
  /** Delete what was handled; the rest appears again when its lease ends. */
  | { readonly kind: "settle" }
  | { readonly kind: "giveBack"; readonly delayMs: number }
  | { readonly kind: "wakeAt"; readonly at: MonotonicMs };

export interface BatchRules {
  /** When the messages would have appeared again in the queue, had their leases not been renewed: as long it is tried. */
  readonly heldUntil: MonotonicMs;
}

export interface BatchStep {
  readonly state: BatchState;
  readonly effects: readonly BatchEffect[];
}

type StateOf<K> = Extract<BatchState, { readonly kind: K }>;
type Cell<S> = (state: StateOf<S>, rules: BatchRules, now: MonotonicMs) => BatchStep;
type Table = { readonly [S in BatchState["kind"]]: { readonly [E in BatchEvent["kind"]]: Cell<S> } };

const stay = (state: BatchState): BatchStep => ({ state, effects: [] });
const settle = (): BatchStep => ({ state: { kind: "ended" }, effects: [{ kind: "settle" }] });
const giveBack = (delayMs: number): BatchStep => ({ state: { kind: "ended" }, effects: [{ kind: "giveBack", delayMs }] });

const BATCH: Table = {
  invoking: {
    answered: settle,
    refused: ({ attempt }, { heldUntil }, now) => {
      const until = now + backoffMs(attempt);
      if (until + BACKOFF_MS_MIN > heldUntil) return giveBack(backoffMs(attempt));
      return { state: { kind: "waiting", attempt, until }, effects: [{ kind: "wakeAt", at: until }] };
    },
    wake: stay,
    room: stay,
    stop: () => stay({ kind: "finishing" }),
  },
  waiting: {
    answered: stay,
    refused: stay,
    wake: ({ attempt, until }, _rules, now) =>
      now < until
        ? { state: { kind: "waiting", attempt, until }, effects: [{ kind: "wakeAt", at: until }] } // a timer may be early by a fraction
        : { state: { kind: "invoking", attempt: attempt + 1 }, effects: [{ kind: "invoke" }] },
    room: ({ attempt }) => ({ state: { kind: "invoking", attempt }, effects: [{ kind: "invoke" }] }),
    stop: () => giveBack(0),
  },
  finishing: { answered: settle, refused: () => giveBack(0), wake: stay, room: stay, stop: stay },
  ended: { answered: stay, refused: stay, wake: stay, room: stay, stop: stay },
};

/** One step of a batch. */
export function batchStep(state: BatchState, event: BatchEvent, rules: BatchRules, now: MonotonicMs): BatchStep {
  const cell = BATCH[state.kind][event.kind] as (state: BatchState, rules: BatchRules, now: MonotonicMs) => BatchStep;
  return cell(state, rules, now);
}
