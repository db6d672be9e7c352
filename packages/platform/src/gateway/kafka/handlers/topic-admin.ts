/** Topics as an administrator makes, grows and removes them. */
import { isLambentError, LambentError } from "../../../base/index.ts";
import { PARTITIONS_MAX, type StreamRecord } from "../../../streams/index.ts";
import { type Call, route, type Route } from "../call.ts";
import { codeOf, type Failure, failureOf } from "../errors.ts";
import { createPartitions, createTopics, type Decoded, deleteTopics, type Encodable } from "../protocol/index.ts";
import { configsOf, DEFAULT_TOPIC_SETTINGS, withConfigs } from "../topic-configs.ts";
import { isTopicName, NODE_ID } from "../topics.ts";
import type { HandlerParts } from "./parts.ts";

/** Topics that one request makes, grows or removes. @limit */
export const ADMIN_TOPICS_MAX = 1_000;

type NewTopic = Decoded<typeof createTopics.request>["topics"][number];
type MadeTopic = Encodable<typeof createTopics.response>["topics"][number];
type GrownTopic = Decoded<typeof createPartitions.request>["topics"][number];

const NO_ID = "00000000-0000-0000-0000-000000000000";
const DEFAULT_SOURCE = 5;
const TOPIC_SOURCE = 1;

/** Routes of CreateTopics, DeleteTopics and CreatePartitions. */
export function topicAdminRoutes(parts: HandlerParts): readonly Route[] {
  return [
    route(createTopics, async ({ topics, validateOnly }, call) => {
      checkCount(topics.length);
      const twice = named(topics.map(({ name }) => name));
      return { topics: await Promise.all(topics.map((topic) => make(parts, topic, { validateOnly, twice }, call))) };
    }),
    route(deleteTopics, async ({ topics, topicNames }, call) => {
      const asked = [...topics, ...topicNames.map((name) => ({ name, topicId: NO_ID }))];
      checkCount(asked.length);
      return { responses: await Promise.all(asked.map((topic) => remove(parts, topic, call))) };
    }),
    route(createPartitions, async ({ topics, validateOnly }, call) => {
      checkCount(topics.length);
      return { results: await Promise.all(topics.map((topic) => grow(parts, topic, validateOnly, call))) };
    }),
  ];
}

function checkCount(count: number): void {
  if (count > ADMIN_TOPICS_MAX) throw new LambentError("RequestTooLarge", `${count} topics at once; ${ADMIN_TOPICS_MAX} are allowed.`);
}

/** Names that stand in a request more than once. */
function named(names: readonly string[]): ReadonlySet<string> {
  return new Set(names.filter((name, index) => names.indexOf(name) !== index));
}

async function make(
  parts: HandlerParts,
  topic: NewTopic,
  { validateOnly, twice }: { readonly validateOnly: boolean; readonly twice: ReadonlySet<string> },
  call: Call,
): Promise<MadeTopic> {
  const { name } = topic;
  const failed = ({ error, message }: Failure): MadeTopic => ({ name, errorCode: codeOf(error), errorMessage: message, configs: null });
  if (twice.has(name)) return failed({ error: "INVALID_REQUEST", message: `${name} is made twice in one request.` });
  if (!call.may("CreateTopic", "topic", name)) return failed({ error: "TOPIC_AUTHORIZATION_FAILED", message: `${name} may not be made.` });
  const wrong = wrongTopic(topic);
  if (wrong) return failed(wrong);
  const shards = topic.assignments.length || (topic.numPartitions === -1 ? parts.topics.defaultPartitions : topic.numPartitions);
  const changes = new Map(topic.configs.map((config) => [config.name, config.value]));
  const settings = withConfigs(DEFAULT_TOPIC_SETTINGS, changes);
  if (settings.kind === "wrong") return failed({ error: "INVALID_CONFIG", message: settings.message });
  const told = { name, errorCode: 0, numPartitions: shards, replicationFactor: 1, configs: toldConfigs(settings.changed) };
  try {
    if (validateOnly) {
      if (parts.streams.find(call.realm, name)) return failed(exists(name));
      return told;
    }
    const { id } = await parts.topics.make(call.realm, name, shards, settings.changed);
    return { ...told, topicId: id };
  } catch (error) {
    return failed(isLambentError(error, "AlreadyExists") ? exists(name) : failureOf(error, parts.reportDefect));
  }
}

