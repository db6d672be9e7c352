/** A queue's attributes as SQS names them: texts, seconds, JSON in texts. The rules for their values are those of `queues/`. */
import { LambentError } from "../../base/index.ts";
import type { QueueRecord, QueueSettings, Redrive, RedriveAllow } from "../../queues/index.ts";
import { parsePolicy } from "../../security/index.ts";

/** Characters of a queue's policy. @limit */
export const QUEUE_POLICY_CHARS_MAX = 8_192;
/** Characters of any other attribute. */
const VALUE_CHARS_MAX = 4_096;

type Attributes = Readonly<Record<string, string | undefined>>;
type Member = keyof QueueSettings;

/** One attribute that can be set. */
interface Settable {
  readonly member: Member;
  read(text: string): Partial<QueueSettings>;
  /** Undefined: it is not there. */
  write(settings: QueueSettings): string | undefined;
}

const SETTABLE: Readonly<Record<string, Settable>> = {
  VisibilityTimeout: numeric("VisibilityTimeout", "visibilityMs", 1_000),
  MaximumMessageSize: numeric("MaximumMessageSize", "messageBytesMax", 1),
  MessageRetentionPeriod: numeric("MessageRetentionPeriod", "retentionMs", 1_000),
  DelaySeconds: numeric("DelaySeconds", "delayMs", 1_000),
  ReceiveMessageWaitTimeSeconds: numeric("ReceiveMessageWaitTimeSeconds", "waitMs", 1_000),
  KmsDataKeyReusePeriodSeconds: {
    ...numeric("KmsDataKeyReusePeriodSeconds", "kmsReuseMs", 1_000),
    write: ({ kmsKeyId, kmsReuseMs }) => (kmsKeyId === undefined ? undefined : String(kmsReuseMs / 1_000)),
  },
  Policy: {
    member: "policy",
    read: (text) => ({ policy: text === "" ? undefined : checkedPolicy(text) }),
    write: ({ policy }) => policy,
  },
  RedrivePolicy: {
    member: "redrive",
    read: (text) => ({ redrive: text === "" ? undefined : redriveOf(text) }),
    write: ({ redrive }) => redrive && JSON.stringify({ deadLetterTargetArn: redrive.target, maxReceiveCount: redrive.receivesMax }),
  },
  RedriveAllowPolicy: {
    member: "redriveAllow",
    read: (text) => ({ redriveAllow: text === "" ? undefined : redriveAllowOf(text) }),
    write: ({ redriveAllow }) => redriveAllow && redriveAllowText(redriveAllow),
  },
  KmsMasterKeyId: {
    member: "kmsKeyId",
    read: (text) => (text === "" ? { kmsKeyId: undefined } : { kmsKeyId: text, managedEncryption: false }),
    write: ({ kmsKeyId }) => kmsKeyId,
  },
  SqsManagedSseEnabled: {
    member: "managedEncryption",
    read: (text) => ({ managedEncryption: truth("SqsManagedSseEnabled", text) }),
    write: ({ managedEncryption }) => String(managedEncryption),
  },
  FifoQueue: {
    member: "kind",
    // A standard queue has no such attribute, not even with the value false.
    read: (text) => {
      if (!truth("FifoQueue", text)) throw unknown("FifoQueue");
      return { kind: "fifo" };
    },
    write: ({ kind }) => (kind === "fifo" ? "true" : undefined),
  },
  ContentBasedDeduplication: {
    member: "contentBasedDeduplication",
    read: (text) => ({ contentBasedDeduplication: truth("ContentBasedDeduplication", text) }),
    write: (settings) => ofFifo(settings, String(settings.contentBasedDeduplication)),
  },
  DeduplicationScope: {
    member: "deduplicationScope",
    read: (text) => ({ deduplicationScope: oneOf("DeduplicationScope", text, ["queue", "messageGroup"]) }),
    write: (settings) => ofFifo(settings, settings.deduplicationScope),
  },
  FifoThroughputLimit: {
    member: "throughputLimit",
    read: (text) => ({ throughputLimit: oneOf("FifoThroughputLimit", text, ["perQueue", "perMessageGroupId"]) }),
    write: (settings) => ofFifo(settings, settings.throughputLimit),
  },
};

/** What is counted of a queue at this moment. */
export interface QueueFigures {
  readonly arn: string;
  readonly visible: number;
  readonly leased: number;
  readonly delayed: number;
}

const READ_ONLY: Readonly<Record<string, (record: QueueRecord, figures: QueueFigures) => string>> = {
  QueueArn: (_record, { arn }) => arn,
  ApproximateNumberOfMessages: (_record, { visible }) => String(visible),
  ApproximateNumberOfMessagesNotVisible: (_record, { leased }) => String(leased),
  ApproximateNumberOfMessagesDelayed: (_record, { delayed }) => String(delayed),
  CreatedTimestamp: ({ createdAt }) => String(Math.floor(createdAt / 1_000)),
  LastModifiedTimestamp: ({ modifiedAt }) => String(Math.floor(modifiedAt / 1_000)),
};

