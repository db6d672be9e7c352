/** Configurations of topics, which can be changed, and of the broker, which are told only. */
import { LambentError } from "../../../base/index.ts";
import type { StreamRecord, StreamSettings } from "../../../streams/index.ts";
import { type Call, route, type Route } from "../call.ts";
import { codeOf, type Failure, failureOf } from "../errors.ts";
import { alterConfigs, type Decoded, describeConfigs, type Encodable, incrementalAlterConfigs } from "../protocol/index.ts";
import {
  changedValue,
  type Changed,
  CONFIG_OPERATIONS,
  configsOf,
  DEFAULT_TOPIC_SETTINGS,
  onlyConfigs,
  type ToldConfig,
  withConfigs,
} from "../topic-configs.ts";
import { NODE_ID } from "../topics.ts";
import type { HandlerParts } from "./parts.ts";

/** Topics and brokers whose configurations one request is about. @limit */
export const CONFIG_RESOURCES_MAX = 1_000;

const TOPIC = 2;
const BROKER = 4;
const NO_ID = "00000000-0000-0000-0000-000000000000";
const STRING_TYPE = 2;
/** Where a value comes from: from the topic, the broker's own, or nobody said anything. */
const SOURCES = { topic: 1, broker: 4, default: 5 } as const;

type Resource = Decoded<typeof describeConfigs.request>["resources"][number];
type DescribedResource = Encodable<typeof describeConfigs.response>["results"][number];
type IncrementalChange = Decoded<typeof incrementalAlterConfigs.request>["resources"][number]["configs"][number];

/** Routes of the APIs that tell and change configurations. */
export function configRoutes(parts: HandlerParts): readonly Route[] {
  return [
    route(describeConfigs, ({ resources }, call) => {
      checkCount(resources.length);
      return { results: resources.map((resource) => describe(parts, resource, call)) };
    }),
    route(alterConfigs, async ({ resources, validateOnly }, call) => {
      checkCount(resources.length);
      return {
        responses: await inOrder(resources, ({ configs, ...resource }) =>
          alter(parts, resource, validateOnly, call, (stream) =>
            onlyConfigs(stream, new Map(configs.map(({ name, value }) => [name, value]))),
          ),
        ),
      };
    }),
    route(incrementalAlterConfigs, async ({ resources, validateOnly }, call) => {
      checkCount(resources.length);
      return {
        responses: await inOrder(resources, ({ configs, ...resource }) =>
          alter(parts, resource, validateOnly, call, ({ settings }) => changedOneByOne(settings, configs)),
        ),
      };
    }),
  ];
}

function checkCount(count: number): void {
  if (count > CONFIG_RESOURCES_MAX)
    throw new LambentError("RequestTooLarge", `${count} resources at once; ${CONFIG_RESOURCES_MAX} are allowed.`);
}

async function inOrder<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  for (const item of items) results.push(await work(item));
  return results;
}

function describe(parts: HandlerParts, { resourceType, resourceName, configurationKeys }: Resource, call: Call): DescribedResource {
  const failed = ({ error, message }: Failure): DescribedResource => ({
    errorCode: codeOf(error),
    errorMessage: message,
    resourceType,
    resourceName,
    configs: [],
  });
  const found = resourceType === TOPIC ? topicConfigs(parts, resourceName, call) : brokerConfigs(parts, resourceType, resourceName, call);
  if ("error" in found) return failed(found);
  const wanted = found.filter(({ name }) => !configurationKeys || configurationKeys.includes(name));
  const source = resourceType === TOPIC ? SOURCES.topic : SOURCES.broker;
  const configs = wanted.map(({ name, value, isDefault, type }) => ({
    name,
    value,
    readOnly: resourceType === BROKER,
    configSource: isDefault ? SOURCES.default : source,
    isDefault,
    isSensitive: false,
    synonyms: [],
    configType: type,
  }));
  return { errorCode: 0, resourceType, resourceName, configs };
}

function topicConfigs(parts: HandlerParts, name: string, call: Call): readonly ToldConfig[] | Failure {
  const found = parts.topics.find(call, { name, topicId: NO_ID }, "DescribeTopicDynamicConfiguration");
  if (found.kind === "refused") return { error: found.error, message: `There is no topic ${name} to tell of.` };
  return configsOf(found.stream.settings);
}

/** What tools look at before they make topics. */
function brokerConfigs(parts: HandlerParts, type: number, name: string, call: Call): readonly ToldConfig[] | Failure {
  if (type !== BROKER || (name !== "" && name !== String(NODE_ID)))
    return { error: "INVALID_REQUEST", message: "There are configurations of topics, and of broker 1." };
  if (!call.may("DescribeCluster", "cluster", ""))
    return { error: "CLUSTER_AUTHORIZATION_FAILED", message: "The cluster may not be told of." };
  const { retentionMs, recordBytesMax } = DEFAULT_TOPIC_SETTINGS;
  const values = {
    "auto.create.topics.enable": parts.topics.autoCreates,
    "default.replication.factor": 1,
    "log.cleanup.policy": "delete",
    "log.retention.ms": retentionMs,
    "message.max.bytes": recordBytesMax,
    "min.insync.replicas": 1,
    "num.partitions": parts.topics.defaultPartitions,
    "offsets.topic.replication.factor": 1,
    "unclean.leader.election.enable": false,
  };
  return Object.entries(values).map(([key, value]) => ({ name: key, value: String(value), isDefault: false, type: STRING_TYPE }));
}

function changedOneByOne(settings: StreamSettings, changes: readonly IncrementalChange[]): Changed<StreamSettings> {
  let before = settings;
  for (const { name, configOperation, value } of changes) {
    const operation = CONFIG_OPERATIONS[configOperation];
    if (!operation) return { kind: "wrong", message: `${configOperation} is no operation on a configuration.` };
    const next = changedValue(before, name, operation, value);
    if (next.kind === "wrong") return next;
    const after = withConfigs(before, new Map([[name, next.changed]]));
    if (after.kind === "wrong") return after;
    before = after.changed;
  }
  return { kind: "changed", changed: before };
}

async function alter(
  parts: HandlerParts,
  { resourceType, resourceName }: Pick<Resource, "resourceType" | "resourceName">,
  validateOnly: boolean,
  call: Call,
  change: (stream: StreamRecord) => Changed<StreamSettings>,
) {
  const answer = (failure?: Failure) => ({
    errorCode: codeOf(failure?.error),
    errorMessage: failure?.message ?? null,
    resourceType,
    resourceName,
  });
  if (resourceType !== TOPIC)
    return answer({ error: "INVALID_REQUEST", message: "Configurations of topics can be changed, and no others." });
  const found = parts.topics.find(call, { name: resourceName, topicId: NO_ID }, "AlterTopicDynamicConfiguration");
  if (found.kind === "refused") return answer({ error: found.error, message: `There is no topic ${resourceName} to change.` });
  const checked = change(found.stream);
  if (checked.kind === "wrong") return answer({ error: "INVALID_CONFIG", message: checked.message });
  if (validateOnly) return answer();
  try {
    await parts.streams.update(call.realm, resourceName, (stream) => {
      const changed = change(stream);
      return changed.kind === "changed" ? { ...stream, settings: changed.changed } : stream;
    });
    return answer();
  } catch (error) {
    return answer(failureOf(error, parts.reportDefect));
  }
}
