/** Meeting a broker: which versions it speaks, who the client is, and which brokers there are. Members are named as the protocol's documentation names them. */
import { api, array, arrayOf, bool, bytes, int16, int32, int64, int8, nullableString, string } from "../api.ts";

export const apiVersions = api({
  key: 18,
  name: "ApiVersions",
  versions: [0, 4],
  flexibleFrom: 3,
  request: {
    clientSoftwareName: string({ from: 3 }),
    clientSoftwareVersion: string({ from: 3 }),
  },
  response: {
    errorCode: int16(),
    apiKeys: array({
      apiKey: int16(),
      minVersion: int16(),
      maxVersion: int16(),
    }),
    throttleTimeMs: int32({ from: 1, otherwise: 0 }),
  },
});

export const saslHandshake = api({
  key: 17,
  name: "SaslHandshake",
  versions: [0, 1],
  flexibleFrom: Infinity,
  request: {
    mechanism: string(),
  },
  response: {
    errorCode: int16(),
    mechanisms: arrayOf(string()),
  },
});

export const saslAuthenticate = api({
  key: 36,
  name: "SaslAuthenticate",
  versions: [0, 2],
  flexibleFrom: 2,
  request: {
    authBytes: bytes(),
  },
  response: {
    errorCode: int16(),
    errorMessage: nullableString(),
    authBytes: bytes(),
    sessionLifetimeMs: int64({ from: 1, otherwise: 0 }),
  },
});

export const describeCluster = api({
  key: 60,
  name: "DescribeCluster",
  versions: [0, 2],
  flexibleFrom: 0,
  request: {
    includeClusterAuthorizedOperations: bool(),
    endpointType: int8({ from: 1, otherwise: 1 }),
    includeFencedBrokers: bool({ from: 2 }),
  },
  response: {
    throttleTimeMs: int32({ otherwise: 0 }),
    errorCode: int16(),
    errorMessage: nullableString(),
    endpointType: int8({ from: 1, otherwise: 1 }),
    clusterId: string(),
    controllerId: int32({ otherwise: -1 }),
    brokers: array({
      brokerId: int32(),
      host: string(),
      port: int32(),
      rack: nullableString(),
      isFenced: bool({ from: 2 }),
    }),
    clusterAuthorizedOperations: int32({ otherwise: -2_147_483_648 }),
  },
});
