/** What of streams an application wants: streams, and triggers that call functions with what lies in them. */
import type { Realm } from "../model/index.ts";

export interface StreamOptions {
  /** Those that take records. */
  readonly partitions: number;
  /** -1: for ever. */
  readonly retentionMs: number;
}

/** What a document leaves out stays; a new stream gets the default. */
export interface WantedStream {
  readonly name: string;
  readonly options: Partial<StreamOptions>;
}

export interface CurrentStream {
  readonly name: string;
  readonly options: StreamOptions;
}

/** A stream that is missing, and as whose it is made: each has its own defaults, and its own way to spread keys. */
export interface NewStream extends WantedStream {
  readonly madeBy: "lambent" | TriggerSource;
}

/** As what a trigger reads its stream: as a topic of Kafka, or as a stream of Kinesis. It is one thing, and what is missing is made so. */
export type TriggerSource = "kafka" | "kinesis";
/** What the function gets: Kinesis' event, Kafka's, or the bare values in an array. */
export type TriggerForm = TriggerSource | "json";

export interface StreamTriggerNames {
  /** With a version or an alias behind a colon, where it is not `$LATEST`. */
  readonly functionName: string;
  readonly streamName: string;
  readonly form: TriggerForm;
}

export interface StreamTriggerOptions {
  readonly batchSize: number;
  readonly windowMs: number;
  /** Batches of one partition that run at once. */
  readonly parallelization: number;
  /** A batch that failed is split in two. */
  readonly bisects: boolean;
  /** Undefined: for as long as the stream keeps the records. */
  readonly retriesMax: number | undefined;
  readonly recordAgeMsMax: number | undefined;
  /** `queue:<name>`, or the ARN of a queue, a topic or a bucket. */
  readonly onFailure: string | undefined;
  /** 0: no tumbling windows. */
  readonly tumblingMs: number;
  /** Event patterns, JSON texts; none: every record. */
  readonly filters: readonly string[];
  readonly reportsFailures: boolean;
  readonly enabled: boolean;
}

/** A trigger is declared whole: what a document leaves out is the default. */
export interface StreamTrigger extends StreamTriggerNames {
  readonly source: TriggerSource;
  /** `start`, `latest` or a time, as `readFrom` gives it; undefined: `latest`, or wherever it began when it is there. */
  readonly from: string | undefined;
  readonly options: StreamTriggerOptions;
}

export interface CurrentStreamTrigger extends StreamTriggerNames {
  readonly uuid: string;
  /** Brokers elsewhere that the topic is of; such a one is shown, and AWS's tools made it. */
  readonly brokers?: readonly string[] | undefined;
  readonly from: string;
  readonly options: StreamTriggerOptions;
  /** As AWS names it. */
  readonly state: string;
  /** How its last batch went. */
  readonly result: string | undefined;
}

export const STREAM_TRIGGER_DEFAULTS: StreamTriggerOptions = {
  batchSize: 100,
  windowMs: 0,
  parallelization: 1,
  bisects: false,
  retriesMax: undefined,
  recordAgeMsMax: undefined,
  onFailure: undefined,
  tumblingMs: 0,
  filters: [],
  reportsFailures: false,
  enabled: true,
};

export interface StreamWiring {
  readonly streams: readonly WantedStream[];
  readonly streamTriggers: readonly StreamTrigger[];
}

export interface CurrentStreamWiring {
  readonly streams: ReadonlyMap<string, CurrentStream>;
  /** By `streamTriggerKey`. */
  readonly triggers: ReadonlyMap<string, CurrentStreamTrigger>;
}

/** What an application needs of streams and their triggers: joined to `streams/` and `sources/` where the platform is put together. */
export interface AppStreams {
  /** Undefined when there is no such stream. */
  currentStream(realm: Realm, name: string): Promise<CurrentStream | undefined>;
  createStream(realm: Realm, stream: NewStream): Promise<CurrentStream>;
  updateStream(realm: Realm, stream: WantedStream): Promise<void>;
  currentStreamTrigger(realm: Realm, names: StreamTriggerNames): CurrentStreamTrigger | undefined;
  listStreamTriggers(realm: Realm): CurrentStreamTrigger[];
  /** Throws what no trigger of this form can be set to. */
  checkStreamTrigger(realm: Realm, trigger: Pick<StreamTrigger, "form" | "options">): void;
  /** Makes the trigger, or sets the one that is there to these options. Its stream is there. */
  putStreamTrigger(realm: Realm, trigger: StreamTrigger): Promise<void>;
  removeStreamTrigger(realm: Realm, names: StreamTriggerNames): Promise<void>;
}

/** By which an application remembers such a trigger: none of these names has a space. */
export function streamTriggerKey({ functionName, streamName, form }: StreamTriggerNames): string {
  return `${functionName} stream ${streamName} ${form}`;
}

const TIME = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2}))?$/u;

/** `start`, `latest`, or a time as ISO 8601 has it, of which a date alone begins in UTC; undefined for what is none of these. */
export function readFrom(text: string): string | undefined {
  if (text === "start" || text === "latest") return text;
  const time = TIME.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? undefined : new Date(time).toISOString();
}

const DESTINATION = /^(?:queue:[A-Za-z0-9_-]{1,80}(?:\.fifo)?|arn:[^\s]{1,400})$/u;

/** The trigger with a queue of this realm by its name, whichever way it was named. */
export function withPlainDestination<Trigger extends Pick<StreamTrigger, "options">>(
  { region, account }: Realm,
  trigger: Trigger,
): Trigger {
  const { onFailure } = trigger.options;
  const beginning = `arn:aws:sqs:${region}:${account}:`;
  if (!onFailure?.startsWith(beginning)) return trigger;
  return { ...trigger, options: { ...trigger.options, onFailure: `queue:${onFailure.slice(beginning.length)}` } };
}

/** Whether a text names a destination as `onFailure` does. */
export function isDestination(text: string): boolean {
  return DESTINATION.test(text);
}
