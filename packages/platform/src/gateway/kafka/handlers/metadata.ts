/** What clients ask first: which broker there is, which topics, and who leads their partitions. There is one broker, and the address told is the one the client came by. */
import { isLambentError } from "../../../base/index.ts";
import type { StreamRecord } from "../../../streams/index.ts";
import { type Call, route, type Route } from "../call.ts";
import { codeOf, failureOf } from "../errors.ts";
import { type Decoded, describeCluster, type Encodable, type KafkaErrorName, metadata } from "../protocol/index.ts";
import { isTopicName, LEADER_EPOCH, NODE_ID } from "../topics.ts";
import type { HandlerParts } from "./parts.ts";

type MetadataRequest = Decoded<typeof metadata.request>;
type AskedTopic = NonNullable<MetadataRequest["topics"]>[number];
type ToldTopic = Encodable<typeof metadata.response>["topics"][number];

const NO_ID = "00000000-0000-0000-0000-000000000000";
/** First version that can name topics; an empty list of the one before meant all of them. */
const NULL_MEANS_ALL_FROM = 1;

/** Routes of Metadata and DescribeCluster. */
export function metadataRoutes(parts: HandlerParts): readonly Route[] {
  return [
    route(metadata, async (request, call) => ({
      brokers: [{ nodeId: NODE_ID, ...call.broker }],
      clusterId: parts.clusterId,
      controllerId: NODE_ID,
      topics: await toldTopics(parts, request, call),
    })),
    route(describeCluster, ({ endpointType }, call) => ({
      errorCode: codeOf(endpointType === 1 ? undefined : "INVALID_REQUEST"),
      errorMessage: endpointType === 1 ? null : "There are no endpoints of controllers.",
      endpointType,
      clusterId: parts.clusterId,
      controllerId: NODE_ID,
      brokers: [{ brokerId: NODE_ID, ...call.broker }],
    })),
  ];
}

async function toldTopics(parts: HandlerParts, request: MetadataRequest, call: Call): Promise<readonly ToldTopic[]> {
  const { topics } = request;
  const isAll = topics === null || (topics.length === 0 && call.version < NULL_MEANS_ALL_FROM);
  if (isAll) {
    const readable = parts.streams.list(call.realm).filter(({ name }) => call.may("DescribeTopic", "topic", name));
    return readable.map(toldStream);
  }
  const mayMake = request.allowAutoTopicCreation;
  return Promise.all(topics.map((topic) => toldTopic(parts, topic, mayMake, call)));
}

async function toldTopic(parts: HandlerParts, asked: AskedTopic, mayMake: boolean, call: Call): Promise<ToldTopic> {
  const topic = { name: asked.name ?? "", topicId: asked.topicId };
  const refusal = (error: KafkaErrorName): ToldTopic => ({
    errorCode: codeOf(error),
    name: asked.name ?? (call.version >= 12 ? null : ""),
    topicId: asked.topicId,
    partitions: [],
  });
  if (topic.topicId === NO_ID && !isTopicName(topic.name)) return refusal("INVALID_TOPIC_EXCEPTION");
  try {
    const found = mayMake ? await parts.topics.findOrMake(call, topic, "DescribeTopic") : parts.topics.find(call, topic, "DescribeTopic");
    return found.kind === "found" ? toldStream(found.stream) : refusal(found.error);
  } catch (error) {
    if (isLambentError(error, "InvalidParameter")) return refusal("INVALID_TOPIC_EXCEPTION");
    return refusal(failureOf(error, parts.reportDefect).error);
  }
}

function toldStream({ name, id, shards }: StreamRecord): ToldTopic {
  const copies = [NODE_ID];
  return {
    errorCode: 0,
    name,
    topicId: id,
    partitions: shards.map(({ number }) => ({
      errorCode: 0,
      partitionIndex: number,
      leaderId: NODE_ID,
      leaderEpoch: LEADER_EPOCH,
      replicaNodes: copies,
      isrNodes: copies,
    })),
  };
}
