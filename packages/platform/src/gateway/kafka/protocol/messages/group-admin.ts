/** Consumer groups as an administrator sees them. Members are named as the protocol's documentation names them. */
import { api, array, arrayOf, bool, bytes, int16, int32, nullableString, string } from "../api.ts";

export const describeGroups = api({
  key: 15,
  name: "DescribeGroups",
  versions: [0, 6],
  flexibleFrom: 5,
  request: {
    groups: arrayOf(string()),
    includeAuthorizedOperations: bool({ from: 3 }),
  },
  response: {
    throttleTimeMs: int32({ from: 1, otherwise: 0 }),
    groups: array({
      errorCode: int16(),
      errorMessage: nullableString({ from: 6 }),
      groupId: string(),
      groupState: string(),
      protocolType: string(),
      protocolData: string(),
      members: array({
        memberId: string(),
        groupInstanceId: nullableString({ from: 4 }),
        clientId: string(),
        clientHost: string(),
        memberMetadata: bytes(),
        memberAssignment: bytes(),
      }),
      authorizedOperations: int32({ from: 3, otherwise: -2_147_483_648 }),
    }),
  },
});

export const listGroups = api({
  key: 16,
  name: "ListGroups",
  versions: [0, 5],
  flexibleFrom: 3,
  request: {
    statesFilter: arrayOf(string(), { from: 4 }),
    typesFilter: arrayOf(string(), { from: 5 }),
  },
  response: {
    throttleTimeMs: int32({ from: 1, otherwise: 0 }),
    errorCode: int16(),
    groups: array({
      groupId: string(),
      protocolType: string(),
      groupState: string({ from: 4 }),
      groupType: string({ from: 5 }),
    }),
  },
});

export const deleteGroups = api({
  key: 42,
  name: "DeleteGroups",
  versions: [0, 2],
  flexibleFrom: 2,
  request: {
    groupsNames: arrayOf(string()),
  },
  response: {
    throttleTimeMs: int32({ otherwise: 0 }),
    results: array({
      groupId: string(),
      errorCode: int16(),
    }),
  },
});
