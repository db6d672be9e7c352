/** Between the API's shapes and the forms of `apps/`, for streams and their triggers. */
import type { CurrentStreamTrigger, StreamTrigger, StreamTriggerOptions, WantedStream } from "../../apps/index.ts";
import type { PutStreamTriggerRequest, StreamTriggerShape, WantedStreamShape, WantedStreamTriggerShape } from "./stream-schema.ts";

export function streamOf({ StreamName, Partitions, RetentionMs }: WantedStreamShape): WantedStream {
  const partitions = Partitions === undefined ? {} : { partitions: Partitions };
  return { name: StreamName, options: { ...partitions, ...(RetentionMs === undefined ? {} : { retentionMs: RetentionMs }) } };
}

export function streamTriggerOf(shape: WantedStreamTriggerShape): StreamTrigger {
  const { FunctionName, StreamName, Source, Form, From } = shape;
  return {
    ...{ functionName: FunctionName, streamName: StreamName, source: Source, form: Form, from: From },
    options: {
      batchSize: shape.BatchSize,
      windowMs: shape.WindowMs,
      parallelization: shape.Parallelization,
      bisects: shape.Bisects,
      retriesMax: shape.RetriesMax,
      recordAgeMsMax: shape.RecordAgeMsMax,
      onFailure: shape.OnFailure,
      tumblingMs: shape.TumblingMs,
      filters: shape.Filters,
      reportsFailures: shape.ReportsFailures,
      enabled: shape.Enabled,
    },
  };
}

/** `known`, and over it what a request says. */
export function changedOptions(known: StreamTriggerOptions, given: PutStreamTriggerRequest): StreamTriggerOptions {
  return {
    batchSize: given.BatchSize ?? known.batchSize,
    windowMs: given.WindowMs ?? known.windowMs,
    parallelization: given.Parallelization ?? known.parallelization,
    bisects: given.Bisects ?? known.bisects,
    retriesMax: bound(given.RetriesMax, known.retriesMax),
    recordAgeMsMax: bound(given.RecordAgeMsMax, known.recordAgeMsMax),
    onFailure: given.OnFailure === "" ? undefined : (given.OnFailure ?? known.onFailure),
    tumblingMs: given.TumblingMs ?? known.tumblingMs,
    filters: given.Filters ?? known.filters,
    reportsFailures: given.ReportsFailures ?? known.reportsFailures,
    enabled: given.Enabled ?? known.enabled,
  };
}

export function streamTriggerShape(trigger: CurrentStreamTrigger): StreamTriggerShape {
  const { uuid, functionName, streamName, form, brokers, from, options, state, result } = trigger;
  const { retriesMax, recordAgeMsMax, onFailure } = options;
  return {
    ...{ UUID: uuid, FunctionName: functionName, StreamName: streamName, Form: form, From: from },
    ...{ BatchSize: options.batchSize, WindowMs: options.windowMs, Parallelization: options.parallelization, Bisects: options.bisects },
    ...{
      TumblingMs: options.tumblingMs,
      Filters: [...options.filters],
      ReportsFailures: options.reportsFailures,
      Enabled: options.enabled,
    },
    ...(retriesMax === undefined ? {} : { RetriesMax: retriesMax }),
    ...(recordAgeMsMax === undefined ? {} : { RecordAgeMsMax: recordAgeMsMax }),
    ...(onFailure === undefined ? {} : { OnFailure: onFailure }),
    ...(brokers && { BootstrapServers: [...brokers] }),
    State: state,
    ...(result === undefined ? {} : { LastProcessingResult: result }),
  };
}

function bound(given: number | undefined, known: number | undefined): number | undefined {
  return given === -1 ? undefined : (given ?? known);
}
