/** Where in a partition records are: by time, by leader's term, and from where on they are kept; and numbers for producers. */
import { LambentError } from "../../../base/index.ts";
import type { OffsetAndTime, Partition } from "../../../streams/index.ts";
import type { KafkaAction } from "../access.ts";
import { type Call, route, type Route } from "../call.ts";
import { codeOf, failureOf } from "../errors.ts";
import { deleteRecords, initProducerId, type KafkaErrorName, listOffsets, offsetForLeaderEpoch } from "../protocol/index.ts";
import { LEADER_EPOCH, type TopicName } from "../topics.ts";
import type { HandlerParts } from "./parts.ts";

/** Partitions that one request of these asks about. @limit */
export const ASKED_PARTITIONS_MAX = 10_000;

/** Times that mean places. */
const LATEST = -1;
const EARLIEST = -2;
const MAX_TIMESTAMP = -3;
const EARLIEST_LOCAL = -4;

interface Place {
  readonly offset: number;
  readonly timestamp: number;
}

const NOWHERE: Place = { offset: -1, timestamp: -1 };
const NO_ID = "00000000-0000-0000-0000-000000000000";

/** Routes of the APIs that are about positions. */
export function offsetRoutes(parts: HandlerParts): readonly Route[] {
  return [listOffsetsRoute(parts), offsetForLeaderEpochRoute(parts), deleteRecordsRoute(parts), initProducerIdRoute(parts)];
}

function listOffsetsRoute(parts: HandlerParts): Route {
  return route(listOffsets, async ({ topics }, call) => ({
    topics: await ofPartitions(topics, async ({ name }, { partitionIndex, timestamp, currentLeaderEpoch }) => {
      const asked = { name, index: partitionIndex, currentLeaderEpoch };
      const found = await onPartition(parts, call, "DescribeTopic", asked, (partition) => placeOf(partition, timestamp));
      const place = found.kind === "done" ? found.result : NOWHERE;
      const leaderEpoch = place.offset < 0 ? -1 : LEADER_EPOCH;
      return { partitionIndex, errorCode: errorCodeOf(found), ...place, leaderEpoch };
    }),
  }));
}

/** The place a time or one of the special numbers means. */
async function placeOf(partition: Partition, timestamp: number): Promise<Place> {
  switch (timestamp) {
    case LATEST:
      return { offset: partition.end, timestamp: -1 };
    case EARLIEST:
    case EARLIEST_LOCAL:
      return { offset: partition.first, timestamp: -1 };
    case MAX_TIMESTAMP:
      return placeAt(await partition.latestCreated());
    default:
      return timestamp < 0 ? NOWHERE : placeAt(await partition.offsetAt(timestamp, "created"));
  }
}

function placeAt(found: OffsetAndTime | undefined): Place {
  return found ? { offset: found.offset, timestamp: found.time } : NOWHERE;
}

/** All terms but the first and only one are unknown, so nobody's records ever diverge. */
function offsetForLeaderEpochRoute(parts: HandlerParts): Route {
  return route(offsetForLeaderEpoch, async ({ topics }, call) => {
    const named = topics.map(({ topic, partitions }) => ({ name: topic, partitions }));
    const told = await ofPartitions(named, async ({ name }, { partition: index, currentLeaderEpoch, leaderEpoch }) => {
      const found = await onPartition(parts, call, "DescribeTopic", { name, index, currentLeaderEpoch }, async ({ end }) => end);
      const isKnown = found.kind === "done" && leaderEpoch === LEADER_EPOCH;
      const ending = isKnown ? { leaderEpoch, endOffset: found.result } : { leaderEpoch: -1, endOffset: -1 };
      return { partition: index, errorCode: errorCodeOf(found), ...ending };
    });
    return { topics: told.map(({ name, partitions }) => ({ topic: name, partitions })) };
  });
}

