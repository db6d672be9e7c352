import { boolean, inQuery, integer, list, operation, optional, string, structure, type TypeOf } from "../../wire/index.ts";

/** The part of Lambent's own API that is about streams: those of an application, and triggers that call functions with what lies in them. */

const functionName = () => string({ pattern: "[A-Za-z0-9_-]{1,64}" });
/** With a version or an alias behind a colon. */
const functionReference = () => string({ pattern: "[A-Za-z0-9_-]{1,64}(:[A-Za-z0-9$_-]{1,128})?" });
export const streamName = () => string({ pattern: "[a-zA-Z0-9._-]{1,249}" });
/** As what it is read, and made where it is missing. */
const source = () => string({ enum: ["kafka", "kinesis"] });
/** What the function gets: Kinesis' event, Kafka's, or the bare values in an array. */
const form = () => string({ enum: ["kinesis", "kafka", "json"] });
/** `start`, `latest`, or a time. */
const from = () => string({ min: 4, max: 40 });
const filters = () => list(string({ max: 4_096 }), { max: 100 });
/** -1: for ever. */
const retentionMs = () => integer({ min: -1 });

export const wantedStream = structure("WantedStream", {
  StreamName: streamName(),
  Partitions: optional(integer({ min: 1 })),
  RetentionMs: optional(retentionMs()),
});

const ALWAYS_SET = {
  BatchSize: integer({ min: 1 }),
  WindowMs: integer({ min: 0 }),
  /** Batches of one partition at once. */
  Parallelization: integer({ min: 1 }),
  Bisects: boolean(),
  /** 0: no tumbling windows. */
  TumblingMs: integer({ min: 0 }),
  Filters: filters(),
  ReportsFailures: boolean(),
  Enabled: boolean(),
};
/** Left out: for as long as the stream keeps the records, and nobody is told. */
const BOUNDS = {
  RetriesMax: optional(integer({ min: 0 })),
  RecordAgeMsMax: optional(integer({ min: 1 })),
  /** `queue:<name>`, or the ARN of a queue, a topic or a bucket. */
  OnFailure: optional(string({ min: 1, max: 400 })),
};

/** A trigger is declared whole: what is left out is the default. */
export const wantedStreamTrigger = structure("WantedStreamTrigger", {
  FunctionName: functionName(),
  StreamName: streamName(),
  Source: source(),
  Form: form(),
  From: optional(from()),
  ...ALWAYS_SET,
  ...BOUNDS,
});

const trigger = structure("StreamTrigger", {
  /** Of the event source mapping that it is. */
  UUID: string(),
  FunctionName: functionReference(),
  StreamName: streamName(),
  Form: form(),
  /** Of a topic elsewhere. */
  BootstrapServers: optional(list(string())),
  From: from(),
  ...ALWAYS_SET,
  ...BOUNDS,
  /** As AWS names it. */
  State: string(),
  /** How the last batch went. */
  LastProcessingResult: optional(string()),
});

/** What is left out stays as it is, or is the default where there is no such trigger yet. */
const putRequest = structure("PutStreamTriggerRequest", {
  FunctionName: functionReference(),
  StreamName: streamName(),
  Source: source(),
  Form: form(),
  /** Of a trigger that is there it has to be what it was. */
  From: optional(from()),
  BatchSize: optional(integer({ min: 1 })),
  WindowMs: optional(integer({ min: 0 })),
  Parallelization: optional(integer({ min: 1 })),
  Bisects: optional(boolean()),
  /** -1 takes the bound away. */
  RetriesMax: optional(integer({ min: -1 })),
  RecordAgeMsMax: optional(integer({ min: -1 })),
  /** Empty: nobody. */
  OnFailure: optional(string({ max: 400 })),
  TumblingMs: optional(integer({ min: 0 })),
  Filters: optional(filters()),
  ReportsFailures: optional(boolean()),
  Enabled: optional(boolean()),
  /** `false`: a stream that is missing is refused, and not made. */
  CreateStream: optional(boolean()),
});
const putResponse = structure("PutStreamTriggerResponse", {
  Trigger: trigger,
  Change: string({ enum: ["created", "changed", "none"] }),
  /** The stream that was missing. */
  CreatedStream: optional(structure("CreatedStream", { StreamName: streamName(), Partitions: integer(), RetentionMs: retentionMs() })),
});
const listRequest = structure("ListStreamTriggersRequest", { FunctionName: inQuery("function", optional(functionReference())) });
const listResponse = structure("ListStreamTriggersResponse", { StreamTriggers: list(trigger) });

export type WantedStreamShape = TypeOf<typeof wantedStream>;
export type WantedStreamTriggerShape = TypeOf<typeof wantedStreamTrigger>;
export type StreamTriggerShape = TypeOf<typeof trigger>;
export type PutStreamTriggerRequest = TypeOf<typeof putRequest>;
export type PutStreamTriggerResponse = TypeOf<typeof putResponse>;
export type ListStreamTriggersRequest = TypeOf<typeof listRequest>;
export type ListStreamTriggersResponse = TypeOf<typeof listResponse>;

const PATH = "/_lambent/v1/stream-triggers";

export const STREAM_OPERATIONS = [
  operation("PutStreamTrigger", "PUT", PATH, { input: putRequest, output: putResponse }),
  operation("ListStreamTriggers", "GET", PATH, { input: listRequest, output: listResponse }),
];
