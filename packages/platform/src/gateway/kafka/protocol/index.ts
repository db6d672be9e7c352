/** Kafka's wire protocol: messages as tables, and what reads and writes them. Pure. */
export type { Api } from "./api.ts";
export type { Decoded, Encodable, Field, Fields } from "./fields.ts";
export { MESSAGE_ELEMENTS_MAX, Reader, STRING_BYTES_MAX } from "./reader.ts";
export { Writer } from "./writer.ts";
export { readRequestHeader, writeRequestHeader, writeResponseHeader } from "./headers.ts";
export type { RequestHeader } from "./headers.ts";
export { KAFKA_ERRORS } from "./error-codes.ts";
export type { KafkaErrorName } from "./error-codes.ts";
export { API_RANGES, SUPPORTED_APIS } from "./supported-apis.ts";
export type { ApiRange } from "./supported-apis.ts";
export { alterConfigs, describeConfigs, incrementalAlterConfigs } from "./messages/configs.ts";
export { apiVersions, describeCluster, saslAuthenticate, saslHandshake } from "./messages/connection.ts";
export { deleteGroups, describeGroups, listGroups } from "./messages/group-admin.ts";
export {
  findCoordinator,
  heartbeat,
  joinGroup,
  leaveGroup,
  offsetCommit,
  offsetDelete,
  offsetFetch,
  syncGroup,
} from "./messages/groups.ts";
export { deleteRecords, fetch, initProducerId, listOffsets, offsetForLeaderEpoch, produce } from "./messages/records.ts";
export { createPartitions, createTopics, deleteTopics, metadata } from "./messages/topics.ts";
