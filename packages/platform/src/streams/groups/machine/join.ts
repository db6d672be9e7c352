/** A member asks to take part: one that is new, one that had an id given, one that comes again, or a static one's next process. */
import { unreachable } from "../../../base/index.ts";
import type { GroupError, JoinEvent, Turn } from "./events.ts";
import { withEntry, withoutKeys } from "./group.ts";
import type { CompletingRebalance, Empty, Group, Member, Peopled, PreparingRebalance, Stable } from "./group.ts";
import { bytesOf, fits, heardOf, memberBytes, memberOfInstance, membersOf, saysTheSame, selectProtocol, wrongMember } from "./members.ts";
import { completeWhenAllJoined, everybody, initialRebalance, joined, prepareRebalance } from "./rebalance.ts";

type Living = Empty | Peopled;

type Comer =
  | { readonly kind: "refused"; readonly error: GroupError }
  /** It is given an id and comes again with it. */
  | { readonly kind: "toCome" }
  | { readonly kind: "new"; readonly id: string }
  | { readonly kind: "known"; readonly member: Member }
  /** The next process of a static member. */
  | { readonly kind: "successor"; readonly of: Member };

export function joinEmpty(group: Empty, event: JoinEvent, turn: Turn): Group {
  const comer = whoComes(group, event, turn);
  switch (comer.kind) {
    case "refused":
      return refuse(group, event, comer.error, turn);
    case "toCome":
      return giveId(group, event, turn);
    case "new": {
      const { generation } = group;
      const members = new Map([[comer.id, newMember(comer.id, event, turn)]]);
      const joins = new Map([[comer.id, { call: event.call, isNew: true }]]);
      const pending = withoutKeys(group.pending, [comer.id]);
      return initialRebalance({ generation, protocolType: event.protocolType, pending, members, joins }, turn.limits, turn);
    }
    case "known":
    case "successor":
      return unreachable("an empty group knows no member");
  }
}

export function joinPreparing(group: PreparingRebalance, event: JoinEvent, turn: Turn): Group {
  const comer = whoComes(group, event, turn);
  switch (comer.kind) {
    case "refused":
      return refuse(group, event, comer.error, turn);
    case "toCome":
      return giveId(group, event, turn);
    case "new": {
      const grown = withComer(group, newMember(comer.id, event, turn));
      const wait = group.wait.kind === "initial" ? { ...group.wait, grew: true } : group.wait;
      // All others may have left while the first ones were waited for.
      const protocolType = group.members.size === 0 ? event.protocolType : group.protocolType;
      return joinedOneMore({ ...grown, protocolType, wait }, comer.id, event, true, turn);
    }
    case "known":
      return joinedOneMore(
        withComer(group, sameMember(comer.member, event)),
        comer.member.id,
        event,
        group.joins.get(comer.member.id)?.isNew ?? false,
        turn,
      );
    case "successor":
      return joinedOneMore(succeed(group, comer.of, event, turn), event.newMember, event, false, turn);
  }
}

export function joinCompleting(group: CompletingRebalance, event: JoinEvent, turn: Turn): Group {
  const comer = whoComes(group, event, turn);
  // It lost the answer.
  if (comer.kind === "known" && saysTheSame(comer.member, event)) return tellAgain(group, comer.member, event, turn);
  return rebalanceFor(group, comer, event, turn);
}

export function joinStable(group: Stable, event: JoinEvent, turn: Turn): Group {
  const comer = whoComes(group, event, turn);
  // The leader comes again when it sees that there is something else to share out: partitions were added.
  if (comer.kind === "known" && comer.member.id !== group.leader && saysTheSame(comer.member, event))
    return tellAgain(group, comer.member, event, turn);
  if (comer.kind === "successor") {
    const next = succeed(group, comer.of, event, turn);
    if (selectProtocol(next.members) === group.protocol) return takeOver(group, next, comer.of, event, turn);
  }
  return rebalanceFor(group, comer, event, turn);
}

function rebalanceFor(group: CompletingRebalance | Stable, comer: Comer, event: JoinEvent, turn: Turn): Group {
  switch (comer.kind) {
    case "refused":
      return refuse(group, event, comer.error, turn);
    case "toCome":
      return giveId(group, event, turn);
    case "new":
      return callOthers(withComer(group, newMember(comer.id, event, turn)), comer.id, event, true, turn);
    case "known":
      return callOthers(withComer(group, sameMember(comer.member, event)), comer.member.id, event, false, turn);
    case "successor":
      return callOthers(succeed(group, comer.of, event, turn), event.newMember, event, false, turn);
  }
}

function whoComes(group: Living, event: JoinEvent, turn: Turn): Comer {
  const members = membersOf(group);
  const { member, instance } = event;
  if (member === "" && instance !== undefined) {
    const before = memberOfInstance(members, instance);
    if (before) return admitted(group, event, turn, before.id) ?? { kind: "successor", of: before };
  } else if (member !== "" && !(group.pending.has(member) && instance === undefined)) {
    const error = wrongMember(members, event);
    if (error) return { kind: "refused", error };
    return admitted(group, event, turn, member) ?? { kind: "known", member: members.get(member) ?? unreachable("it was found") };
  }
  const refused = admitted(group, event, turn, undefined);
  if (refused) return refused;
  if (member === "" && instance === undefined && event.memberIdRequired) return { kind: "toCome" };
  return { kind: "new", id: member === "" ? event.newMember : member };
}

