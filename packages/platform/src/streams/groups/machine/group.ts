/** What a consumer group is between two events: its phase, and in each phase just what that phase has. */
import type { MonotonicMs } from "../../../base/index.ts";

/** A way of sharing out partitions that a member knows, and what it says of itself for it. */
export interface Protocol {
  readonly name: string;
  readonly metadata: Buffer;
}

export interface Member {
  readonly id: string;
  /** `group.instance.id`: a static member keeps its place over a restart of its process. */
  readonly instance: string | undefined;
  readonly clientId: string;
  readonly clientHost: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  /** Those it likes best first. */
  readonly protocols: readonly Protocol[];
  /** Unless it is heard of before. */
  readonly aliveUntil: MonotonicMs;
}

/** By id, in the order in which they came. */
export type Members = ReadonlyMap<string, Member>;
/** A call of a client that is answered later. */
export type Call = number;

/** A member that waits for the others to join. */
export interface WaitingJoin {
  readonly call: Call;
  /** It was no member before; then `aliveUntil` bounds its waiting, else the rebalance's own bound does. */
  readonly isNew: boolean;
}

interface Always {
  /** Counts the rebalances. */
  readonly generation: number;
  /** What its members do: `consumer` for those that share partitions; undefined before the first came. */
  readonly protocolType: string | undefined;
}

interface Pending {
  /** Ids that were given out and nobody has joined with yet, and until when they hold. */
  readonly pending: ReadonlyMap<string, MonotonicMs>;
}

/** No members; its offsets stand. */
export interface Empty extends Always, Pending {
  readonly kind: "Empty";
}

/** Members are called to join. */
export interface PreparingRebalance extends Always, Pending {
  readonly kind: "PreparingRebalance";
  readonly members: Members;
  /** Who led the generation before. */
  readonly leader: string | undefined;
  readonly joins: ReadonlyMap<string, WaitingJoin>;
  readonly wait: Wait;
}

export type Wait =
  /** The group was empty: others will come in a moment. `grew`: some did since it was set; then there is another stretch, out of `leftMs`. */
  | { readonly kind: "initial"; readonly until: MonotonicMs; readonly leftMs: number; readonly grew: boolean }
  /** For those who were members; who does not come until then is out. */
  | { readonly kind: "rejoin"; readonly until: MonotonicMs };

interface Synchronising extends Always, Pending {
  readonly members: Members;
  readonly leader: string;
  /** The name of the protocol that all know. */
  readonly protocol: string;
  /** Those that have not asked for their part, which they have to until `syncBy`. */
  readonly unsynced: ReadonlySet<string>;
  readonly syncBy: MonotonicMs;
}

/** All have joined; the leader shares out. */
export interface CompletingRebalance extends Synchronising {
  readonly kind: "CompletingRebalance";
  readonly syncs: ReadonlyMap<string, Call>;
}

/** Every member has its part. */
export interface Stable extends Synchronising {
  readonly kind: "Stable";
  readonly assignments: ReadonlyMap<string, Buffer>;
}

/** It is removed; what still asks for it is to look for it anew. */
export interface Dead extends Always {
  readonly kind: "Dead";
}

export type Group = Empty | PreparingRebalance | CompletingRebalance | Stable | Dead;
export type GroupKind = Group["kind"];
/** Those with members. */
export type Peopled = PreparingRebalance | CompletingRebalance | Stable;

/** A group without members, as it is at first and after a restart. */
export function emptyGroup(generation: number, protocolType: string | undefined): Empty {
  return { kind: "Empty", generation, protocolType, pending: new Map() };
}

/** The same map with one entry more, or another value. */
export function withEntry<K, V>(map: ReadonlyMap<K, V>, key: K, value: V): ReadonlyMap<K, V> {
  return new Map(map).set(key, value);
}

/** The same map without some. */
export function withoutKeys<K, V>(map: ReadonlyMap<K, V>, keys: Iterable<K>): ReadonlyMap<K, V> {
  const left = new Map(map);
  for (const key of keys) left.delete(key);
  return left;
}

/** The same set without one. */
export function withoutItem<T>(set: ReadonlySet<T>, item: T): ReadonlySet<T> {
  const left = new Set(set);
  left.delete(item);
  return left;
}