function deleteRecordsRoute(parts: HandlerParts): Route {
  return route(deleteRecords, async ({ topics }, call) => ({
    topics: await ofPartitions(topics, async ({ name }, { partitionIndex, offset }) => {
      const asked = { name, index: partitionIndex, currentLeaderEpoch: -1 };
      const found = await onPartition(parts, call, "DeleteTopic", asked, async (partition) => {
        const until = offset === -1 ? partition.end : offset;
        if (until < 0 || until > partition.end) return "OFFSET_OUT_OF_RANGE" as const;
        await partition.deleteBefore(until);
        return partition.first;
      });
      if (found.kind === "done" && typeof found.result === "number") return { partitionIndex, errorCode: 0, lowWatermark: found.result };
      const errorCode = found.kind === "done" ? codeOf("OFFSET_OUT_OF_RANGE") : codeOf(found.error);
      return { partitionIndex, errorCode, lowWatermark: -1 };
    }),
  }));
}

function initProducerIdRoute(parts: HandlerParts): Route {
  return route(initProducerId, async ({ transactionalId }, call) => {
    const refused = (error: KafkaErrorName) => ({ errorCode: codeOf(error), producerId: -1n, producerEpoch: -1 });
    // Clients end with this one; some would try again for ever with others.
    if (transactionalId !== null) return refused("TRANSACTIONAL_ID_AUTHORIZATION_FAILED");
    if (!call.may("WriteDataIdempotently", "cluster", "")) return refused("CLUSTER_AUTHORIZATION_FAILED");
    try {
      const { id, epoch } = await parts.streams.newProducerId();
      return { errorCode: 0, producerId: id, producerEpoch: epoch };
    } catch (error) {
      return refused(failureOf(error, parts.reportDefect).error);
    }
  });
}

type Outcome<T> = { readonly kind: "done"; readonly result: T } | { readonly kind: "failed"; readonly error: KafkaErrorName };

interface AskedPartition extends Pick<TopicName, "name"> {
  readonly index: number;
  readonly currentLeaderEpoch: number;
}

/** Does `work` on a partition that the client may do `action` with. */
async function onPartition<T>(
  { topics, streams, reportDefect }: HandlerParts,
  call: Call,
  action: KafkaAction,
  { name, index, currentLeaderEpoch }: AskedPartition,
  work: (partition: Partition) => Promise<T>,
): Promise<Outcome<T>> {
  const found = topics.find(call, { name, topicId: NO_ID }, action);
  if (found.kind === "refused") return { kind: "failed", error: found.error };
  if (currentLeaderEpoch > LEADER_EPOCH) return { kind: "failed", error: "UNKNOWN_LEADER_EPOCH" };
  try {
    return { kind: "done", result: await work(await streams.partition(call.realm, name, index)) };
  } catch (error) {
    return { kind: "failed", error: failureOf(error, reportDefect).error };
  }
}

function errorCodeOf(outcome: Outcome<unknown>): number {
  return codeOf(outcome.kind === "failed" ? outcome.error : undefined);
}

/** Asks about all partitions of all topics, in the request's order. Throws `RequestTooLarge` for more than are allowed. */
async function ofPartitions<Topic extends { readonly name: string; readonly partitions: readonly Asked[] }, Asked, Told>(
  topics: readonly Topic[],
  ask: (topic: Topic, asked: Topic["partitions"][number]) => Promise<Told>,
): Promise<readonly { readonly name: string; readonly partitions: readonly Told[] }[]> {
  const count = topics.reduce((sum, { partitions }) => sum + partitions.length, 0);
  if (count > ASKED_PARTITIONS_MAX)
    throw new LambentError("RequestTooLarge", `${count} partitions are asked about at once; ${ASKED_PARTITIONS_MAX} are allowed.`);
  return Promise.all(
    topics.map(async (topic) => ({
      name: topic.name,
      partitions: await Promise.all(topic.partitions.map((asked) => ask(topic, asked))),
    })),
  );
}
