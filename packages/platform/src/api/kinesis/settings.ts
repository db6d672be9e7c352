import type {
  DecreaseStreamRetentionPeriodInput,
  DisableEnhancedMonitoringInput,
  EnableEnhancedMonitoringInput,
  EnhancedMonitoringOutput,
  IncreaseStreamRetentionPeriodInput,
  MetricsName,
  StartStreamEncryptionInput,
  StopStreamEncryptionInput,
  UpdateMaxRecordSizeInput,
  UpdateStreamModeInput,
  UpdateStreamWarmThroughputInput,
  UpdateStreamWarmThroughputOutput,
} from "@aws-sdk/client-kinesis";
import { type KinesisSettings, streamArn, type StreamRecord, type Streams } from "../../streams/index.ts";
import { given } from "../given.ts";
import type { RequestContext } from "../operation.ts";
import { invalidArgument, invalidValue } from "./errors.ts";
import { foundStream, streamOf } from "./names.ts";
import { RETENTION_HOURS_MAX, retentionHours, warmShape } from "./shard-shapes.ts";

const HOUR_MS = 3_600_000;
const RETENTION_HOURS_MIN = 24;
const METRICS: readonly MetricsName[] = [
  ...(["IncomingBytes", "IncomingRecords", "OutgoingBytes", "OutgoingRecords"] as const),
  ...(["WriteProvisionedThroughputExceeded", "ReadProvisionedThroughputExceeded", "IteratorAgeMilliseconds"] as const),
];

type Named = Parameters<typeof streamOf>[1];

/** What of a stream can be set. @see Kinesis API reference */
export function settingOperations(streams: Streams) {
  const change = changeOf(streams);
  return {
    async IncreaseStreamRetentionPeriod(input: IncreaseStreamRetentionPeriodInput, context: RequestContext): Promise<void> {
      await change(context, input, (record) =>
        withRetention(record, given(input.RetentionPeriodHours, "RetentionPeriodHours"), "increase"),
      );
    },

    async DecreaseStreamRetentionPeriod(input: DecreaseStreamRetentionPeriodInput, context: RequestContext): Promise<void> {
      await change(context, input, (record) =>
        withRetention(record, given(input.RetentionPeriodHours, "RetentionPeriodHours"), "decrease"),
      );
    },

    async UpdateStreamMode(input: UpdateStreamModeInput, context: RequestContext): Promise<void> {
      const mode = given(input.StreamModeDetails, "StreamModeDetails").StreamMode === "ON_DEMAND" ? "onDemand" : "provisioned";
      const { WarmThroughputMiBps: warm } = input;
      await change(context, input, (record) => withKinesis({ ...record, mode }, warm === undefined ? {} : { warmThroughputMiBps: warm }));
    },

    async UpdateMaxRecordSize(input: UpdateMaxRecordSizeInput, context: RequestContext): Promise<void> {
      const recordBytesMax = given(input.MaxRecordSizeInKiB, "MaxRecordSizeInKiB") * 1_024;
      await change(context, input, (record) => ({ ...record, settings: { ...record.settings, recordBytesMax } }));
    },

    async UpdateStreamWarmThroughput(
      input: UpdateStreamWarmThroughputInput,
      context: RequestContext,
    ): Promise<UpdateStreamWarmThroughputOutput> {
      const warmThroughputMiBps = given(input.WarmThroughputMiBps, "WarmThroughputMiBps");
      const record = await change(context, input, (current) => {
        if (current.mode !== "onDemand") throw invalidValue(`Stream ${current.name} is not in ON_DEMAND mode.`);
        return withKinesis(current, { warmThroughputMiBps });
      });
      return { StreamARN: streamArn(record.realm, record.name), StreamName: record.name, WarmThroughput: warmShape(record) };
    },
  };
}

