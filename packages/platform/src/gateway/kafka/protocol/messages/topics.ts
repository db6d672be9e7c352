/** Topics: which there are, making and removing them, and how they are configured. Members are named as the protocol's documentation names them. */
import { api, array, arrayOf, bool, int16, int32, int8, nullableArray, nullableString, string, uuid } from "../api.ts";

export const metadata = api({
  key: 3,
  name: "Metadata",
  versions: [0, 13],
  flexibleFrom: 9,
  request: {
    topics: nullableArray(
      {
        topicId: uuid({ from: 10 }),
        name: nullableString({ nullableFrom: 10 }),
      },
      { nullableFrom: 1 },
    ),
    allowAutoTopicCreation: bool({ from: 4, otherwise: true }),
    includeClusterAuthorizedOperations: bool({ from: 8, until: 10 }),
    includeTopicAuthorizedOperations: bool({ from: 8 }),
  },
  response: {
    throttleTimeMs: int32({ from: 3, otherwise: 0 }),
    brokers: array({
      nodeId: int32(),
      host: string(),
      port: int32(),
      rack: nullableString({ from: 1 }),
    }),
    clusterId: nullableString({ from: 2 }),
    controllerId: int32({ from: 1, otherwise: -1 }),
    topics: array({
      errorCode: int16(),
      name: nullableString({ nullableFrom: 12 }),
      topicId: uuid({ from: 10 }),
      isInternal: bool({ from: 1, otherwise: false }),
      partitions: array({
        errorCode: int16(),
        partitionIndex: int32(),
        leaderId: int32(),
        leaderEpoch: int32({ from: 7, otherwise: -1 }),
        replicaNodes: arrayOf(int32()),
        isrNodes: arrayOf(int32()),
        offlineReplicas: arrayOf(int32(), { from: 5 }),
      }),
      topicAuthorizedOperations: int32({ from: 8, otherwise: -2_147_483_648 }),
    }),
    clusterAuthorizedOperations: int32({ from: 8, until: 10, otherwise: -2_147_483_648 }),
    errorCode: int16({ from: 13 }),
  },
});

export const createTopics = api({
  key: 19,
  name: "CreateTopics",
  versions: [0, 7],
  flexibleFrom: 5,
  request: {
    topics: array({
      name: string(),
      numPartitions: int32(),
      replicationFactor: int16(),
      assignments: array({
        partitionIndex: int32(),
        brokerIds: arrayOf(int32()),
      }),
      configs: array({
        name: string(),
        value: nullableString(),
      }),
    }),
    timeoutMs: int32({ otherwise: 60_000 }),
    validateOnly: bool({ from: 1, otherwise: false }),
  },
  response: {
    throttleTimeMs: int32({ from: 2, otherwise: 0 }),
    topics: array({
      name: string(),
      topicId: uuid({ from: 7 }),
      errorCode: int16(),
      errorMessage: nullableString({ from: 1 }),
      numPartitions: int32({ from: 5, otherwise: -1 }),
      replicationFactor: int16({ from: 5, otherwise: -1 }),
      configs: nullableArray(
        {
          name: string(),
          value: nullableString(),
          readOnly: bool(),
          configSource: int8({ otherwise: -1 }),
          isSensitive: bool(),
        },
        { from: 5 },
      ),
    }),
  },
});

export const deleteTopics = api({
  key: 20,
  name: "DeleteTopics",
  versions: [0, 6],
  flexibleFrom: 4,
  request: {
    topics: array(
      {
        name: nullableString(),
        topicId: uuid(),
      },
      { from: 6 },
    ),
    topicNames: arrayOf(string(), { until: 5 }),
    timeoutMs: int32(),
  },
  response: {
    throttleTimeMs: int32({ from: 1, otherwise: 0 }),
    responses: array({
      name: nullableString({ nullableFrom: 6 }),
      topicId: uuid({ from: 6 }),
      errorCode: int16(),
      errorMessage: nullableString({ from: 5 }),
    }),
  },
});

export const createPartitions = api({
  key: 37,
  name: "CreatePartitions",
  versions: [0, 3],
  flexibleFrom: 2,
  request: {
    topics: array({
      name: string(),
      count: int32(),
      assignments: nullableArray({
        brokerIds: arrayOf(int32()),
      }),
    }),
    timeoutMs: int32(),
    validateOnly: bool(),
  },
  response: {
    throttleTimeMs: int32({ otherwise: 0 }),
    results: array({
      name: string(),
      errorCode: int16(),
      errorMessage: nullableString(),
    }),
  },
});
