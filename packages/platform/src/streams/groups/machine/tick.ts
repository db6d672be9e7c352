/** Time passes: ids nobody came with, members that are not heard of, waits that end. */
import type { MonotonicMs } from "../../../base/index.ts";
import type { Turn } from "./events.ts";
import { withoutKeys } from "./group.ts";
import type { CompletingRebalance, Empty, Group, Peopled, PreparingRebalance, Stable } from "./group.ts";
import { completeJoin, completeWhenAllJoined, withoutMembers } from "./rebalance.ts";

export function tickEmpty(group: Empty, turn: Turn): Group {
  return withoutPast(group, turn);
}

export function tickPreparing(group: PreparingRebalance, turn: Turn): Group {
  const next = withoutMembers(withoutPast(group, turn), silent(group, turn), turn);
  if (next.kind !== "PreparingRebalance" || next.wait.until > turn.now) return ifUnlike(group, next, turn);
  const { wait } = next;
  if (wait.kind === "rejoin" || !wait.grew || wait.leftMs <= 0) return completeJoin(next, turn);
  const delayMs = Math.min(turn.limits.initialDelayMs, wait.leftMs);
  return { ...next, wait: { kind: "initial", until: turn.now + delayMs, leftMs: wait.leftMs - delayMs, grew: false } };
}

/** An id that is past may have been the last one waited for. */
function ifUnlike(group: PreparingRebalance, next: Group, turn: Turn): Group {
  return next.kind === "PreparingRebalance" && next.pending !== group.pending ? completeWhenAllJoined(next, turn) : next;
}

export function tickSynchronising(group: CompletingRebalance | Stable, turn: Turn): Group {
  const late = group.syncBy <= turn.now ? group.unsynced : NOBODY;
  return withoutMembers(withoutPast(group, turn), silent(group, turn).union(late), turn);
}

const NOBODY: ReadonlySet<string> = new Set();

function withoutPast<G extends Empty | Peopled>(group: G, { now }: Turn): G {
  const past = [...group.pending].filter(([, until]) => until <= now).map(([id]) => id);
  return past.length === 0 ? group : { ...group, pending: withoutKeys(group.pending, past) };
}

/** Members that were not heard of in time. Who waits for an answer of ours has nothing to say. */
function silent(group: Peopled, { now }: Turn): Set<string> {
  const gone = new Set<string>();
  for (const { id, aliveUntil } of group.members.values()) if (isWatched(group, id) && aliveUntil <= now) gone.add(id);
  return gone;
}

function isWatched(group: Peopled, id: string): boolean {
  switch (group.kind) {
    case "PreparingRebalance":
      return group.joins.get(id)?.isNew ?? true;
    case "CompletingRebalance":
      return !group.syncs.has(id);
    case "Stable":
      return true;
  }
}

/** When time alone changes something next; Infinity for a group that rests. */
export function nextDeadline(group: Group): MonotonicMs {
  if (group.kind === "Dead") return Infinity;
  let next = Infinity;
  for (const until of group.pending.values()) next = Math.min(next, until);
  if (group.kind === "Empty") return next;
  for (const { id, aliveUntil } of group.members.values()) if (isWatched(group, id)) next = Math.min(next, aliveUntil);
  if (group.kind === "PreparingRebalance") return Math.min(next, group.wait.until);
  return group.unsynced.size > 0 ? Math.min(next, group.syncBy) : next;
}
