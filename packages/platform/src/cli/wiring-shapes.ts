/** What calls functions, of a `lambent.yaml`, in the shapes of our own API. */
import type {
  PlanAppRequest,
  WantedBusShape,
  WantedQueueShape,
  WantedStreamShape,
  WantedStreamTriggerShape,
  WantedRuleShape,
  WantedScheduleShape,
  WantedTriggerShape,
  WantedUploadShape,
  WantedWindowShape,
} from "../api/index.ts";
import type {
  AppDocument,
  RuleTrigger,
  ScheduleTrigger,
  StreamTrigger,
  Trigger,
  UploadTrigger,
  WantedBus,
  WantedQueue,
  WantedStream,
  WantedWindow,
} from "../apps/index.ts";

type Wiring = "Queues" | "Triggers" | "Buses" | "Rules" | "Schedules" | "Buckets" | "Uploads" | "Streams" | "StreamTriggers" | "Windows";

/** All of a document but its functions. */
export function wiringShapes(document: AppDocument): Required<Pick<PlanAppRequest, Wiring>> {
  return {
    Queues: document.queues.map(queueShape),
    Triggers: document.triggers.map(triggerShape),
    Buses: document.buses.map(busShape),
    Rules: document.rules.map(ruleShape),
    Schedules: document.schedules.map(scheduleShape),
    Buckets: document.buckets.map(({ name }) => ({ BucketName: name })),
    Uploads: document.uploads.map(uploadShape),
    Streams: document.streams.map(streamShape),
    StreamTriggers: document.streamTriggers.map(streamTriggerShape),
    Windows: document.windows.map(windowShape),
  };
}

function queueShape({ name, options }: WantedQueue): WantedQueueShape {
  const { visibilityMs, retentionMs, delayMs, deadLetter, contentDeduplication } = options;
  return {
    QueueName: name,
    VisibilityMs: visibilityMs,
    RetentionMs: retentionMs,
    DelayMs: delayMs,
    DeadLetter: deadLetter && { QueueName: deadLetter.queue, After: deadLetter.after },
    ContentDeduplication: contentDeduplication,
  };
}

function triggerShape({ functionName, queueName, options }: Trigger): WantedTriggerShape {
  return {
    FunctionName: functionName,
    QueueName: queueName,
    BatchSize: options.batchSize,
    WindowMs: options.windowMs,
    ConcurrencyMax: options.concurrencyMax,
    Filters: options.filters,
    ReportsFailures: options.reportsFailures,
    Enabled: options.enabled,
  };
}

function busShape({ name, description }: WantedBus): WantedBusShape {
  return { BusName: name, Description: description };
}

function ruleShape({ functionName, busName, ruleName, options }: RuleTrigger): WantedRuleShape {
  const { pattern, format, enabled } = options;
  return { FunctionName: functionName, BusName: busName, RuleName: ruleName, Pattern: pattern, Format: format, Enabled: enabled };
}

function scheduleShape({ functionName, scheduleName, options }: ScheduleTrigger): WantedScheduleShape {
  const { expression, zone, input, enabled } = options;
  return {
    ...{ FunctionName: functionName, ScheduleName: scheduleName, Expression: expression, Timezone: zone },
    Input: input,
    Enabled: enabled,
  };
}

function uploadShape({ functionName, bucketName, uploadName, options }: UploadTrigger): WantedUploadShape {
  const { event, prefix, suffix } = options;
  return { FunctionName: functionName, BucketName: bucketName, UploadName: uploadName, Event: event, Prefix: prefix, Suffix: suffix };
}

function windowShape({ name, declaration, restart }: WantedWindow): WantedWindowShape {
  return { WindowName: name, Declaration: declaration, ...(restart === undefined ? {} : { Restart: restart }) };
}

function streamShape({ name, options }: WantedStream): WantedStreamShape {
  return { StreamName: name, Partitions: options.partitions, RetentionMs: options.retentionMs };
}

function streamTriggerShape({ functionName, streamName, source, form, from, options }: StreamTrigger): WantedStreamTriggerShape {
  return {
    ...{ FunctionName: functionName, StreamName: streamName, Source: source, Form: form, From: from },
    ...{ BatchSize: options.batchSize, WindowMs: options.windowMs, Parallelization: options.parallelization, Bisects: options.bisects },
    ...{ RetriesMax: options.retriesMax, RecordAgeMsMax: options.recordAgeMsMax, OnFailure: options.onFailure },
    ...{ TumblingMs: options.tumblingMs, Filters: options.filters, ReportsFailures: options.reportsFailures, Enabled: options.enabled },
  };
}
