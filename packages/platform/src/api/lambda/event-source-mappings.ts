import type {
  CreateEventSourceMappingRequest,
  DeleteEventSourceMappingRequest,
  EventSourceMappingConfiguration,
  GetEventSourceMappingRequest,
  ListEventSourceMappingsRequest,
  ListEventSourceMappingsResponse,
  UpdateEventSourceMappingRequest,
} from "@aws-sdk/client-lambda";
import { LambentError } from "../../base/index.ts";
import { functionArn, parseFunctionReference } from "../../functions/index.ts";
import { realmKey, type Realm } from "../../model/index.ts";
import { parseQueueArn, queueArn } from "../../queues/index.ts";
import { DEFAULT_MAPPING_SETTINGS, mappingArn, type Mapping, type MappingSettings } from "../../sources/index.ts";
import { given, refuseUnbuilt } from "../given.ts";
import type { RequestContext } from "../operation.ts";
import type { ManagementDependencies } from "./dependencies.ts";

/** Mappings in one answer; a larger `MaxItems` is cut to it, as on AWS. */
const LISTED_MAX = 100;

/** Settings that other kinds of sources have. */
const OF_OTHER_SOURCES = [
  "ParallelizationFactor",
  "StartingPosition",
  "StartingPositionTimestamp",
  "DestinationConfig",
  "MaximumRecordAgeInSeconds",
  "BisectBatchOnFunctionError",
  "MaximumRetryAttempts",
  "TumblingWindowInSeconds",
  "Topics",
  "SourceAccessConfigurations",
  "AmazonManagedKafkaEventSourceConfig",
  "SelfManagedKafkaEventSourceConfig",
  "DocumentDBEventSourceConfig",
] as const;
const UNBUILT = ["KMSKeyArn", "MetricsConfig", "LoggingConfig", "ProvisionedPollerConfig"] as const;

type Settings = Pick<
  CreateEventSourceMappingRequest,
  "BatchSize" | "MaximumBatchingWindowInSeconds" | "FilterCriteria" | "ScalingConfig" | "FunctionResponseTypes"
>;

/** Event source mappings, which AWS's tools call triggers. @see Lambda API reference */
export function eventSourceMappingOperations({ sources }: Pick<ManagementDependencies, "sources">) {
  const shape = (realm: Realm, mapping: Mapping): EventSourceMappingConfiguration => {
    const result = sources.result(mapping.uuid);
    return { ...mappingShape(realm, mapping), LastProcessingResult: result && (result.kind === "ok" ? "OK" : `PROBLEM: ${result.what}`) };
  };
  return {
    async CreateEventSourceMapping(
      input: CreateEventSourceMappingRequest,
      { realm }: RequestContext,
    ): Promise<EventSourceMappingConfiguration> {
      const { name, qualifier } = parseFunctionReference(given(input.FunctionName, "FunctionName"), realm);
      const queueName = queueOf(input, realm);
      refuseOthers(input);
      const mapping = await sources.create(realm, {
        functionName: name,
        qualifier,
        queueName,
        settings: { ...DEFAULT_MAPPING_SETTINGS, ...settingsOf(input) },
        enabled: input.Enabled ?? true,
        tags: input.Tags ?? {},
      });
      return shape(realm, mapping);
    },

    async UpdateEventSourceMapping(
      input: UpdateEventSourceMappingRequest,
      { realm }: RequestContext,
    ): Promise<EventSourceMappingConfiguration> {
      refuseOthers(input);
      const mapping = await sources.update(realm, given(input.UUID, "UUID"), {
        function: input.FunctionName === undefined ? undefined : parseFunctionReference(input.FunctionName, realm),
        settings: settingsOf(input),
        enabled: input.Enabled,
      });
      return shape(realm, mapping);
    },

    GetEventSourceMapping(input: GetEventSourceMappingRequest, { realm }: RequestContext): EventSourceMappingConfiguration {
      return shape(realm, sources.get(realm, given(input.UUID, "UUID")));
    },

    async DeleteEventSourceMapping(
      input: DeleteEventSourceMappingRequest,
      { realm }: RequestContext,
    ): Promise<EventSourceMappingConfiguration> {
      return shape(realm, await sources.remove(realm, given(input.UUID, "UUID")));
    },

    ListEventSourceMappings(input: ListEventSourceMappingsRequest, { realm }: RequestContext): ListEventSourceMappingsResponse {
      const wanted = input.FunctionName === undefined ? undefined : parseFunctionReference(input.FunctionName, realm);
      const after = input.Marker === undefined ? "" : afterMarker(input.Marker);
      const found = sources
        .list(realm)
        .filter((each) => input.EventSourceArn === undefined || queueArn(realm, each.source.name) === input.EventSourceArn)
        .filter(
          (each) =>
            !wanted || (each.functionName === wanted.name && (wanted.qualifier === undefined || wanted.qualifier === each.qualifier)),
        )
        .filter(({ uuid }) => uuid > after);
      const shown = found.slice(0, Math.min(input.MaxItems ?? LISTED_MAX, LISTED_MAX));
      const last = shown.at(-1);
      return {
        EventSourceMappings: shown.map((each) => shape(realm, each)),
        NextMarker: last !== undefined && found.length > shown.length ? Buffer.from(`:${last.uuid}`).toString("base64url") : undefined,
      };
    },
  };
}

