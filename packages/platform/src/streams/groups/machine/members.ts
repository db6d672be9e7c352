/** Questions about the members of a group. */
import type { GroupError, LeavingMember } from "./events.ts";
import type { Group, Member, Members, Peopled } from "./group.ts";

const NOBODY: Members = new Map();

/** The members of a group, in any phase. */
export function membersOf(group: Group): Members {
  return isPeopled(group) ? group.members : NOBODY;
}

export function isPeopled(group: Group): group is Peopled {
  return group.kind !== "Empty" && group.kind !== "Dead";
}

/** What is wrong with who somebody says it is. A static member whose place another process has taken is fenced off. */
export function wrongMember(members: Members, { member, instance }: LeavingMember): GroupError | undefined {
  if (instance !== undefined) {
    const holder = memberOfInstance(members, instance);
    if (holder && holder.id !== member) return "FENCED_INSTANCE_ID";
    if (!holder) return "UNKNOWN_MEMBER_ID";
  }
  return members.has(member) ? undefined : "UNKNOWN_MEMBER_ID";
}

export function memberOfInstance(members: Members, instance: string): Member | undefined {
  for (const member of members.values()) if (member.instance === instance) return member;
  return undefined;
}

/** The protocols all know, as a set of names. There is always one: who would leave none is not let in. */
function commonProtocols(members: Iterable<Member>): Set<string> {
  let common: Set<string> | undefined;
  for (const { protocols } of members) {
    const names = new Set(protocols.map(({ name }) => name));
    common = common === undefined ? names : common.intersection(names);
  }
  return common ?? new Set();
}

/** True when one with these protocols leaves a protocol that all know; `instead` is who it takes the place of. */
export function fits(
  group: Group,
  wanted: Pick<Member, "protocols"> & { readonly protocolType: string },
  instead: string | undefined,
): boolean {
  if (wanted.protocolType === "" || wanted.protocols.length === 0) return false;
  const others = [...membersOf(group).values()].filter(({ id }) => id !== instead);
  if (others.length === 0) return true;
  const common = commonProtocols(others);
  return group.protocolType === wanted.protocolType && wanted.protocols.some(({ name }) => common.has(name));
}

/** Each votes for the one it likes best of those that all know; of equal ones the one that was voted for first. */
export function selectProtocol(members: Members): string {
  const common = commonProtocols(members.values());
  const votes = new Map<string, number>();
  for (const { protocols } of members.values()) {
    const choice = protocols.find(({ name }) => common.has(name));
    if (choice) votes.set(choice.name, (votes.get(choice.name) ?? 0) + 1);
  }
  const most = Math.max(...votes.values());
  return [...votes].find(([, count]) => count === most)?.[0] ?? "";
}

/** What a member says of itself for a protocol. */
export function metadataOf(member: Member, protocol: string): Buffer {
  return member.protocols.find(({ name }) => name === protocol)?.metadata ?? NOTHING;
}
const NOTHING = Buffer.alloc(0);

/** True when a member says the same of itself as before. */
export function saysTheSame(before: Pick<Member, "protocols">, after: Pick<Member, "protocols">): boolean {
  return (
    before.protocols.length === after.protocols.length &&
    before.protocols.every((protocol, index) => {
      const other = after.protocols[index];
      return other?.name === protocol.name && other.metadata.equals(protocol.metadata);
    })
  );
}

/** The longest time a member wants to be waited for. */
export function longestRebalance(members: Members): number {
  return Math.max(0, ...Array.from(members.values(), ({ rebalanceTimeoutMs }) => rebalanceTimeoutMs));
}

/** Bytes of what the members said of themselves, and of their parts. */
export function bytesOf(group: Group): number {
  let bytes = 0;
  for (const member of membersOf(group).values()) bytes += memberBytes(member);
  if (group.kind === "Stable") for (const assignment of group.assignments.values()) bytes += assignment.length;
  return bytes;
}

/** What a member weighs in bounds. */
export function memberBytes({ protocols }: Pick<Member, "protocols">): number {
  return protocols.reduce((sum, { name, metadata }) => sum + name.length + metadata.length, 0);
}

/** The same members, one of them heard of just now. */
export function heardOf(members: Members, id: string, now: number): Members {
  const member = members.get(id);
  return member ? new Map(members).set(id, { ...member, aliveUntil: now + member.sessionTimeoutMs }) : members;
}
