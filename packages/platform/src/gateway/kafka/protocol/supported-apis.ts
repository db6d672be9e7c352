/** Every API that is answered, with its versions: from this one table come the answer to ApiVersions and the table of docs/kafka.md. */
import type { Api } from "./api.ts";
import type { Fields } from "./fields.ts";
import { alterConfigs, describeConfigs, incrementalAlterConfigs } from "./messages/configs.ts";
import { apiVersions, describeCluster, saslAuthenticate, saslHandshake } from "./messages/connection.ts";
import { deleteGroups, describeGroups, listGroups } from "./messages/group-admin.ts";
import {
  findCoordinator,
  heartbeat,
  joinGroup,
  leaveGroup,
  offsetCommit,
  offsetDelete,
  offsetFetch,
  syncGroup,
} from "./messages/groups.ts";
import { deleteRecords, fetch, initProducerId, listOffsets, offsetForLeaderEpoch, produce } from "./messages/records.ts";
import { createPartitions, createTopics, deleteTopics, metadata } from "./messages/topics.ts";

/** By subject, in the order in which people look for them. */
export const SUPPORTED_APIS = {
  connection: [apiVersions, saslHandshake, saslAuthenticate, describeCluster],
  topics: [metadata, createTopics, deleteTopics, createPartitions, describeConfigs, alterConfigs, incrementalAlterConfigs],
  records: [produce, fetch, listOffsets, offsetForLeaderEpoch, deleteRecords, initProducerId],
  "consumer groups": [
    findCoordinator,
    joinGroup,
    syncGroup,
    heartbeat,
    leaveGroup,
    offsetCommit,
    offsetFetch,
    offsetDelete,
    describeGroups,
    listGroups,
    deleteGroups,
  ],
} as const satisfies Record<string, readonly Api<Fields, Fields>[]>;

export interface ApiRange {
  readonly apiKey: number;
  readonly minVersion: number;
  readonly maxVersion: number;
}

/**
 * Lowest version that ApiVersions tells, where it is lower than the lowest that is spoken: clients on librdkafka take a broker that does not
 * tell Produce 0 for one that knows no compression, and never send that version.
 */
const TOLD_FROM: Readonly<Record<number, number>> = { [produce.key]: 0 };

/** What ApiVersions answers, by key. */
export const API_RANGES: readonly ApiRange[] = Object.values(SUPPORTED_APIS)
  .flat()
  .map(({ key, versions: [min, max] }) => ({ apiKey: key, minVersion: TOLD_FROM[key] ?? min, maxVersion: max }))
  .toSorted((left, right) => left.apiKey - right.apiKey);
