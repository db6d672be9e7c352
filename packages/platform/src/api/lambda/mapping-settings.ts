/** What a request sets of an event source mapping, by the kind of its source, and how settings are shown. */
import type { CreateEventSourceMappingRequest, EventSourceMappingConfiguration } from "@aws-sdk/client-lambda";
import { LambentError } from "../../base/index.ts";
import { isStreamMapping, type Mapping, type MappingSettings, type StreamMappingSettings, type StreamSource } from "../../sources/index.ts";
import { refuseUnbuilt } from "../given.ts";

const UNBUILT = ["KMSKeyArn", "MetricsConfig", "LoggingConfig", "ProvisionedPollerConfig"] as const;

/** Members that only some kinds of sources take, and those that do. */
const TAKEN_BY = {
  ScalingConfig: ["queue"],
  StartingPosition: ["kinesis", "kafka", "json"],
  StartingPositionTimestamp: ["kinesis", "kafka", "json"],
  DestinationConfig: ["kinesis", "kafka", "json"],
  MaximumRecordAgeInSeconds: ["kinesis", "kafka", "json"],
  BisectBatchOnFunctionError: ["kinesis", "kafka", "json"],
  MaximumRetryAttempts: ["kinesis", "kafka", "json"],
  ParallelizationFactor: ["kinesis", "json"],
  TumblingWindowInSeconds: ["kinesis"],
  Topics: ["kafka"],
  SourceAccessConfigurations: ["kafka"],
  AmazonManagedKafkaEventSourceConfig: ["kafka"],
  SelfManagedKafkaEventSourceConfig: ["kafka"],
  DocumentDBEventSourceConfig: [],
} as const satisfies Record<string, readonly SourceForm[]>;

type SourceForm = "queue" | StreamSource["form"];

type Settings = Partial<
  Pick<
    CreateEventSourceMappingRequest,
    | "BatchSize"
    | "MaximumBatchingWindowInSeconds"
    | "FilterCriteria"
    | "ScalingConfig"
    | "FunctionResponseTypes"
    | "ParallelizationFactor"
    | "BisectBatchOnFunctionError"
    | "MaximumRetryAttempts"
    | "MaximumRecordAgeInSeconds"
    | "TumblingWindowInSeconds"
    | "DestinationConfig"
  >
>;

/** Throws what a source of this form does not take, or nothing here does. */
export function refuseForeign(input: object, form: SourceForm): void {
  refuseUnbuilt(input, UNBUILT);
  const values = new Map<string, unknown>(Object.entries(input));
  for (const [member, forms] of Object.entries(TAKEN_BY)) {
    if (values.get(member) !== undefined && !(forms as readonly string[]).includes(form)) throw unsupported(member);
  }
}

/** Only what was given. */
export function queueSettings({ ScalingConfig, ...input }: Settings): Partial<MappingSettings> {
  return {
    ...batchSettings(input),
    ...(ScalingConfig === undefined ? {} : { concurrencyMax: ScalingConfig.MaximumConcurrency }),
  };
}

/** Only what was given. What takes a bound away, -1 or an empty ARN, is there and undefined. */
export function streamSettings(input: Settings): Partial<StreamMappingSettings> {
  const { ParallelizationFactor, BisectBatchOnFunctionError, MaximumRetryAttempts, MaximumRecordAgeInSeconds, DestinationConfig } = input;
  const { TumblingWindowInSeconds: tumbling } = input;
  if (DestinationConfig?.OnSuccess?.Destination) throw unsupported("DestinationConfig");
  const onFailure = DestinationConfig?.OnFailure?.Destination;
  return {
    ...batchSettings(input),
    ...(ParallelizationFactor === undefined ? {} : { parallelization: ParallelizationFactor }),
    ...(BisectBatchOnFunctionError === undefined ? {} : { bisects: BisectBatchOnFunctionError }),
    ...(MaximumRetryAttempts === undefined ? {} : { retriesMax: bound(MaximumRetryAttempts) }),
    ...(MaximumRecordAgeInSeconds === undefined ? {} : { recordAgeMsMax: bound(MaximumRecordAgeInSeconds, 1_000) }),
    ...(tumbling === undefined ? {} : { tumblingMs: tumbling * 1_000 }),
    ...(DestinationConfig === undefined ? {} : { onFailure: onFailure === "" ? undefined : onFailure }),
  };
}

/** What is shown of the settings, with AWS's defaults. */
export function settingsShape(mapping: Mapping): Partial<EventSourceMappingConfiguration> {
  const { filters, answers, batchSize, windowMs } = mapping.settings;
  const shared: Partial<EventSourceMappingConfiguration> = {
    BatchSize: batchSize,
    MaximumBatchingWindowInSeconds: windowMs / 1_000,
    FilterCriteria: filters.length > 0 ? { Filters: filters.map((Pattern) => ({ Pattern })) } : undefined,
    FunctionResponseTypes: answers === "reported" ? ["ReportBatchItemFailures"] : [],
  };
  if (isStreamMapping(mapping)) return { ...shared, ...streamShape(mapping.settings, mapping.source.form) };
  const { concurrencyMax } = mapping.settings;
  return { ...shared, ScalingConfig: concurrencyMax === undefined ? undefined : { MaximumConcurrency: concurrencyMax } };
}

function streamShape(settings: StreamMappingSettings, form: StreamSource["form"]): Partial<EventSourceMappingConfiguration> {
  const { parallelization, bisects, retriesMax = -1, recordAgeMsMax = -1_000, onFailure, tumblingMs } = settings;
  return {
    DestinationConfig: { OnFailure: onFailure === undefined ? {} : { Destination: onFailure } },
    BisectBatchOnFunctionError: bisects,
    MaximumRetryAttempts: retriesMax,
    MaximumRecordAgeInSeconds: recordAgeMsMax / 1_000,
    ...(form === "kafka" ? {} : { ParallelizationFactor: parallelization, TumblingWindowInSeconds: tumblingMs / 1_000 }),
  };
}

function batchSettings(input: Settings): Partial<Pick<MappingSettings, "batchSize" | "windowMs" | "filters" | "answers">> {
  const { BatchSize, MaximumBatchingWindowInSeconds: window, FilterCriteria, FunctionResponseTypes } = input;
  return {
    ...(BatchSize === undefined ? {} : { batchSize: BatchSize }),
    ...(window === undefined ? {} : { windowMs: window * 1_000 }),
    ...(FilterCriteria === undefined ? {} : { filters: (FilterCriteria.Filters ?? []).map(({ Pattern }) => Pattern ?? "") }),
    ...(FunctionResponseTypes === undefined ? {} : { answers: FunctionResponseTypes.length > 0 ? "reported" : "whole" }),
  };
}

/** -1 is none. */
function bound(value: number, times = 1): number | undefined {
  return value === -1 ? undefined : value * times;
}

function unsupported(member: string): LambentError {
  return new LambentError("InvalidParameter", `Unsupported ${member} parameter for given event source mapping type.`);
}
