import { boolean, integer, list, optional, string, structure, type TypeOf } from "../../wire/index.ts";
import { streamName, wantedStream, wantedStreamTrigger } from "./stream-schema.ts";

/** The part of Lambent's own API that is about what calls functions: queues, buses, rules, schedules, buckets and rules of those of an application. */

const functionName = () => string({ pattern: "[A-Za-z0-9_-]{1,64}" });
const queueName = () => string({ min: 1, max: 80 });
const busName = () => string({ min: 1, max: 256 });
/** Of a rule, or a schedule. */
const triggerName = () => string({ pattern: "[A-Za-z0-9._-]{1,64}" });

const wantedQueue = structure("WantedQueue", {
  QueueName: queueName(),
  VisibilityMs: optional(integer({ min: 0 })),
  RetentionMs: optional(integer({ min: 0 })),
  DelayMs: optional(integer({ min: 0 })),
  /** Where messages go that were received `After` times. */
  DeadLetter: optional(structure("DeadLetter", { QueueName: queueName(), After: integer({ min: 1 }) })),
  ContentDeduplication: optional(boolean()),
});

/** A trigger is declared whole: what is left out is the default. */
const wantedTrigger = structure("WantedTrigger", {
  FunctionName: functionName(),
  QueueName: queueName(),
  BatchSize: integer({ min: 1 }),
  WindowMs: integer({ min: 0 }),
  ConcurrencyMax: optional(integer({ min: 1 })),
  Filters: list(string({ max: 4_096 }), { max: 100 }),
  ReportsFailures: boolean(),
  Enabled: boolean(),
});

const wantedBus = structure("WantedBus", { BusName: busName(), Description: optional(string({ max: 512 })) });

const wantedRule = structure("WantedRule", {
  FunctionName: functionName(),
  BusName: busName(),
  RuleName: triggerName(),
  Pattern: string({ max: 4_096 }),
  Format: string({ enum: ["aws", "cloudevent"] }),
  Enabled: boolean(),
});

const wantedSchedule = structure("WantedSchedule", {
  FunctionName: functionName(),
  ScheduleName: triggerName(),
  Expression: string({ max: 256 }),
  Timezone: string({ max: 50 }),
  Input: optional(string({ max: 262_144 })),
  Enabled: boolean(),
});

const bucketName = () => string({ pattern: "[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]" });
const wantedBucket = structure("WantedBucket", { BucketName: bucketName() });

const wantedUpload = structure("WantedUpload", {
  FunctionName: functionName(),
  BucketName: bucketName(),
  /** Of the notification rule, in its bucket. */
  UploadName: triggerName(),
  /** As S3 spells it. */
  Event: string({ min: 1, max: 100 }),
  Prefix: string({ max: 1_024 }),
  Suffix: string({ max: 1_024 }),
});

const windowName = () => string({ pattern: "[A-Za-z0-9._-]{1,64}" });
const wantedWindow = structure("WantedWindow", {
  WindowName: windowName(),
  /** JSON: what `lambent.yaml` has under its name. */
  Declaration: string({ min: 2, max: 65_536 }),
  /** From where it begins anew, should a change make that necessary; left out, such a change is refused. */
  Restart: optional(string({ max: 40 })),
});

export const WIRING_MEMBERS = {
  /** Those that are there and not named stay. */
  Queues: optional(list(wantedQueue, { max: 200 })),
  /** Those that the application brought and does not name any more are removed. */
  Triggers: optional(list(wantedTrigger, { max: 400 })),
  /** Those that are there and not named stay; those that only a rule names are created, too. */
  Buses: optional(list(wantedBus, { max: 100 })),
  /** As with triggers. */
  Rules: optional(list(wantedRule, { max: 400 })),
  Schedules: optional(list(wantedSchedule, { max: 400 })),
  /** Those that are there and not named stay; those that only an upload names are created, too. */
  Buckets: optional(list(wantedBucket, { max: 100 })),
  /** Rules of buckets that call functions; as with triggers. */
  Uploads: optional(list(wantedUpload, { max: 400 })),
  /** Those that are there and not named stay; those that only a trigger names are created, too. */
  Streams: optional(list(wantedStream, { max: 200 })),
  /** As with triggers. */
  StreamTriggers: optional(list(wantedStreamTrigger, { max: 400 })),
  /** Managed windows; as with triggers. */
  Windows: optional(list(wantedWindow, { max: 100 })),
};

export const fieldChange = structure("FieldChange", { Field: string(), From: string(), To: string() });

/** A change of a queue, of a bus, of a bucket, of a stream, of a managed window, or of what calls a function from there: those have a function. */
export const wiringChange = structure("WiringChange", {
  Kind: string({
    enum: [
      ...["createQueue", "updateQueue", "createTrigger", "updateTrigger", "removeTrigger"],
      ...["createBus", "updateBus", "createRule", "updateRule", "removeRule", "createSchedule", "updateSchedule", "removeSchedule"],
      ...["createBucket", "createUpload", "updateUpload", "removeUpload"],
      ...["createStream", "updateStream", "createStreamTrigger", "updateStreamTrigger", "removeStreamTrigger"],
      ...["createWindow", "updateWindow", "removeWindow"],
    ],
  }),
  QueueName: optional(queueName()),
  BusName: optional(busName()),
  RuleName: optional(triggerName()),
  ScheduleName: optional(triggerName()),
  BucketName: optional(bucketName()),
  UploadName: optional(triggerName()),
  StreamName: optional(streamName()),
  WindowName: optional(windowName()),
  FunctionName: optional(functionName()),
  Fields: optional(list(fieldChange)),
});

export type WantedQueueShape = TypeOf<typeof wantedQueue>;
export type WantedTriggerShape = TypeOf<typeof wantedTrigger>;
export type WantedBusShape = TypeOf<typeof wantedBus>;
export type WantedRuleShape = TypeOf<typeof wantedRule>;
export type WantedScheduleShape = TypeOf<typeof wantedSchedule>;
export type WantedBucketShape = TypeOf<typeof wantedBucket>;
export type WantedUploadShape = TypeOf<typeof wantedUpload>;
export type WantedWindowShape = TypeOf<typeof wantedWindow>;
export type WiringChangeShape = TypeOf<typeof wiringChange>;
