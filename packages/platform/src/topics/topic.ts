import { parsePolicy } from "../security/index.ts";
import type { Instant } from "../base/index.ts";
import { checkHealthyRetryPolicy, type TopicDeliveryPolicy } from "./delivery-policy.ts";
import { invalid } from "./refused.ts";
import type { SignatureVersion } from "./signing.ts";

/** Characters of a topic's display name. @limit */
export const DISPLAY_NAME_LENGTH_MAX = 100;
/** Bytes of a topic's policy. @limit */
export const TOPIC_POLICY_BYTES_MAX = 30_720;

export interface TopicSettings {
  readonly displayName: string;
  /** Resource policy, JSON text; undefined: the account's own. */
  readonly policy: string | undefined;
  readonly deliveryPolicy: TopicDeliveryPolicy | undefined;
  /** Stored and read back; messages lie in the data folder as they are. */
  readonly kmsKeyId: string | undefined;
  readonly signatureVersion: SignatureVersion;
  readonly tracing: "PassThrough" | "Active";
  readonly contentBasedDeduplication: boolean;
  /** Among which messages a deduplication id counts: all of the topic, or those of a group. */
  readonly deduplicationScope: "Topic" | "MessageGroup";
}

export const DEFAULT_TOPIC_SETTINGS: TopicSettings = {
  displayName: "",
  policy: undefined,
  deliveryPolicy: undefined,
  kmsKeyId: undefined,
  signatureVersion: "1",
  tracing: "PassThrough",
  contentBasedDeduplication: false,
  deduplicationScope: "Topic",
};

export interface TopicRecord {
  readonly name: string;
  /** Another one each time a topic of this name is created: names its cell. */
  readonly id: string;
  readonly kind: "standard" | "fifo";
  readonly settings: TopicSettings;
  readonly tags: Readonly<Record<string, string>>;
  readonly createdAt: Instant;
  /** Subscriptions that were ended since. */
  readonly subscriptionsDeleted: number;
}

/** Refuses settings that break a rule, alone or together. */
export function checkTopicSettings(settings: TopicSettings, kind: TopicRecord["kind"]): void {
  const { displayName, policy, deliveryPolicy } = settings;
  if (displayName.length > DISPLAY_NAME_LENGTH_MAX) throw invalid("DisplayName");
  if (policy !== undefined) {
    if (Buffer.byteLength(policy) > TOPIC_POLICY_BYTES_MAX) throw invalid("Policy length exceeds the limit");
    parsePolicy(policy, "resource");
  }
  if (kind === "standard" && settings.contentBasedDeduplication)
    throw invalid("Content-based deduplication can only be set for FIFO topics");
  if (kind === "standard" && settings.deduplicationScope !== DEFAULT_TOPIC_SETTINGS.deduplicationScope)
    throw invalid("FifoThroughputScope can only be set for FIFO topics");
  if (kind === "fifo" && deliveryPolicy) throw invalid("DeliveryPolicy is not supported for FIFO topics");
  if (deliveryPolicy?.healthyRetryPolicy) checkHealthyRetryPolicy(deliveryPolicy.healthyRetryPolicy);
}
