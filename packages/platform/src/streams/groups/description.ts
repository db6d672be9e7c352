import type { Group } from "./machine/group.ts";
import { membersOf, metadataOf } from "./machine/members.ts";
import type { GroupDescription } from "./requests.ts";

/** A group as whoever administrates it sees it. What members say of themselves holds only once they agree. */
export function describeGroup(name: string, group: Group): GroupDescription {
  const protocol = group.kind === "Stable" ? group.protocol : "";
  const members = Array.from(membersOf(group).values(), (member) => ({
    member: member.id,
    ...(member.instance === undefined ? {} : { instance: member.instance }),
    clientId: member.clientId,
    clientHost: member.clientHost,
    metadata: metadataOf(member, protocol),
    assignment: (group.kind === "Stable" ? group.assignments.get(member.id) : undefined) ?? Buffer.alloc(0),
  }));
  return { group: name, protocolType: group.protocolType ?? "", state: group.kind, protocol, members };
}
