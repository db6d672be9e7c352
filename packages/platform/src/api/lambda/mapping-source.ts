/** Which source a request for an event source mapping names, and how a mapping's is shown. */
import { isDeepStrictEqual } from "node:util";
import type { CreateEventSourceMappingRequest, EventSourceMappingConfiguration, SourceAccessType } from "@aws-sdk/client-lambda";
import { LambentError } from "../../base/index.ts";
import { realmKey, type Realm } from "../../model/index.ts";
import { parseQueueArn, queueArn } from "../../queues/index.ts";
import {
  isStreamMapping,
  type KafkaAccess,
  type KafkaCluster,
  type Mapping,
  type StreamMapping,
  type WantedStart,
  type WantedStream,
} from "../../sources/index.ts";
import { parseStreamReference, streamArn } from "../../streams/index.ts";
import { refuseUnbuilt } from "../given.ts";

const CLUSTER_ARN = /^arn:aws[a-z-]{0,20}:kafka:([a-z0-9-]{1,32}):(\d{12}):cluster\/[a-zA-Z0-9-]{1,64}\/[a-zA-Z0-9-]{1,64}$/;
const IS_QUEUE = /^arn:aws[a-zA-Z-]{0,20}:sqs:/;
const IS_STREAM = /^arn:aws[a-zA-Z-]{0,20}:kinesis:/;
const IS_CLUSTER = /^arn:aws[a-zA-Z-]{0,20}:kafka:/;

type Input = CreateEventSourceMappingRequest;

/** What a request asks to be read. */
export type AskedSource = { readonly kind: "queue"; readonly name: string } | { readonly kind: "stream"; readonly stream: WantedStream };

/** Throws `InvalidParameter`, or `NotImplemented` for sources that are not built. */
export function askedSource(input: Input, realm: Realm): AskedSource {
  const { EventSourceArn: arn, SelfManagedEventSource, Queues } = input;
  if (Queues) throw notBuilt("message brokers");
  if (SelfManagedEventSource) {
    const servers = SelfManagedEventSource.Endpoints?.KAFKA_BOOTSTRAP_SERVERS ?? [];
    if (servers.length === 0) throw refused("SelfManagedEventSource names no endpoints under KAFKA_BOOTSTRAP_SERVERS.");
    return { kind: "stream", stream: topicOf(input, { kind: "selfManaged", servers, access: accessOf(input) }) };
  }
  if (arn === undefined) throw refused("Event source arn is required.");
  if (IS_QUEUE.test(arn)) return { kind: "queue", name: queueOf(arn, realm) };
  if (IS_STREAM.test(arn)) return { kind: "stream", stream: streamOf(input, arn, realm) };
  if (!IS_CLUSTER.test(arn)) throw notBuilt(arn.split(":")[2] ?? "this source");
  const [, region = "", account = ""] = CLUSTER_ARN.exec(arn) ?? [];
  if (region === "") throw unrecognised(arn);
  requireOwn(arn, { region, account }, realm, "clusters");
  if (input.SourceAccessConfigurations)
    throw refused("SourceAccessConfigurations are for SelfManagedEventSource: a managed cluster's topics are this server's own.");
  return { kind: "stream", stream: topicOf(input, { kind: "managed", arn }) };
}

/** The ARN under which a mapping's source is listed; brokers that are nobody's have none. */
export function sourceArnOf(realm: Realm, { source }: Pick<Mapping, "source">): string | undefined {
  if (source.kind === "queue") return queueArn(realm, source.name);
  if (source.form === "kafka") return source.cluster.kind === "managed" ? source.cluster.arn : undefined;
  return (source.form === "kinesis" ? source.consumer : undefined) ?? streamArn(realm, source.stream);
}

/** What is shown of the source. */
export function sourceShape(realm: Realm, mapping: Mapping): Partial<EventSourceMappingConfiguration> {
  const EventSourceArn = sourceArnOf(realm, mapping);
  return isStreamMapping(mapping) ? { EventSourceArn, ...startShape(mapping), ...topicShape(mapping) } : { EventSourceArn };
}

function startShape({ source: { start } }: StreamMapping): Partial<EventSourceMappingConfiguration> {
  switch (start.kind) {
    case "trimHorizon":
      return { StartingPosition: "TRIM_HORIZON" };
    case "latest":
      return { StartingPosition: "LATEST" };
    case "at":
      return { StartingPosition: "AT_TIMESTAMP", StartingPositionTimestamp: new Date(start.time) };
  }
}

