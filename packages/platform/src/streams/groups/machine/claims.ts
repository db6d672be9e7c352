/** What a member says in passing: that it is alive, that it goes, that it wants to commit. */
import type { CommitEvent, GroupError, HeartbeatEvent, LeaveEvent, LeavingMember, MemberClaim, Turn } from "./events.ts";
import { withoutKeys } from "./group.ts";
import type { Empty, Group, Peopled } from "./group.ts";
import { heardOf, memberOfInstance, membersOf, wrongMember } from "./members.ts";
import { completeWhenAllJoined, withoutMembers } from "./rebalance.ts";

export function heartbeat(group: Peopled, event: HeartbeatEvent, turn: Turn): Group {
  const error = wrongClaim(group, event);
  // While others are waited for it is called to join; once it has joined, it is left alone until it has its part.
  const result = error ?? (group.kind === "PreparingRebalance" ? "REBALANCE_IN_PROGRESS" : undefined);
  const { call } = event;
  turn.answers.push({ to: "heartbeat", call, result: result ? { kind: "refused", error: result } : { kind: "alive" } });
  return error ? group : heard(group, event.member, turn);
}

/** One that is new may wait for longer than its session: that it is heard of must not shorten it. */
function heard(group: Peopled, member: string, { now }: Turn): Group {
  if (group.kind === "PreparingRebalance" && group.joins.get(member)?.isNew) return group;
  return { ...group, members: heardOf(group.members, member, now) };
}

export function leave(group: Empty | Peopled, { call, members: leaving }: LeaveEvent, turn: Turn): Group {
  const members = membersOf(group);
  const gone = new Set<string>();
  const notComing = new Set<string>();
  const told = leaving.map((each) => {
    const outcome = whoLeaves(group, each);
    if (outcome.kind === "refused") return { ...each, error: outcome.error };
    (members.has(outcome.id) ? gone : notComing).add(outcome.id);
    return each;
  });
  turn.answers.push({ to: "leave", call, result: { kind: "left", members: told } });
  if (gone.size + notComing.size === 0) return group;
  const left = { ...group, pending: withoutKeys(group.pending, notComing) };
  if (left.kind === "Empty") return left;
  const next = withoutMembers(left, gone, turn);
  // Nobody went, but somebody who was waited for will not come.
  return gone.size === 0 && next.kind === "PreparingRebalance" ? completeWhenAllJoined(next, turn) : next;
}

type Leaver = { readonly kind: "leaves"; readonly id: string } | { readonly kind: "refused"; readonly error: GroupError };

/** A static member is sent away by its instance's name alone. */
function whoLeaves(group: Empty | Peopled, leaving: LeavingMember): Leaver {
  const members = membersOf(group);
  if (leaving.member === "" && leaving.instance !== undefined) {
    const holder = memberOfInstance(members, leaving.instance);
    return holder ? { kind: "leaves", id: holder.id } : { kind: "refused", error: "UNKNOWN_MEMBER_ID" };
  }
  if (group.pending.has(leaving.member)) return { kind: "leaves", id: leaving.member };
  const error = wrongMember(members, leaving);
  return error ? { kind: "refused", error } : { kind: "leaves", id: leaving.member };
}

/** Whoever takes part in no group commits only while the group has no members. */
export function commitEmpty(group: Empty, event: CommitEvent, turn: Turn): Group {
  const isGroupless = event.generation < 0 && event.member === "" && event.instance === undefined;
  return settleCommit(group, event, isGroupless ? undefined : "UNKNOWN_MEMBER_ID", turn);
}

/** During a call to join, members still commit what they did in the generation that ends. */
export function commitPeopled(group: Peopled, event: CommitEvent, turn: Turn): Group {
  const error = wrongClaim(group, event);
  // It has joined, but has no part yet: what it did before is somebody else's now.
  const result = error ?? (group.kind === "CompletingRebalance" ? "REBALANCE_IN_PROGRESS" : undefined);
  return settleCommit(error ? group : heard(group, event.member, turn), event, result, turn);
}

function settleCommit(group: Group, { call }: CommitEvent, error: GroupError | undefined, turn: Turn): Group {
  turn.answers.push({ to: "commit", call, result: error ? { kind: "refused", error } : { kind: "allowed" } });
  return group;
}

function wrongClaim(group: Peopled, claim: MemberClaim): GroupError | undefined {
  return wrongMember(group.members, claim) ?? (claim.generation === group.generation ? undefined : "ILLEGAL_GENERATION");
}