/** `settings` with the attributes set, and which settings those are. */
export function withAttributes(
  settings: QueueSettings,
  attributes: Attributes,
): { readonly settings: QueueSettings; readonly given: readonly Member[] } {
  let changed = settings;
  const given: Member[] = [];
  for (const [name, text] of Object.entries(attributes)) {
    const settable = Object.hasOwn(SETTABLE, name) ? SETTABLE[name] : undefined;
    if (!settable || text === undefined) throw unknown(name);
    if (text.length > (name === "Policy" ? QUEUE_POLICY_CHARS_MAX : VALUE_CHARS_MAX)) throw invalid(name, text, "it is too long");
    changed = { ...changed, ...settable.read(text) };
    given.push(settable.member);
  }
  if (attributes["KmsMasterKeyId"] && attributes["SqsManagedSseEnabled"] === "true")
    throw new LambentError(
      "InvalidAttributeValue",
      "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE.",
    );
  return { settings: changed, given };
}

/** The attributes of those names, or all; a name that no queue has is refused. */
export function attributesOf(record: QueueRecord, figures: () => QueueFigures, names: readonly string[]): Record<string, string> {
  const all = names.includes("All");
  const wanted = all ? [...Object.keys(READ_ONLY), ...Object.keys(SETTABLE)] : names;
  const counted = figures();
  const found: Record<string, string> = { __proto__: null } as unknown as Record<string, string>;
  for (const name of wanted) {
    const value = Object.hasOwn(READ_ONLY, name)
      ? READ_ONLY[name]?.(record, counted)
      : Object.hasOwn(SETTABLE, name)
        ? SETTABLE[name]?.write(record.settings)
        : refuseUnknown(name);
    if (value !== undefined) found[name] = value;
  }
  return found;
}

function refuseUnknown(name: string): never {
  throw unknown(name);
}

function unknown(name: string): LambentError {
  return new LambentError("InvalidAttributeName", `Unknown Attribute ${name.slice(0, 256)}.`);
}

function invalid(name: string, text: string, why: string): LambentError {
  return new LambentError(
    "InvalidAttributeValue",
    `Invalid value for the parameter ${name}: ${JSON.stringify(text.slice(0, 256))}. Reason: ${why}.`,
  );
}

function numeric(
  name: string,
  member: "visibilityMs" | "messageBytesMax" | "retentionMs" | "delayMs" | "waitMs" | "kmsReuseMs",
  unit: number,
): Settable {
  return {
    member,
    read(text) {
      if (!/^\d{1,9}$/.test(text)) throw invalid(name, text, "it is a whole number");
      return { [member]: Number(text) * unit };
    },
    write: (settings) => String(settings[member] / unit),
  };
}

function ofFifo({ kind }: QueueSettings, text: string): string | undefined {
  return kind === "fifo" ? text : undefined;
}

function truth(name: string, text: string): boolean {
  return oneOf(name, text.toLowerCase(), ["true", "false"]) === "true";
}

function oneOf<T extends string>(name: string, text: string, values: readonly T[]): T {
  const found = values.find((value) => value === text);
  if (found === undefined) throw invalid(name, text, `it is one of ${values.join(", ")}`);
  return found;
}

function checkedPolicy(text: string): string {
  parsePolicy(text, "resource");
  return text;
}

function redriveOf(text: string): Redrive {
  const { deadLetterTargetArn: target, maxReceiveCount: count } = jsonObject("RedrivePolicy", text);
  const receivesMax = typeof count === "string" && /^\d{1,6}$/.test(count) ? Number(count) : count;
  if (typeof target !== "string" || typeof receivesMax !== "number")
    throw new LambentError(
      "InvalidParameter",
      `Value ${text.slice(0, 256)} for parameter RedrivePolicy is invalid. Reason: It has deadLetterTargetArn and maxReceiveCount.`,
    );
  return { target, receivesMax };
}

function redriveAllowOf(text: string): RedriveAllow {
  const { redrivePermission, sourceQueueArns: sources } = jsonObject("RedriveAllowPolicy", text);
  const kind = oneOf("RedriveAllowPolicy", String(redrivePermission), ["allowAll", "denyAll", "byQueue"]);
  if (kind === "byQueue") {
    if (!Array.isArray(sources) || !sources.every((each): each is string => typeof each === "string"))
      throw invalid("RedriveAllowPolicy", text, "byQueue needs sourceQueueArns, a list of ARNs");
    return { kind, sources };
  }
  if (sources !== undefined) throw invalid("RedriveAllowPolicy", text, `${kind} has no sourceQueueArns`);
  return { kind: kind === "allowAll" ? "all" : "none" };
}

function redriveAllowText(allow: RedriveAllow): string {
  switch (allow.kind) {
    case "all":
      return JSON.stringify({ redrivePermission: "allowAll" });
    case "none":
      return JSON.stringify({ redrivePermission: "denyAll" });
    case "byQueue":
      return JSON.stringify({ redrivePermission: "byQueue", sourceQueueArns: allow.sources });
  }
}

function jsonObject(name: string, text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Falls through: what is not JSON is refused like what is no object.
  }
  throw invalid(name, text, "it is a JSON object");
}