function exists(name: string): Failure {
  return { error: "TOPIC_ALREADY_EXISTS", message: `A stream or topic ${name} exists.` };
}

function wrongTopic({ name, numPartitions, replicationFactor, assignments }: NewTopic): Failure | undefined {
  if (!isTopicName(name))
    return { error: "INVALID_TOPIC_EXCEPTION", message: "A topic's name has 1 to 249 of a-z, A-Z, 0-9, period, underscore and hyphen." };
  if (assignments.length > 0) return wrongAssignments(assignments);
  if (numPartitions !== -1 && (numPartitions < 1 || numPartitions > PARTITIONS_MAX))
    return { error: "INVALID_PARTITIONS", message: `${numPartitions} partitions; 1 to ${PARTITIONS_MAX} are allowed.` };
  if (replicationFactor !== -1 && replicationFactor !== 1)
    return { error: "INVALID_REPLICATION_FACTOR", message: `The replication factor is ${replicationFactor}; there is one broker.` };
  return undefined;
}

function wrongAssignments(assignments: NewTopic["assignments"]): Failure | undefined {
  const isHere = assignments.every(({ brokerIds }) => brokerIds.length === 1 && brokerIds[0] === NODE_ID);
  const numbers = assignments.map(({ partitionIndex }) => partitionIndex).toSorted((left, right) => left - right);
  const isWhole = numbers.every((number, index) => number === index) && numbers.length <= PARTITIONS_MAX;
  return isHere && isWhole
    ? undefined
    : { error: "INVALID_REPLICA_ASSIGNMENT", message: `Partitions are numbered from 0, and all are on broker ${NODE_ID}.` };
}

function toldConfigs(settings: StreamRecord["settings"]): MadeTopic["configs"] {
  return configsOf(settings).map(({ name, value, isDefault }) => ({
    name,
    value,
    readOnly: false,
    configSource: isDefault ? DEFAULT_SOURCE : TOPIC_SOURCE,
    isSensitive: false,
  }));
}

async function remove(parts: HandlerParts, asked: { readonly name: string | null; readonly topicId: string }, call: Call) {
  const topic = { name: asked.name ?? "", topicId: asked.topicId };
  const answer = (failure?: Failure) => ({ ...asked, errorCode: codeOf(failure?.error), errorMessage: failure?.message ?? null });
  const found = parts.topics.find(call, topic, "DeleteTopic");
  if (found.kind === "refused")
    return answer({ error: found.error, message: `There is no topic ${asked.name ?? asked.topicId} to remove.` });
  const { name, id } = found.stream;
  try {
    await parts.streams.remove(call.realm, name);
    return { ...answer(), name, topicId: id };
  } catch (error) {
    return answer(failureOf(error, parts.reportDefect));
  }
}

async function grow(parts: HandlerParts, { name, count, assignments }: GrownTopic, validateOnly: boolean, call: Call) {
  const answer = (failure?: Failure) => ({ name, errorCode: codeOf(failure?.error), errorMessage: failure?.message ?? null });
  const found = parts.topics.find(call, { name, topicId: NO_ID }, "AlterTopic");
  if (found.kind === "refused") return answer({ error: found.error, message: `There is no topic ${name} to grow.` });
  const { length } = found.stream.shards;
  if (count <= length || count > PARTITIONS_MAX)
    return answer({
      error: "INVALID_PARTITIONS",
      message: `${name} has ${length} partitions; ${length + 1} to ${PARTITIONS_MAX} can be asked for.`,
    });
  const isHere = assignments?.every(({ brokerIds }) => brokerIds.length === 1 && brokerIds[0] === NODE_ID) ?? true;
  if (!isHere) return answer({ error: "INVALID_REPLICA_ASSIGNMENT", message: `All partitions are on broker ${NODE_ID}.` });
  try {
    if (!validateOnly) await parts.streams.addPartitions(call.realm, name, count);
    return answer();
  } catch (error) {
    return answer(failureOf(error, parts.reportDefect));
  }
}
