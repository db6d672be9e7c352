import type {
  DeploymentPlan,
  QueueOptions,
  RuleTrigger,
  ScheduleTrigger,
  Trigger,
  UploadTrigger,
  WantedBucket,
  WantedBus,
  WantedQueue,
  WantedWindow,
} from "../../apps/index.ts";
import type {
  WantedBucketShape,
  WantedBusShape,
  WantedQueueShape,
  WantedRuleShape,
  WantedScheduleShape,
  WantedTriggerShape,
  WantedUploadShape,
  WantedWindowShape,
  WiringChangeShape,
} from "./wiring-schema.ts";

/** Between the API's shapes and the forms of `apps/`, for what calls functions. */

export function queueOf(shape: WantedQueueShape): WantedQueue {
  const all = {
    visibilityMs: shape.VisibilityMs,
    retentionMs: shape.RetentionMs,
    delayMs: shape.DelayMs,
    deadLetter: shape.DeadLetter && { queue: shape.DeadLetter.QueueName, after: shape.DeadLetter.After },
    contentDeduplication: shape.ContentDeduplication,
  };
  return {
    name: shape.QueueName,
    options: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Partial<QueueOptions>,
  };
}

export function triggerOf(shape: WantedTriggerShape): Trigger {
  return {
    functionName: shape.FunctionName,
    queueName: shape.QueueName,
    options: {
      batchSize: shape.BatchSize,
      windowMs: shape.WindowMs,
      concurrencyMax: shape.ConcurrencyMax,
      filters: shape.Filters,
      reportsFailures: shape.ReportsFailures,
      enabled: shape.Enabled,
    },
  };
}

export function busOf({ BusName, Description }: WantedBusShape): WantedBus {
  return { name: BusName, description: Description };
}

export function ruleOf({ FunctionName, BusName, RuleName, Pattern, Format, Enabled }: WantedRuleShape): RuleTrigger {
  return {
    functionName: FunctionName,
    busName: BusName,
    ruleName: RuleName,
    options: { pattern: Pattern, format: Format, enabled: Enabled },
  };
}

export function scheduleOf({ FunctionName, ScheduleName, Expression, Timezone, Input, Enabled }: WantedScheduleShape): ScheduleTrigger {
  return {
    functionName: FunctionName,
    scheduleName: ScheduleName,
    options: { expression: Expression, zone: Timezone, input: Input, enabled: Enabled },
  };
}

export function bucketOf({ BucketName }: WantedBucketShape): WantedBucket {
  return { name: BucketName };
}

export function uploadOf({ FunctionName, BucketName, UploadName, Event, Prefix, Suffix }: WantedUploadShape): UploadTrigger {
  return {
    ...{ functionName: FunctionName, bucketName: BucketName, uploadName: UploadName },
    options: { event: Event, prefix: Prefix, suffix: Suffix },
  };
}

export function windowOf({ WindowName, Declaration, Restart }: WantedWindowShape): WantedWindow {
  return { name: WindowName, declaration: Declaration, restart: Restart };
}

export function wiringShape(change: DeploymentPlan["wiring"][number]): WiringChangeShape {
  const fields = "fields" in change ? change.fields.map(({ field, from, to }) => ({ Field: field, From: from, To: to })) : [];
  return { Kind: change.kind, ...namesOf(change), ...(fields.length > 0 ? { Fields: fields } : {}) };
}

function namesOf(change: DeploymentPlan["wiring"][number]): Omit<WiringChangeShape, "Kind" | "Fields"> {
  if ("queueName" in change)
    return { QueueName: change.queueName, ...("functionName" in change ? { FunctionName: change.functionName } : {}) };
  if ("stream" in change) return { StreamName: change.stream.name };
  if ("streamTrigger" in change) {
    const { streamName, functionName } = change.streamTrigger;
    return { StreamName: streamName, FunctionName: functionName };
  }
  if ("windowName" in change) return { WindowName: change.windowName };
  if ("bucket" in change) return { BucketName: change.bucket.name };
  if ("upload" in change) {
    const { bucketName, uploadName, functionName } = change.upload;
    return { BucketName: bucketName, UploadName: uploadName, FunctionName: functionName };
  }
  if ("bus" in change) return { BusName: change.bus.name };
  if ("rule" in change) return { BusName: change.rule.busName, RuleName: change.rule.ruleName, FunctionName: change.rule.functionName };
  return { ScheduleName: change.schedule.scheduleName, FunctionName: change.schedule.functionName };
}
