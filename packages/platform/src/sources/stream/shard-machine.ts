/** What reads one shard, as a table: whether it reads, or why not. Pure; `shard-reader.ts` carries the effects out. */
import type { MonotonicMs } from "../../base/index.ts";
import { backoffMs } from "../queue/poller-machine.ts";

export type ShardState =
  | { readonly kind: "stopped" }
  /** Where it stands is being read. */
  | { readonly kind: "opening"; readonly failures: number }
  /** A read is under way, or waits for the next record. */
  | { readonly kind: "reading" }
  /** As much is held as may be. */
  | { readonly kind: "full" }
  /** It could not be read; after a wait it is opened anew. */
  | { readonly kind: "resting"; readonly failures: number }
  /** The shard takes no records any more and was read to its end, or the stream is gone. */
  | { readonly kind: "atEnd" }
  /** What is in flight ends, nothing new begins. */
  | { readonly kind: "draining" };

export type ShardEvent =
  | { readonly kind: "start" }
  | { readonly kind: "stop" }
  | { readonly kind: "opened" }
  /** A read brought records, and they are held; `full`: as many as may be. */
  | { readonly kind: "read"; readonly full: boolean }
  | { readonly kind: "failed" }
  | { readonly kind: "ended" }
  | { readonly kind: "wake" }
  /** There is room again. */
  | { readonly kind: "released" }
  /** Nothing is in flight any more. */
  | { readonly kind: "drained" };

export type ShardEffect =
  | { readonly kind: "open" }
  | { readonly kind: "read" }
  /** A read that is under way is nobody's. */
  | { readonly kind: "stopReading" }
  /** What is gathered is called with as it is. */
  | { readonly kind: "press" }
  | { readonly kind: "wakeAt"; readonly at: MonotonicMs }
  | { readonly kind: "stopSlots" }
  | { readonly kind: "stopped" };

export interface ShardStep {
  readonly state: ShardState;
  readonly effects: readonly ShardEffect[];
}

type StateOf<K> = Extract<ShardState, { readonly kind: K }>;
type EventOf<K> = Extract<ShardEvent, { readonly kind: K }>;
type Cell<S, E> = (state: StateOf<S>, event: EventOf<E>, now: MonotonicMs) => ShardStep;
type Table = { readonly [S in ShardState["kind"]]: { readonly [E in ShardEvent["kind"]]: Cell<S, E> } };

const stay = (state: ShardState): ShardStep => ({ state, effects: [] });
const drain = (): ShardStep => ({ state: { kind: "draining" }, effects: [{ kind: "stopReading" }, { kind: "stopSlots" }] });
const rest = (failures: number, now: MonotonicMs): ShardStep => ({
  state: { kind: "resting", failures },
  effects: [{ kind: "wakeAt", at: now + backoffMs(failures) }],
});
const readOn = (): ShardStep => ({ state: { kind: "reading" }, effects: [{ kind: "read" }] });

const SHARD: Table = {
  stopped: {
    start: () => ({ state: { kind: "opening", failures: 0 }, effects: [{ kind: "open" }] }),
    stop: (state) => ({ state, effects: [{ kind: "stopped" }] }),
    opened: stay,
    read: stay,
    failed: stay,
    ended: stay,
    wake: stay,
    released: stay,
    drained: stay,
  },
  opening: {
    start: stay,
    stop: drain,
    opened: readOn,
    read: stay,
    failed: ({ failures }, _event, now) => rest(failures + 1, now),
    ended: () => stay({ kind: "atEnd" }),
    wake: stay,
    released: stay,
    drained: stay,
  },
  reading: {
    start: stay,
    stop: drain,
    opened: stay,
    read: (_state, { full }) => (full ? { state: { kind: "full" }, effects: [{ kind: "press" }] } : readOn()),
    failed: (_state, _event, now) => rest(1, now),
    ended: () => stay({ kind: "atEnd" }),
    wake: stay,
    released: stay,
    drained: stay,
  },
  full: {
    start: stay,
    stop: drain,
    opened: stay,
    read: stay,
    failed: stay,
    ended: stay,
    wake: stay,
    released: readOn,
    drained: stay,
  },
  resting: {
    start: stay,
    stop: drain,
    opened: stay,
    read: stay,
    failed: stay,
    ended: () => stay({ kind: "atEnd" }),
    wake: ({ failures }) => ({ state: { kind: "opening", failures }, effects: [{ kind: "open" }] }),
    released: stay,
    drained: stay,
  },
  atEnd: {
    start: stay,
    stop: drain,
    opened: stay,
    read: stay,
    failed: stay,
    ended: stay,
    wake: stay,
    released: stay,
    drained: stay,
  },
  draining: {
    start: stay,
    stop: stay,
    opened: stay,
    read: stay,
    failed: stay,
    ended: stay,
    wake: stay,
    released: stay,
    drained: () => ({ state: { kind: "stopped" }, effects: [{ kind: "stopped" }] }),
  },
};

/** One step of what reads a shard. */
export function shardStep(state: ShardState, event: ShardEvent, now: MonotonicMs): ShardStep {
  const cell = SHARD[state.kind][event.kind] as (state: ShardState, event: ShardEvent, now: MonotonicMs) => ShardStep;
  return cell(state, event, now);
}
