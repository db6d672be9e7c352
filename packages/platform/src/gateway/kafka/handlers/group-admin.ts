/** Consumer groups as an administrator sees them. */
import { LambentError } from "../../../base/index.ts";
import { type Call, route, type Route } from "../call.ts";
import { codeOf } from "../errors.ts";
import { deleteGroups, describeGroups, type Encodable, listGroups } from "../protocol/index.ts";
import type { HandlerParts } from "./parts.ts";

/** Groups that one request describes or removes. @limit */
export const ADMIN_GROUPS_MAX = 1_000;
/** The only kind of group there is: members share partitions out among themselves. */
const GROUP_TYPE = "classic";
/** First version that tells a group that is not there from one without members. */
const NOT_FOUND_FROM = 6;
const NO_BYTES = Buffer.alloc(0);

type DescribedGroup = Encodable<typeof describeGroups.response>["groups"][number];

/** Routes of DescribeGroups, ListGroups and DeleteGroups. */
export function groupAdminRoutes(parts: HandlerParts): readonly Route[] {
  return [
    route(describeGroups, ({ groups }, call) => {
      checkCount(groups.length);
      return { groups: groups.map((group) => describe(parts, group, call)) };
    }),
    route(listGroups, ({ statesFilter, typesFilter }, call) => ({
      errorCode: 0,
      groups: list(parts, { statesFilter, typesFilter }, call),
    })),
    route(deleteGroups, async ({ groupsNames }, call) => {
      checkCount(groupsNames.length);
      return { results: await Promise.all(groupsNames.map((group) => remove(parts, group, call))) };
    }),
  ];
}

function checkCount(count: number): void {
  if (count > ADMIN_GROUPS_MAX) throw new LambentError("RequestTooLarge", `${count} groups at once; ${ADMIN_GROUPS_MAX} are allowed.`);
}

function describe({ groups }: HandlerParts, groupId: string, call: Call): DescribedGroup {
  const nothing = { groupId, groupState: "", protocolType: "", protocolData: "", members: [] };
  if (!call.may("DescribeGroup", "group", groupId)) return { ...nothing, errorCode: codeOf("GROUP_AUTHORIZATION_FAILED") };
  const found = groups.describe(call.realm, groupId);
  if (!found) {
    const errorCode = call.version >= NOT_FOUND_FROM ? codeOf("GROUP_ID_NOT_FOUND") : 0;
    return { ...nothing, errorCode, errorMessage: `There is no group ${groupId}.`, groupState: "Dead" };
  }
  return {
    errorCode: 0,
    groupId,
    groupState: found.state,
    protocolType: found.protocolType,
    protocolData: found.protocol,
    members: found.members.map(({ member, instance, clientId, clientHost, metadata, assignment }) => ({
      memberId: member,
      groupInstanceId: instance ?? null,
      clientId,
      clientHost: `/${clientHost}`,
      memberMetadata: metadata ?? NO_BYTES,
      memberAssignment: assignment ?? NO_BYTES,
    })),
  };
}

/** An empty filter lets all pass. */
function list(
  { groups }: HandlerParts,
  filters: { readonly statesFilter: readonly string[]; readonly typesFilter: readonly string[] },
  call: Call,
) {
  const passes = (filter: readonly string[], value: string): boolean =>
    filter.length === 0 || filter.some((each) => each.toLowerCase() === value.toLowerCase());
  if (!passes(filters.typesFilter, GROUP_TYPE)) return [];
  return groups
    .list(call.realm)
    .filter(({ group, state }) => passes(filters.statesFilter, state) && call.may("DescribeGroup", "group", group))
    .map(({ group, protocolType, state }) => ({ groupId: group, protocolType, groupState: state, groupType: GROUP_TYPE }));
}

async function remove({ groups }: HandlerParts, groupId: string, call: Call) {
  if (!call.may("DeleteGroup", "group", groupId)) return { groupId, errorCode: codeOf("GROUP_AUTHORIZATION_FAILED") };
  const result = await groups.remove(call.realm, groupId);
  return { groupId, errorCode: codeOf(result.kind === "refused" ? result.error : undefined) };
}
