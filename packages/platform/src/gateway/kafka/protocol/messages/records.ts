/** Records: putting them, reading them, and where in a partition they are. Members are named as the protocol's documentation names them. */
import { api, array, arrayOf, bigInt64, int16, int32, int64, int8, nullableArray, nullableString, records, string, uuid } from "../api.ts";

export const produce = api({
  key: 0,
  name: "Produce",
  versions: [3, 13],
  flexibleFrom: 9,
  request: {
    transactionalId: nullableString(),
    acks: int16(),
    timeoutMs: int32(),
    topicData: array({
      name: string({ until: 12 }),
      topicId: uuid({ from: 13 }),
      partitionData: array({
        index: int32(),
        records: records(),
      }),
    }),
  },
  response: {
    responses: array({
      name: string({ until: 12 }),
      topicId: uuid({ from: 13 }),
      partitionResponses: array({
        index: int32(),
        errorCode: int16(),
        baseOffset: int64(),
        logAppendTimeMs: int64({ otherwise: -1 }),
        logStartOffset: int64({ from: 5, otherwise: -1 }),
        recordErrors: array(
          {
            batchIndex: int32(),
            batchIndexErrorMessage: nullableString(),
          },
          { from: 8 },
        ),
        errorMessage: nullableString({ from: 8 }),
      }),
    }),
    throttleTimeMs: int32({ otherwise: 0 }),
  },
});

export const fetch = api({
  key: 1,
  name: "Fetch",
  versions: [4, 18],
  flexibleFrom: 12,
  request: {
    replicaId: int32({ until: 14, otherwise: -1 }),
    maxWaitMs: int32(),
    minBytes: int32(),
    maxBytes: int32({ otherwise: 2_147_483_647 }),
    isolationLevel: int8({ otherwise: 0 }),
    sessionId: int32({ from: 7, otherwise: 0 }),
    sessionEpoch: int32({ from: 7, otherwise: -1 }),
    topics: array({
      topic: string({ until: 12 }),
      topicId: uuid({ from: 13 }),
      partitions: array({
        partition: int32(),
        currentLeaderEpoch: int32({ from: 9, otherwise: -1 }),
        fetchOffset: int64(),
        lastFetchedEpoch: int32({ from: 12, otherwise: -1 }),
        logStartOffset: int64({ from: 5, otherwise: -1 }),
        partitionMaxBytes: int32(),
      }),
    }),
    forgottenTopicsData: array(
      {
        topic: string({ until: 12 }),
        topicId: uuid({ from: 13 }),
        partitions: arrayOf(int32()),
      },
      { from: 7 },
    ),
    rackId: string({ from: 11 }),
  },
  response: {
    throttleTimeMs: int32({ otherwise: 0 }),
    errorCode: int16({ from: 7 }),
    sessionId: int32({ from: 7, otherwise: 0 }),
    responses: array({
      topic: string({ until: 12 }),
      topicId: uuid({ from: 13 }),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        highWatermark: int64(),
        lastStableOffset: int64({ otherwise: -1 }),
        logStartOffset: int64({ from: 5, otherwise: -1 }),
        abortedTransactions: nullableArray({
          producerId: bigInt64(),
          firstOffset: int64(),
        }),
        preferredReadReplica: int32({ from: 11, otherwise: -1 }),
        records: records(),
      }),
    }),
  },
});

export const listOffsets = api({
  key: 2,
  name: "ListOffsets",
  versions: [1, 11],
  flexibleFrom: 6,
  request: {
    replicaId: int32(),
    isolationLevel: int8({ from: 2 }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        currentLeaderEpoch: int32({ from: 4, otherwise: -1 }),
        timestamp: int64(),
      }),
    }),
    timeoutMs: int32({ from: 10 }),
  },
  response: {
    throttleTimeMs: int32({ from: 2, otherwise: 0 }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        timestamp: int64({ otherwise: -1 }),
        offset: int64({ otherwise: -1 }),
        leaderEpoch: int32({ from: 4, otherwise: -1 }),
      }),
    }),
  },
});

export const offsetForLeaderEpoch = api({
  key: 23,
  name: "OffsetForLeaderEpoch",
  versions: [0, 4],
  flexibleFrom: 4,
  request: {
    replicaId: int32({ from: 3, otherwise: -2 }),
    topics: array({
      topic: string(),
      partitions: array({
        partition: int32(),
        currentLeaderEpoch: int32({ from: 2, otherwise: -1 }),
        leaderEpoch: int32(),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32({ from: 2, otherwise: 0 }),
    topics: array({
      topic: string(),
      partitions: array({
        errorCode: int16(),
        partition: int32(),
        leaderEpoch: int32({ from: 1, otherwise: -1 }),
        endOffset: int64({ otherwise: -1 }),
      }),
    }),
  },
});

export const deleteRecords = api({
  key: 21,
  name: "DeleteRecords",
  versions: [0, 2],
  flexibleFrom: 2,
  request: {
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        offset: int64(),
      }),
    }),
    timeoutMs: int32(),
  },
  response: {
    throttleTimeMs: int32({ otherwise: 0 }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        lowWatermark: int64(),
        errorCode: int16(),
      }),
    }),
  },
});

export const initProducerId = api({
  key: 22,
  name: "InitProducerId",
  versions: [0, 5],
  flexibleFrom: 2,
  request: {
    transactionalId: nullableString(),
    transactionTimeoutMs: int32(),
    producerId: bigInt64({ from: 3 }),
    producerEpoch: int16({ from: 3, otherwise: -1 }),
  },
  response: {
    throttleTimeMs: int32({ otherwise: 0 }),
    errorCode: int16(),
    producerId: bigInt64(),
    producerEpoch: int16(),
  },
});