/** Queues are what is built; the other kinds are said to be not. */
function queueOf(input: CreateEventSourceMappingRequest, realm: Realm): string {
  const { EventSourceArn: arn, SelfManagedEventSource, Queues } = input;
  if (SelfManagedEventSource || Queues) throw notBuilt("self-managed sources and message brokers");
  if (arn === undefined) throw new LambentError("InvalidParameter", "Event source arn is required.");
  const service = arn.split(":")[2] ?? "";
  if (service !== "sqs") throw notBuilt(service === "" ? "this source" : service);
  const queue = parseQueueArn(arn);
  if (!queue) throw new LambentError("InvalidParameter", `Unrecognized event source: ${arn.slice(0, 200)}`);
  if (realmKey(queue.realm) !== realmKey(realm))
    throw new LambentError(
      "InvalidParameter",
      `The queue ${arn} is of another account or region; a mapping reads queues of ${realm.account} in ${realm.region}.`,
    );
  return queue.name;
}

function notBuilt(what: string): LambentError {
  return new LambentError("NotImplemented", `Event source mappings of ${what} are not built in Lambent; those of SQS queues are.`);
}

function refuseOthers(input: object): void {
  refuseUnbuilt(input, UNBUILT);
  const values = new Map<string, unknown>(Object.entries(input));
  const foreign = OF_OTHER_SOURCES.find((member) => values.get(member) !== undefined);
  if (foreign !== undefined)
    throw new LambentError("InvalidParameter", `Unsupported ${foreign} parameter for given event source mapping type.`);
}

/** Only what was given. */
function settingsOf(input: Settings): Partial<MappingSettings> {
  const { BatchSize, MaximumBatchingWindowInSeconds: window, FilterCriteria, ScalingConfig, FunctionResponseTypes } = input;
  return {
    ...(BatchSize === undefined ? {} : { batchSize: BatchSize }),
    ...(window === undefined ? {} : { windowMs: window * 1_000 }),
    ...(FilterCriteria === undefined ? {} : { filters: (FilterCriteria.Filters ?? []).map(({ Pattern }) => Pattern ?? "") }),
    ...(ScalingConfig === undefined ? {} : { concurrencyMax: ScalingConfig.MaximumConcurrency }),
    ...(FunctionResponseTypes === undefined ? {} : { answers: FunctionResponseTypes.length > 0 ? "reported" : "whole" }),
  };
}

function mappingShape(realm: Realm, mapping: Mapping): EventSourceMappingConfiguration {
  const { uuid, functionName, qualifier, settings, state } = mapping;
  const { filters, concurrencyMax, answers } = settings;
  return {
    UUID: uuid,
    BatchSize: settings.batchSize,
    MaximumBatchingWindowInSeconds: settings.windowMs / 1_000,
    EventSourceArn: queueArn(realm, mapping.source.name),
    FilterCriteria: filters.length > 0 ? { Filters: filters.map((Pattern) => ({ Pattern })) } : undefined,
    ScalingConfig: concurrencyMax === undefined ? undefined : { MaximumConcurrency: concurrencyMax },
    FunctionArn: functionArn(realm, functionName, qualifier),
    LastModified: new Date(mapping.modifiedAt),
    State: state.kind.charAt(0).toUpperCase() + state.kind.slice(1),
    StateTransitionReason: "USER_INITIATED",
    FunctionResponseTypes: answers === "reported" ? ["ReportBatchItemFailures"] : [],
    EventSourceMappingArn: mappingArn(realm, uuid),
  };
}

function afterMarker(marker: string): string {
  const text = Buffer.from(marker, "base64url").toString("utf8");
  if (!text.startsWith(":")) throw new LambentError("InvalidParameter", "Marker is not one that a list of this kind has given out.");
  return text.slice(1);
}
