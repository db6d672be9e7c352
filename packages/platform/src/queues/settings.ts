import { LambentError } from "../base/index.ts";

const SECOND_MS = 1_000;
const DAY_MS = 86_400_000;

/** Bytes of a message with its attributes, and of all messages of one batch. @limit */
export const MESSAGE_BYTES_MAX = 1_048_576;
/** Receives after which a message may be moved at most. @limit */
export const RECEIVE_COUNT_MAX = 1_000;
/** Queues named in a redrive-allow policy. @limit */
export const REDRIVE_SOURCES_MAX = 10;

/** Where messages go that were received too often. */
export interface Redrive {
  readonly target: string;
  readonly receivesMax: number;
}

/** Which queues may name this one as their dead-letter queue. */
export type RedriveAllow =
  | { readonly kind: "all" }
  | { readonly kind: "none" }
  | { readonly kind: "byQueue"; readonly sources: readonly string[] };

export interface QueueSettings {
  readonly kind: "standard" | "fifo";
  readonly visibilityMs: number;
  readonly retentionMs: number;
  readonly delayMs: number;
  readonly messageBytesMax: number;
  readonly waitMs: number;
  readonly redrive: Redrive | undefined;
  /** Undefined: nobody said; like `all`. */
  readonly redriveAllow: RedriveAllow | undefined;
  readonly contentBasedDeduplication: boolean;
  readonly deduplicationScope: "queue" | "messageGroup";
  readonly throughputLimit: "perQueue" | "perMessageGroupId";
  /** Resource policy, JSON text. */
  readonly policy: string | undefined;
  /** Stored and read back; messages lie in the data folder as they are. */
  readonly kmsKeyId: string | undefined;
  readonly kmsReuseMs: number;
  readonly managedEncryption: boolean;
}

export const DEFAULT_QUEUE_SETTINGS: QueueSettings = {
  kind: "standard",
  visibilityMs: 30 * SECOND_MS,
  retentionMs: 4 * DAY_MS,
  delayMs: 0,
  messageBytesMax: MESSAGE_BYTES_MAX,
  waitMs: 0,
  redrive: undefined,
  redriveAllow: undefined,
  contentBasedDeduplication: false,
  deduplicationScope: "queue",
  throughputLimit: "perQueue",
  policy: undefined,
  kmsKeyId: undefined,
  kmsReuseMs: 300 * SECOND_MS,
  managedEncryption: true,
};

type Ranged = "visibilityMs" | "retentionMs" | "delayMs" | "messageBytesMax" | "waitMs" | "kmsReuseMs";

/** Names are those that whoever sets them knows, ranges in the unit they set. */
const RANGES: readonly (readonly [member: Ranged, name: string, unit: number, min: number, max: number])[] = [
  ["visibilityMs", "VisibilityTimeout", SECOND_MS, 0, 43_200],
  ["retentionMs", "MessageRetentionPeriod", SECOND_MS, 60, 1_209_600],
  ["delayMs", "DelaySeconds", SECOND_MS, 0, 900],
  ["messageBytesMax", "MaximumMessageSize", 1, 1_024, MESSAGE_BYTES_MAX],
  ["waitMs", "ReceiveMessageWaitTimeSeconds", SECOND_MS, 0, 20],
  ["kmsReuseMs", "KmsDataKeyReusePeriodSeconds", SECOND_MS, 60, 86_400],
];

/** Refuses settings of which a single one, or two together, break a rule. Other queues are not asked. */
export function checkSettings(settings: QueueSettings): void {
  for (const [member, name, unit, min, max] of RANGES) {
    const value = settings[member] / unit;
    if (!Number.isInteger(value) || value < min || value > max)
      throw new LambentError(
        "InvalidAttributeValue",
        `Invalid value for the parameter ${name}: it is ${value}, and may be ${min} to ${max}.`,
      );
  }
  if (
    settings.kind === "standard" &&
    (settings.contentBasedDeduplication || settings.deduplicationScope !== "queue" || settings.throughputLimit !== "perQueue")
  )
    throw new LambentError("InvalidAttributeName", "Deduplication and throughput by group are attributes of FIFO queues.");
  if (settings.throughputLimit === "perMessageGroupId" && settings.deduplicationScope !== "messageGroup")
    throw new LambentError("InvalidAttributeValue", "FifoThroughputLimit perMessageGroupId needs DeduplicationScope messageGroup.");
  const { redrive, redriveAllow } = settings;
  if (redrive && !(Number.isInteger(redrive.receivesMax) && redrive.receivesMax >= 1 && redrive.receivesMax <= RECEIVE_COUNT_MAX))
    throw new LambentError(
      "InvalidParameter",
      `Value ${redrive.receivesMax} for parameter RedrivePolicy is invalid. Reason: Invalid value for maxReceiveCount: ${redrive.receivesMax}, valid values are from 1 to ${RECEIVE_COUNT_MAX} both inclusive.`,
    );
  if (redriveAllow?.kind === "byQueue" && (redriveAllow.sources.length < 1 || redriveAllow.sources.length > REDRIVE_SOURCES_MAX))
    throw new LambentError(
      "InvalidAttributeValue",
      `sourceQueueArns has ${redriveAllow.sources.length} entries; it has 1 to ${REDRIVE_SOURCES_MAX}.`,
    );
}