/** What is kept and shown, and nothing else: keys and shard-level metrics. @see Kinesis API reference */
export function keptOperations(streams: Streams) {
  const change = changeOf(streams);
  return {
    async StartStreamEncryption(input: StartStreamEncryptionInput, context: RequestContext): Promise<void> {
      if (given(input.EncryptionType, "EncryptionType") !== "KMS") throw invalidArgument("EncryptionType has to be KMS.");
      const encryptionKey = given(input.KeyId, "KeyId");
      await change(context, input, (record) => withKinesis(record, { encryptionKey }));
    },

    async StopStreamEncryption(input: StopStreamEncryptionInput, context: RequestContext): Promise<void> {
      given(input.KeyId, "KeyId");
      await change(context, input, ({ kinesis, ...record }) => {
        const { encryptionKey: _stopped, ...kept } = kinesis ?? {};
        return { ...record, kinesis: kept };
      });
    },

    async EnableEnhancedMonitoring(input: EnableEnhancedMonitoringInput, context: RequestContext): Promise<EnhancedMonitoringOutput> {
      const asked = metricsOf(input.ShardLevelMetrics);
      let before: StreamRecord | undefined;
      const after = await change(context, input, (record) => withMetrics((before = record), (metric, on) => on || asked.has(metric)));
      return monitoringAnswer(before, after);
    },

    async DisableEnhancedMonitoring(input: DisableEnhancedMonitoringInput, context: RequestContext): Promise<EnhancedMonitoringOutput> {
      const asked = metricsOf(input.ShardLevelMetrics);
      let before: StreamRecord | undefined;
      const after = await change(context, input, (record) => withMetrics((before = record), (metric, on) => on && !asked.has(metric)));
      return monitoringAnswer(before, after);
    },
  };
}

/** Changes the stream that a request names. */
function changeOf(streams: Streams) {
  return async (context: RequestContext, input: Named, changed: (record: StreamRecord) => StreamRecord): Promise<StreamRecord> => {
    const reference = streamOf(context, input);
    foundStream(streams, reference);
    return streams.update(reference.realm, reference.name, changed);
  };
}

function withRetention(record: StreamRecord, hours: number, way: "increase" | "decrease"): StreamRecord {
  const { name } = record;
  const current = retentionHours(record);
  if (hours < RETENTION_HOURS_MIN)
    throw invalidArgument(
      `Minimum allowed retention period is ${RETENTION_HOURS_MIN} hours. Requested retention period (${hours} hours) is too short.`,
    );
  if (hours > RETENTION_HOURS_MAX)
    throw invalidArgument(
      `Maximum allowed retention period is ${RETENTION_HOURS_MAX} hours. Requested retention period (${hours} hours) is too long.`,
    );
  if (way === "increase" && hours < current)
    throw invalidArgument(
      `Requested retention period (${hours} hours) for stream ${name} can not be shorter than existing retention period (${current} hours). Use DecreaseRetentionPeriod API.`,
    );
  if (way === "decrease" && hours > current)
    throw invalidArgument(
      `Requested retention period (${hours} hours) for stream ${name} can not be longer than existing retention period (${current} hours). Use IncreaseRetentionPeriod API.`,
    );
  return { ...record, settings: { ...record.settings, retentionMs: hours * HOUR_MS } };
}

function withKinesis(record: StreamRecord, changed: KinesisSettings): StreamRecord {
  return { ...record, kinesis: { ...record.kinesis, ...changed } };
}

function metricsOf(asked: readonly MetricsName[] | undefined): ReadonlySet<MetricsName> {
  const metrics = given(asked, "ShardLevelMetrics");
  return new Set(metrics.includes("ALL") ? METRICS : metrics);
}

function withMetrics(record: StreamRecord, isOn: (metric: MetricsName, on: boolean) => boolean): StreamRecord {
  const on = new Set<string>(record.kinesis?.metrics);
  return withKinesis(record, { metrics: METRICS.filter((metric) => isOn(metric, on.has(metric))) });
}

function monitoringAnswer(before: StreamRecord | undefined, after: StreamRecord): EnhancedMonitoringOutput {
  const metrics = (record: StreamRecord | undefined): MetricsName[] => [...(record?.kinesis?.metrics ?? [])] as MetricsName[];
  return {
    StreamName: after.name,
    StreamARN: streamArn(after.realm, after.name),
    CurrentShardLevelMetrics: metrics(before),
    DesiredShardLevelMetrics: metrics(after),
  };
}