function topicShape({ uuid, source }: StreamMapping): Partial<EventSourceMappingConfiguration> {
  if (source.form !== "kafka") return {};
  const { cluster, stream, group = uuid } = source;
  const shared = { Topics: [stream] };
  if (cluster.kind === "managed") return { ...shared, AmazonManagedKafkaEventSourceConfig: { ConsumerGroupId: group } };
  const { access = [] } = cluster;
  return {
    ...shared,
    ...(access.length === 0
      ? {}
      : { SourceAccessConfigurations: access.map(({ type, uri }) => ({ Type: type as SourceAccessType, URI: uri })) }),
    SelfManagedEventSource: { Endpoints: { KAFKA_BOOTSTRAP_SERVERS: [...cluster.servers] } },
    SelfManagedKafkaEventSourceConfig: { ConsumerGroupId: group },
  };
}

function queueOf(arn: string, realm: Realm): string {
  const queue = parseQueueArn(arn);
  if (!queue) throw unrecognised(arn);
  requireOwn(arn, queue.realm, realm, "queues");
  return queue.name;
}

function streamOf(input: Input, arn: string, realm: Realm): WantedStream {
  const named = parseStreamReference(arn);
  if (!named) throw unrecognised(arn);
  requireOwn(arn, named.realm, realm, "streams");
  const start = startOf(input);
  if (!start) throw missing("startingPosition");
  return { kind: "stream", stream: named.name, form: "kinesis", consumer: named.consumer && arn, start };
}

/** A mapping signs in as it was made to. Throws `NotImplemented` for another way. */
export function requireSameAccess(input: Pick<Input, "SourceAccessConfigurations">, { source }: Mapping): void {
  if (input.SourceAccessConfigurations === undefined) return;
  const known =
    source.kind === "stream" && source.form === "kafka" && source.cluster.kind !== "managed" ? (source.cluster.access ?? []) : [];
  if (isDeepStrictEqual(accessOf(input), known)) return;
  throw new LambentError(
    "NotImplemented",
    "Other SourceAccessConfigurations of a mapping are not built in Lambent: what the variables have can change, or the mapping is made anew.",
  );
}

function accessOf({ SourceAccessConfigurations = [] }: Pick<Input, "SourceAccessConfigurations">): KafkaAccess[] {
  return SourceAccessConfigurations.map(({ Type, URI }) => {
    if (Type === undefined || URI === undefined) throw refused("Each of SourceAccessConfigurations has a Type and a URI.");
    return { type: Type, uri: URI };
  });
}

function topicOf(input: Input, cluster: KafkaCluster): WantedStream {
  const [topic] = input.Topics ?? [];
  if (topic === undefined) throw missing("topics");
  const config = cluster.kind === "managed" ? input.AmazonManagedKafkaEventSourceConfig : input.SelfManagedKafkaEventSourceConfig;
  refuseUnbuilt(config ?? {}, ["SchemaRegistryConfig"]);
  const start = startOf(input) ?? { kind: "trimHorizon" };
  return { kind: "stream", stream: topic, form: "kafka", cluster, group: config?.ConsumerGroupId, start };
}

function startOf({ StartingPosition, StartingPositionTimestamp: time }: Input): WantedStart | undefined {
  if (StartingPosition !== "AT_TIMESTAMP" && time !== undefined)
    throw refused("StartingPositionTimestamp is for the StartingPosition AT_TIMESTAMP.");
  switch (StartingPosition) {
    case undefined:
      return undefined;
    case "TRIM_HORIZON":
      return { kind: "trimHorizon" };
    case "LATEST":
      return { kind: "latest" };
    case "AT_TIMESTAMP":
      if (time === undefined) throw refused("The StartingPosition AT_TIMESTAMP needs a StartingPositionTimestamp.");
      return { kind: "at", time: time.getTime() };
  }
}

function requireOwn(arn: string, of: Realm, realm: Realm, what: string): void {
  if (realmKey(of) === realmKey(realm)) return;
  const one = what.slice(0, -1);
  throw refused(`The ${one} ${arn} is of another account or region; a mapping reads ${what} of ${realm.account} in ${realm.region}.`);
}

function notBuilt(what: string): LambentError {
  return new LambentError(
    "NotImplemented",
    `Event source mappings of ${what === "" ? "this source" : what} are not built in Lambent; those of SQS queues, Kinesis streams and Kafka topics are.`,
  );
}

function missing(member: string): LambentError {
  return refused(`1 validation error detected: Value null at '${member}' failed to satisfy constraint: Member must not be null.`);
}

function unrecognised(arn: string): LambentError {
  return refused(`Unrecognized event source: ${arn.slice(0, 200)}`);
}

function refused(message: string): LambentError {
  return new LambentError("InvalidParameter", message);
}
