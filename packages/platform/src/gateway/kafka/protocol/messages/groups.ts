/** Consumer groups: their members, and the offsets that they committed. Members are named as the protocol's documentation names them. */
import { api, array, arrayOf, bool, bytes, int16, int32, int64, int8, nullableArray, nullableString, string } from "../api.ts";

export const findCoordinator = api({
  key: 10,
  name: "FindCoordinator",
  versions: [0, 6],
  flexibleFrom: 3,
  request: {
    key: string({ until: 3 }),
    keyType: int8({ from: 1, otherwise: 0 }),
    coordinatorKeys: arrayOf(string(), { from: 4 }),
  },
  response: {
    throttleTimeMs: int32({ from: 1, otherwise: 0 }),
    errorCode: int16({ until: 3 }),
    errorMessage: nullableString({ from: 1, until: 3 }),
    nodeId: int32({ until: 3 }),
    host: string({ until: 3 }),
    port: int32({ until: 3 }),
    coordinators: array(
      {
        key: string(),
        nodeId: int32(),
        host: string(),
        port: int32(),
        errorCode: int16(),
        errorMessage: nullableString(),
      },
      { from: 4 },
    ),
  },
});

export const joinGroup = api({
  key: 11,
  name: "JoinGroup",
  versions: [0, 9],
  flexibleFrom: 6,
  request: {
    groupId: string(),
    sessionTimeoutMs: int32(),
    rebalanceTimeoutMs: int32({ from: 1, otherwise: -1 }),
    memberId: string(),
    groupInstanceId: nullableString({ from: 5 }),
    protocolType: string(),
    protocols: array({
      name: string(),
      metadata: bytes(),
    }),
    reason: nullableString({ from: 8 }),
  },
  response: {
    throttleTimeMs: int32({ from: 2, otherwise: 0 }),
    errorCode: int16(),
    generationId: int32({ otherwise: -1 }),
    protocolType: nullableString({ from: 7 }),
    protocolName: nullableString({ nullableFrom: 7 }),
    leader: string(),
    skipAssignment: bool({ from: 9, otherwise: false }),
    memberId: string(),
    members: array({
      memberId: string(),
      groupInstanceId: nullableString({ from: 5 }),
      metadata: bytes(),
    }),
  },
});

export const syncGroup = api({
  key: 14,
  name: "SyncGroup",
  versions: [0, 5],
  flexibleFrom: 4,
  request: {
    groupId: string(),
    generationId: int32(),
    memberId: string(),
    groupInstanceId: nullableString({ from: 3 }),
    protocolType: nullableString({ from: 5 }),
    protocolName: nullableString({ from: 5 }),
    assignments: array({
      memberId: string(),
      assignment: bytes(),
    }),
  },
  response: {
    throttleTimeMs: int32({ from: 1, otherwise: 0 }),
    errorCode: int16(),
    protocolType: nullableString({ from: 5 }),
    protocolName: nullableString({ from: 5 }),
    assignment: bytes(),
  },
});

export const heartbeat = api({
  key: 12,
  name: "Heartbeat",
  versions: [0, 4],
  flexibleFrom: 4,
  request: {
    groupId: string(),
    generationId: int32(),
    memberId: string(),
    groupInstanceId: nullableString({ from: 3 }),
  },
  response: {
    throttleTimeMs: int32({ from: 1, otherwise: 0 }),
    errorCode: int16(),
  },
});

export const leaveGroup = api({
  key: 13,
  name: "LeaveGroup",
  versions: [0, 5],
  flexibleFrom: 4,
  request: {
    groupId: string(),
    memberId: string({ until: 2 }),
    members: array(
      {
        memberId: string(),
        groupInstanceId: nullableString(),
        reason: nullableString({ from: 5 }),
      },
      { from: 3 },
    ),
  },
  response: {
    throttleTimeMs: int32({ from: 1, otherwise: 0 }),
    errorCode: int16(),
    members: array(
      {
        memberId: string(),
        groupInstanceId: nullableString(),
        errorCode: int16(),
      },
      { from: 3 },
    ),
  },
});

export const offsetCommit = api({
  key: 8,
  name: "OffsetCommit",
  versions: [2, 9],
  flexibleFrom: 8,
  request: {
    groupId: string(),
    generationIdOrMemberEpoch: int32({ otherwise: -1 }),
    memberId: string(),
    groupInstanceId: nullableString({ from: 7 }),
    retentionTimeMs: int64({ until: 4, otherwise: -1 }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        committedOffset: int64(),
        committedLeaderEpoch: int32({ from: 6, otherwise: -1 }),
        committedMetadata: nullableString(),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32({ from: 3, otherwise: 0 }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
      }),
    }),
  },
});

export const offsetFetch = api({
  key: 9,
  name: "OffsetFetch",
  versions: [1, 9],
  flexibleFrom: 6,
  request: {
    groupId: string({ until: 7 }),
    topics: nullableArray(
      {
        name: string(),
        partitionIndexes: arrayOf(int32()),
      },
      { until: 7, nullableFrom: 2 },
    ),
    groups: array(
      {
        groupId: string(),
        memberId: nullableString({ from: 9 }),
        memberEpoch: int32({ from: 9, otherwise: -1 }),
        topics: nullableArray({
          name: string(),
          partitionIndexes: arrayOf(int32()),
        }),
      },
      { from: 8 },
    ),
    requireStable: bool({ from: 7, otherwise: false }),
  },
  response: {
    throttleTimeMs: int32({ from: 3, otherwise: 0 }),
    topics: array(
      {
        name: string(),
        partitions: array({
          partitionIndex: int32(),
          committedOffset: int64(),
          committedLeaderEpoch: int32({ from: 5, otherwise: -1 }),
          metadata: nullableString(),
          errorCode: int16(),
        }),
      },
      { until: 7 },
    ),
    errorCode: int16({ from: 2, until: 7, otherwise: 0 }),
    groups: array(
      {
        groupId: string(),
        topics: array({
          name: string(),
          partitions: array({
            partitionIndex: int32(),
            committedOffset: int64(),
            committedLeaderEpoch: int32({ otherwise: -1 }),
            metadata: nullableString(),
            errorCode: int16(),
          }),
        }),
        errorCode: int16({ otherwise: 0 }),
      },
      { from: 8 },
    ),
  },
});

export const offsetDelete = api({
  key: 47,
  name: "OffsetDelete",
  versions: [0, 0],
  flexibleFrom: Infinity,
  request: {
    groupId: string(),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
      }),
    }),
  },
  response: {
    errorCode: int16(),
    throttleTimeMs: int32({ otherwise: 0 }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
      }),
    }),
  },
});
