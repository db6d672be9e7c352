/** Consumer groups on the wire: membership. What the rules are is `streams/groups`'. */
import { route, type Call, type Route } from "../call.ts";
import { codeOf } from "../errors.ts";
import { findCoordinator, heartbeat, joinGroup, type KafkaErrorName, leaveGroup, syncGroup } from "../protocol/index.ts";
import { NODE_ID } from "../topics.ts";
import type { HandlerParts } from "./parts.ts";

/** Kinds of things that have a coordinator. */
const GROUP_KEY = 0;
/** First version that gives a member its id and has it come again with it. */
const MEMBER_ID_REQUIRED_FROM = 4;
/** First version that tells a leader that there is nothing to share out. */
const SKIP_ASSIGNMENT_FROM = 9;
const NO_BYTES = Buffer.alloc(0);

/** `instance` as the groups take it: absent where there is none. */
export function instanceOf(groupInstanceId: string | null): { readonly instance?: string } {
  return groupInstanceId === null ? {} : { instance: groupInstanceId };
}

/** Whether a client may take part in a group. */
export function mayJoin(call: Call, group: string): boolean {
  return call.may("AlterGroup", "group", group);
}

/** Routes of the APIs that members of a group use. */
export function groupRoutes(parts: HandlerParts): readonly Route[] {
  return [findCoordinatorRoute(), joinRoute(parts), syncRoute(parts), heartbeatRoute(parts), leaveRoute(parts)];
}

/** There is one broker, so it coordinates every group. Nobody coordinates transactions, which ends the clients that ask for them. */
function findCoordinatorRoute(): Route {
  return route(findCoordinator, ({ key, keyType, coordinatorKeys }, call) => {
    const errorOf = (name: string): KafkaErrorName | undefined => {
      if (keyType !== GROUP_KEY) return "TRANSACTIONAL_ID_AUTHORIZATION_FAILED";
      return call.may("DescribeGroup", "group", name) ? undefined : "GROUP_AUTHORIZATION_FAILED";
    };
    const told = (name: string) => {
      const error = errorOf(name);
      const errorMessage = error === "TRANSACTIONAL_ID_AUTHORIZATION_FAILED" ? "Transactions are not built in Lambent." : null;
      const place = error ? { nodeId: -1, host: "", port: -1 } : { nodeId: NODE_ID, ...call.broker };
      return { key: name, errorCode: codeOf(error), errorMessage, ...place };
    };
    return { ...told(key), coordinators: coordinatorKeys.map(told) };
  });
}

function joinRoute({ groups }: HandlerParts): Route {
  return route(joinGroup, async (request, call) => {
    const { groupId, memberId, groupInstanceId, protocolType, protocols, sessionTimeoutMs, rebalanceTimeoutMs } = request;
    const refused = (error: KafkaErrorName, member: string) => ({ errorCode: codeOf(error), leader: "", memberId: member, members: [] });
    if (!mayJoin(call, groupId)) return refused("GROUP_AUTHORIZATION_FAILED", memberId);
    const result = await groups.join(call.realm, {
      group: groupId,
      member: memberId,
      ...instanceOf(groupInstanceId),
      clientId: call.clientId,
      clientHost: call.clientHost,
      sessionTimeoutMs,
      rebalanceTimeoutMs,
      protocolType,
      protocols: protocols.map(({ name, metadata }) => ({ name, metadata: asBuffer(metadata) })),
      memberIdRequired: call.version >= MEMBER_ID_REQUIRED_FROM,
      canSkipAssignment: call.version >= SKIP_ASSIGNMENT_FROM,
    });
    if (result.kind === "refused") return refused(result.error, result.member);
    return {
      errorCode: 0,
      generationId: result.generation,
      protocolType: result.protocolType,
      protocolName: result.protocol,
      leader: result.leader,
      skipAssignment: result.skipAssignment,
      memberId: result.member,
      members: result.members.map(({ member, instance, metadata }) => ({ memberId: member, groupInstanceId: instance ?? null, metadata })),
    };
  });
}

function syncRoute({ groups }: HandlerParts): Route {
  return route(syncGroup, async (request, call) => {
    const { groupId, generationId, memberId, groupInstanceId, protocolType, protocolName, assignments } = request;
    if (!mayJoin(call, groupId)) return { errorCode: codeOf("GROUP_AUTHORIZATION_FAILED"), assignment: NO_BYTES };
    const result = await groups.sync(call.realm, {
      group: groupId,
      generation: generationId,
      member: memberId,
      ...instanceOf(groupInstanceId),
      ...(protocolType === null ? {} : { protocolType }),
      ...(protocolName === null ? {} : { protocol: protocolName }),
      assignments: assignments.map((each) => ({ member: each.memberId, assignment: asBuffer(each.assignment) })),
    });
    if (result.kind === "refused") return { errorCode: codeOf(result.error), assignment: NO_BYTES };
    return { errorCode: 0, protocolType: result.protocolType, protocolName: result.protocol, assignment: result.assignment };
  });
}

function heartbeatRoute({ groups }: HandlerParts): Route {
  return route(heartbeat, async ({ groupId, generationId, memberId, groupInstanceId }, call) => {
    if (!mayJoin(call, groupId)) return { errorCode: codeOf("GROUP_AUTHORIZATION_FAILED") };
    const claim = { generation: generationId, member: memberId, ...instanceOf(groupInstanceId) };
    const result = await groups.heartbeat(call.realm, { group: groupId, ...claim });
    return { errorCode: codeOf(result.kind === "refused" ? result.error : undefined) };
  });
}

/** Versions before the third name one member, and have no place for the error of each. */
function leaveRoute({ groups }: HandlerParts): Route {
  return route(leaveGroup, async ({ groupId, memberId, members }, call) => {
    if (!mayJoin(call, groupId)) return { errorCode: codeOf("GROUP_AUTHORIZATION_FAILED") };
    const isOne = call.version < 3;
    const leaving = isOne
      ? [{ member: memberId }]
      : members.map((each) => ({ member: each.memberId, ...instanceOf(each.groupInstanceId) }));
    const result = await groups.leave(call.realm, { group: groupId, members: leaving });
    if (result.kind === "refused") return { errorCode: codeOf(result.error) };
    if (isOne) return { errorCode: codeOf(result.members[0]?.error) };
    const told = result.members.map(({ member, instance, error }) => ({
      memberId: member,
      groupInstanceId: instance ?? null,
      errorCode: codeOf(error),
    }));
    return { errorCode: 0, members: told };
  });
}

/** Bytes of a frame are buffers already; the types of the protocol do not say so. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
