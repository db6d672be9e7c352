/** Offsets that groups committed, on the wire. */
import type { CommitOutcome, FetchOutcome } from "../../../streams/index.ts";
import { type Call, route, type Route } from "../call.ts";
import { codeOf } from "../errors.ts";
import { type KafkaErrorName, offsetCommit, offsetDelete, offsetFetch } from "../protocol/index.ts";
import { instanceOf, mayJoin } from "./groups.ts";
import type { HandlerParts } from "./parts.ts";

/** First version that asks for several groups at once. */
const GROUPS_FROM = 8;
/** Versions before this one have no place for the error of a whole group. */
const GROUP_ERROR_FROM = 2;

interface AskedGroup {
  readonly groupId: string;
  readonly topics: readonly { readonly name: string; readonly partitionIndexes: readonly number[] }[] | null;
}

interface NamedPartitions {
  readonly name: string;
  readonly partitions: readonly { readonly partitionIndex: number }[];
}

/** Routes of the APIs that are about committed offsets. */
export function groupOffsetRoutes(parts: HandlerParts): readonly Route[] {
  return [commitRoute(parts), fetchOffsetsRoute(parts), deleteOffsetsRoute(parts)];
}

function commitRoute({ groups }: HandlerParts): Route {
  return route(offsetCommit, async (request, call) => {
    const { groupId, generationIdOrMemberEpoch: generation, memberId: member, groupInstanceId, retentionTimeMs, topics } = request;
    const readable = topics.filter(({ name }) => call.may("ReadData", "topic", name));
    const result: CommitOutcome | KafkaErrorName = mayJoin(call, groupId)
      ? await groups.commitOffsets(call.realm, {
          group: groupId,
          generation,
          member,
          ...instanceOf(groupInstanceId),
          ...(retentionTimeMs < 0 ? {} : { retentionMs: retentionTimeMs }),
          topics: readable.map(({ name, partitions }) => ({
            topic: name,
            partitions: partitions.map(({ partitionIndex, committedOffset, committedLeaderEpoch, committedMetadata }) => ({
              partition: partitionIndex,
              offset: committedOffset,
              leaderEpoch: committedLeaderEpoch,
              metadata: committedMetadata ?? "",
            })),
          })),
        })
      : "GROUP_AUTHORIZATION_FAILED";
    return { topics: settled(topics, result) };
  });
}

/** The outcome of each partition in the request's order; what the groups were not asked about may not be read. */
function settled(topics: readonly NamedPartitions[], result: CommitOutcome | KafkaErrorName) {
  const whole = typeof result === "string" ? result : result.kind === "refused" ? result.error : undefined;
  const told = typeof result !== "string" && result.kind === "settled" ? [...result.topics] : [];
  return topics.map(({ name, partitions }) => {
    const own = told[0]?.topic === name ? told.shift()?.partitions : undefined;
    return {
      name,
      partitions: partitions.map(({ partitionIndex }, index) => {
        const error = whole ?? (own ? own[index]?.error : "TOPIC_AUTHORIZATION_FAILED");
        return { partitionIndex, errorCode: codeOf(error) };
      }),
    };
  });
}

function fetchOffsetsRoute(parts: HandlerParts): Route {
  return route(offsetFetch, async ({ groupId, topics, groups }, call) => {
    if (call.version >= GROUPS_FROM) return { groups: await Promise.all(groups.map((group) => fetchOffsets(parts, group, call))) };
    const { topics: told, errorCode } = await fetchOffsets(parts, { groupId, topics }, call);
    const isInPartitions = call.version < GROUP_ERROR_FROM && errorCode !== 0;
    return { topics: isInPartitions ? refusedTopics(topics ?? [], errorCode) : told, errorCode };
  });
}

async function fetchOffsets({ groups }: HandlerParts, { groupId, topics }: AskedGroup, call: Call) {
  const readable = topics?.filter(({ name }) => call.may("DescribeTopic", "topic", name));
  const asked = readable?.map(({ name, partitionIndexes }) => ({ topic: name, partitions: partitionIndexes }));
  const result: FetchOutcome | KafkaErrorName = call.may("DescribeGroup", "group", groupId)
    ? await groups.fetchOffsets(call.realm, { group: groupId, ...(asked ? { topics: asked } : {}) })
    : "GROUP_AUTHORIZATION_FAILED";
  const error = typeof result === "string" ? result : result.kind === "refused" ? result.error : undefined;
  const found = typeof result !== "string" && result.kind === "offsets" ? result.topics : [];
  const told = found
    .filter(({ topic }) => topics !== null || call.may("DescribeTopic", "topic", topic))
    .map(({ topic, partitions }) => ({
      name: topic,
      partitions: partitions.map(({ partition, offset, leaderEpoch, metadata }) => ({
        partitionIndex: partition,
        committedOffset: offset,
        committedLeaderEpoch: leaderEpoch,
        metadata,
        errorCode: 0,
      })),
    }));
  const hidden = topics?.filter(({ name }) => !call.may("DescribeTopic", "topic", name)) ?? [];
  const refused = error ? [] : refusedTopics(hidden, codeOf("TOPIC_AUTHORIZATION_FAILED"));
  return { groupId, topics: [...told, ...refused], errorCode: codeOf(error) };
}

function refusedTopics(topics: NonNullable<AskedGroup["topics"]>, errorCode: number) {
  return topics.map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map((partitionIndex) => ({ partitionIndex, committedOffset: -1, metadata: "", errorCode })),
  }));
}

function deleteOffsetsRoute({ groups }: HandlerParts): Route {
  return route(offsetDelete, async ({ groupId, topics }, call) => {
    if (!call.may("DeleteGroup", "group", groupId)) return { errorCode: codeOf("GROUP_AUTHORIZATION_FAILED"), topics: [] };
    const readable = topics.filter(({ name }) => call.may("ReadData", "topic", name));
    const asked = readable.map(({ name, partitions }) => ({
      topic: name,
      partitions: partitions.map(({ partitionIndex }) => partitionIndex),
    }));
    const result = await groups.removeOffsets(call.realm, { group: groupId, topics: asked });
    if (result.kind === "refused") return { errorCode: codeOf(result.error), topics: [] };
    return { errorCode: 0, topics: settled(topics, result) };
  });
}
