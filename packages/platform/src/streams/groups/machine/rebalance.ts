/** From one generation to the next: members are called, those who came are counted, one of them leads. */
import type { Joined, MembershipLimits, Turn } from "./events.ts";
import { emptyGroup, withoutKeys } from "./group.ts";
import type { CompletingRebalance, Group, Member, Members, Peopled, PreparingRebalance, Stable, WaitingJoin } from "./group.ts";
import { longestRebalance, metadataOf, selectProtocol } from "./members.ts";

/** Calls all members; `joins` are those who are here already. */
export function prepareRebalance(
  group: CompletingRebalance | Stable,
  turn: Turn,
  joins: PreparingRebalance["joins"] = new Map<string, WaitingJoin>(),
): Group {
  if (group.kind === "CompletingRebalance") refuseSyncs(group, turn);
  const { generation, protocolType, pending, members, leader } = group;
  const wait = { kind: "rejoin", until: turn.now + longestRebalance(members) } as const;
  return completeWhenAllJoined({ kind: "PreparingRebalance", generation, protocolType, pending, members, leader, joins, wait }, turn);
}

/** The group was empty: its first member waits a moment for others, so that they do not come to a rebalance each. */
export function initialRebalance(
  group: Pick<PreparingRebalance, "generation" | "protocolType" | "pending" | "members" | "joins">,
  limits: MembershipLimits,
  turn: Turn,
): Group {
  const wholeMs = longestRebalance(group.members);
  const delayMs = Math.min(limits.initialDelayMs, wholeMs);
  const wait = { kind: "initial", until: turn.now + delayMs, leftMs: wholeMs - delayMs, grew: false } as const;
  return { ...group, kind: "PreparingRebalance", leader: undefined, wait };
}

/** Ids that were given out count as somebody who is about to come. */
export function completeWhenAllJoined(group: PreparingRebalance, turn: Turn): Group {
  const isAllHere = group.joins.size === group.members.size && group.pending.size === 0;
  return group.wait.kind === "rejoin" && isAllHere ? completeJoin(group, turn) : group;
}

/** Begins the next generation with those who came. Static members keep their place for as long as their session. */
export function completeJoin(group: PreparingRebalance, turn: Turn): Group {
  const absent = [...group.members.values()].filter(({ id, instance }) => !group.joins.has(id) && instance === undefined);
  const members = withoutKeys(
    group.members,
    absent.map(({ id }) => id),
  );
  const generation = group.generation + 1;
  if (members.size === 0) return { ...emptyGroup(generation, group.protocolType), pending: group.pending };
  const leader = leaderOf(group, members);
  const syncBy = turn.now + longestRebalance(members);
  // Nobody is here who could share out.
  if (leader === undefined) return { ...group, members, wait: { kind: "rejoin", until: syncBy } };
  const alive = new Map<string, Member>();
  for (const [id, member] of members) alive.set(id, { ...member, aliveUntil: turn.now + member.sessionTimeoutMs });
  const { protocolType, pending } = group;
  const unsynced = new Set(alive.keys());
  const protocol = selectProtocol(alive);
  const next: CompletingRebalance = {
    kind: "CompletingRebalance",
    generation,
    protocolType,
    pending,
    members: alive,
    leader,
    protocol,
    unsynced,
    syncBy,
    syncs: new Map(),
  };
  for (const [id, { call }] of group.joins) turn.answers.push({ to: "join", call, result: joined(next, id) });
  return next;
}

function leaderOf({ leader, joins }: PreparingRebalance, members: Members): string | undefined {
  if (leader !== undefined && joins.has(leader)) return leader;
  return [...members.keys()].find((id) => joins.has(id));
}

/** What a member of the generation is told of it. */
export function joined(group: CompletingRebalance | Stable, member: string): Joined {
  const { generation, protocolType = "", protocol, leader } = group;
  const members = leader === member ? everybody(group) : [];
  return { kind: "joined", generation, protocolType, protocol, leader, member, skipAssignment: false, members };
}

/** All members with what they say of themselves, for whoever shares out. */
export function everybody({ members, protocol }: CompletingRebalance | Stable): Joined["members"] {
  return Array.from(members.values(), (member) => ({
    member: member.id,
    ...(member.instance === undefined ? {} : { instance: member.instance }),
    metadata: metadataOf(member, protocol),
  }));
}

function refuseSyncs({ syncs }: CompletingRebalance, turn: Turn): void {
  for (const call of syncs.values()) turn.answers.push({ to: "sync", call, result: { kind: "refused", error: "REBALANCE_IN_PROGRESS" } });
}

/** The group without some members: a rebalance for those that stay, unless one is under way. */
export function withoutMembers(group: Peopled, gone: ReadonlySet<string>, turn: Turn): Group {
  if (gone.size === 0) return group;
  answerGone(group, gone, turn);
  const members = withoutKeys(group.members, gone);
  switch (group.kind) {
    case "PreparingRebalance": {
      const leader = group.leader !== undefined && gone.has(group.leader) ? undefined : group.leader;
      return completeWhenAllJoined({ ...group, members, leader, joins: withoutKeys(group.joins, gone) }, turn);
    }
    case "CompletingRebalance":
      return prepareRebalance({ ...group, members, syncs: withoutKeys(group.syncs, gone) }, turn);
    case "Stable":
      return prepareRebalance({ ...group, members }, turn);
  }
}

function answerGone(group: Peopled, gone: ReadonlySet<string>, turn: Turn): void {
  for (const id of gone) {
    const join = group.kind === "PreparingRebalance" ? group.joins.get(id) : undefined;
    if (join) turn.answers.push({ to: "join", call: join.call, result: { kind: "refused", error: "UNKNOWN_MEMBER_ID", member: id } });
    const sync = group.kind === "CompletingRebalance" ? group.syncs.get(id) : undefined;
    if (sync !== undefined) turn.answers.push({ to: "sync", call: sync, result: { kind: "refused", error: "UNKNOWN_MEMBER_ID" } });
  }
}
