/** Members ask for their part; the leader brings everybody's. */
import type { GroupError, Step, SyncEvent, Synced, Turn } from "./events.ts";
import { withEntry, withoutItem } from "./group.ts";
import type { CompletingRebalance, Group, Member, PreparingRebalance, Stable } from "./group.ts";
import { heardOf, wrongMember } from "./members.ts";

export const syncPreparing: Step<PreparingRebalance, SyncEvent> = (group, event, turn) =>
  refuse(group, event, wrongClaim(group, event) ?? "REBALANCE_IN_PROGRESS", turn);

export const syncCompleting: Step<CompletingRebalance, SyncEvent> = (group, event, turn) => {
  const error = wrongSync(group, event);
  if (error) return refuse(group, event, error, turn);
  const before = group.syncs.get(event.member);
  if (before !== undefined) turn.answers.push({ to: "sync", call: before, result: { kind: "refused", error: "REBALANCE_IN_PROGRESS" } });
  const syncs = withEntry(group.syncs, event.member, event.call);
  const unsynced = withoutItem(group.unsynced, event.member);
  const waiting: CompletingRebalance = { ...group, syncs, unsynced };
  return event.member === group.leader ? shareOut(waiting, event, turn) : waiting;
};

export const syncStable: Step<Stable, SyncEvent> = (group, event, turn) => {
  const error = wrongSync(group, event);
  if (error) return refuse(group, event, error, turn);
  turn.answers.push({ to: "sync", call: event.call, result: synced(group, event.member) });
  const members = heardOf(group.members, event.member, turn.now);
  return { ...group, members, unsynced: withoutItem(group.unsynced, event.member) };
};

/** Who is given nothing has an empty part; parts of who is no member go nowhere. */
function shareOut({ syncs, ...group }: CompletingRebalance, { assignments }: SyncEvent, turn: Turn): Stable {
  const parts = new Map(assignments.map(({ member, assignment }) => [member, assignment]));
  const shared = new Map(Array.from(group.members.keys(), (id) => [id, parts.get(id) ?? Buffer.alloc(0)]));
  const members = new Map<string, Member>();
  for (const [id, member] of group.members)
    members.set(id, syncs.has(id) ? { ...member, aliveUntil: turn.now + member.sessionTimeoutMs } : member);
  const next: Stable = { ...group, kind: "Stable", members, assignments: shared };
  for (const [id, call] of syncs) turn.answers.push({ to: "sync", call, result: synced(next, id) });
  return next;
}

function synced({ protocolType = "", protocol, assignments }: Stable, member: string): Synced {
  return { kind: "synced", protocolType, protocol, assignment: assignments.get(member) ?? Buffer.alloc(0) };
}

function wrongClaim(group: PreparingRebalance | CompletingRebalance | Stable, event: SyncEvent): GroupError | undefined {
  return wrongMember(group.members, event) ?? (event.generation === group.generation ? undefined : "ILLEGAL_GENERATION");
}

function wrongSync(group: CompletingRebalance | Stable, event: SyncEvent): GroupError | undefined {
  const { protocolType = group.protocolType, protocol = group.protocol } = event;
  const error = wrongClaim(group, event);
  if (error) return error;
  return protocolType === group.protocolType && protocol === group.protocol ? undefined : "INCONSISTENT_GROUP_PROTOCOL";
}

function refuse(group: Group, { call }: SyncEvent, error: GroupError, turn: Turn): Group {
  turn.answers.push({ to: "sync", call, result: { kind: "refused", error } });
  return group;
}