/** Undefined for one that may take part; `instead` is who it is, or takes the place of. */
function admitted(group: Living, event: JoinEvent, { limits }: Turn, instead: string | undefined): Comer | undefined {
  const { size } = membersOf(group);
  const isPending = group.pending.has(event.member);
  if (instead === undefined && !isPending && size + group.pending.size >= limits.membersMax)
    return { kind: "refused", error: "GROUP_MAX_SIZE_REACHED" };
  if (!fits(group, event, instead)) return { kind: "refused", error: "INCONSISTENT_GROUP_PROTOCOL" };
  const before = instead === undefined ? undefined : membersOf(group).get(instead);
  const bytes = bytesOf(group) - (before ? memberBytes(before) : 0) + memberBytes(event);
  return bytes > limits.bytesMax ? { kind: "refused", error: "GROUP_MAX_SIZE_REACHED" } : undefined;
}

function refuse(group: Group, { call, member }: JoinEvent, error: GroupError, turn: Turn): Group {
  turn.answers.push({ to: "join", call, result: { kind: "refused", error, member } });
  return group;
}

function giveId<G extends Living>(group: G, { call, newMember: id, sessionTimeoutMs }: JoinEvent, turn: Turn): G {
  turn.answers.push({ to: "join", call, result: { kind: "refused", error: "MEMBER_ID_REQUIRED", member: id } });
  return { ...group, pending: withEntry(group.pending, id, turn.now + sessionTimeoutMs) };
}

function newMember(id: string, event: JoinEvent, { now, limits }: Turn): Member {
  return { ...said(event), id, instance: event.instance, aliveUntil: now + limits.newMemberWaitMs };
}

function sameMember(member: Member, event: JoinEvent): Member {
  return { ...member, ...said(event) };
}

function said({
  clientId,
  clientHost,
  sessionTimeoutMs,
  rebalanceTimeoutMs,
  protocols,
}: JoinEvent): Omit<Member, "id" | "instance" | "aliveUntil"> {
  return { clientId, clientHost, sessionTimeoutMs, rebalanceTimeoutMs, protocols };
}

function withComer<G extends Peopled>(group: G, member: Member): G {
  return { ...group, members: withEntry(group.members, member.id, member), pending: withoutKeys(group.pending, [member.id]) };
}

/** The new process has another id; what the old one waits for ends, and it hears that it is fenced off. */
function succeed<G extends Peopled>(group: G, before: Member, event: JoinEvent, turn: Turn): G {
  const after: Member = { ...sameMember(before, event), id: event.newMember, aliveUntil: turn.now + event.sessionTimeoutMs };
  const members = new Map<string, Member>();
  for (const [id, member] of group.members) members.set(id === before.id ? after.id : id, id === before.id ? after : member);
  const next = { ...group, members };
  const error = "FENCED_INSTANCE_ID";
  if (group.kind === "PreparingRebalance") {
    const waiting = group.joins.get(before.id);
    if (waiting) turn.answers.push({ to: "join", call: waiting.call, result: { kind: "refused", error, member: before.id } });
    const leader = group.leader === before.id ? after.id : group.leader;
    return { ...next, leader, joins: withoutKeys(group.joins, [before.id]) };
  }
  const leader = group.leader === before.id ? after.id : group.leader;
  if (group.kind === "Stable") return { ...next, leader };
  const waiting = group.syncs.get(before.id);
  if (waiting !== undefined) turn.answers.push({ to: "sync", call: waiting, result: { kind: "refused", error } });
  return { ...next, leader, syncs: withoutKeys(group.syncs, [before.id]) };
}

/**
 * A static member's next process gets its part without a rebalance. Where it led and does not understand that there is
 * nothing to share out, it is told that its former self leads.
 */
function takeOver(group: Stable, next: Stable, before: Member, event: JoinEvent, turn: Turn): Group {
  const id = event.newMember;
  const isLeader = group.leader === before.id;
  const result = joined(next, id);
  const told = !isLeader
    ? result
    : event.canSkipAssignment
      ? { ...result, skipAssignment: true, members: everybody(next) }
      : { ...result, leader: before.id, members: [] };
  turn.answers.push({ to: "join", call: event.call, result: told });
  const assignments = new Map(group.assignments).set(id, group.assignments.get(before.id) ?? Buffer.alloc(0));
  assignments.delete(before.id);
  const unsynced = new Set([...group.unsynced].map((each) => (each === before.id ? id : each)));
  return { ...next, assignments, unsynced };
}

function joinedOneMore(group: PreparingRebalance, id: string, { call }: JoinEvent, isNew: boolean, turn: Turn): Group {
  const before = group.joins.get(id);
  // The same member asks again: nobody waits for its first call any more.
  if (before) turn.answers.push({ to: "join", call: before.call, result: { kind: "refused", error: "REBALANCE_IN_PROGRESS", member: id } });
  return completeWhenAllJoined({ ...group, joins: withEntry(group.joins, id, { call, isNew }) }, turn);
}

function callOthers(group: CompletingRebalance | Stable, id: string, { call }: JoinEvent, isNew: boolean, turn: Turn): Group {
  return prepareRebalance(group, turn, new Map([[id, { call, isNew }]]));
}

function tellAgain<G extends CompletingRebalance | Stable>(group: G, { id }: Member, { call }: JoinEvent, turn: Turn): G {
  turn.answers.push({ to: "join", call, result: joined(group, id) });
  return { ...group, members: heardOf(group.members, id, turn.now) };
}
