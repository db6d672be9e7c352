/** What calls functions, of a `lambent.yaml`, in the shapes of our own API. */
import type {
  PlanAppRequest,
  WantedBusShape,
  WantedQueueShape,
  WantedRuleShape,
  WantedScheduleShape,
  WantedTriggerShape,
  WantedUploadShape,
} from "../api/index.ts";
import type { AppDocument, RuleTrigger, ScheduleTrigger, Trigger, UploadTrigger, WantedBus, WantedQueue } from "../apps/index.ts";

type Wiring = "Queues" | "Triggers" | "Buses" | "Rules" | "Schedules" | "Buckets" | "Uploads";

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
