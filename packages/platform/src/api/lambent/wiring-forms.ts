import type { QueueOptions, Trigger, WantedQueue, WiringChange } from "../../apps/index.ts";
import type { WantedQueueShape, WantedTriggerShape, WiringChangeShape } from "./schema.ts";

/** Between the API's shapes and the forms of `apps/`, for queues and triggers. */

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

export function wiringShape(change: WiringChange): WiringChangeShape {
  const fields = "fields" in change ? change.fields.map(({ field, from, to }) => ({ Field: field, From: from, To: to })) : [];
  return {
    Kind: change.kind,
    QueueName: change.queueName,
    ...("functionName" in change ? { FunctionName: change.functionName } : {}),
    ...(fields.length > 0 ? { Fields: fields } : {}),
  };
}
