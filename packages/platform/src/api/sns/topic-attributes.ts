/** A topic's attributes as SNS names them: texts, JSON in texts. The rules for their values are those of `topics/`. */
import { LambentError } from "../../base/index.ts";
import type { Realm } from "../../model/index.ts";
import { invalid, topicArn, type TopicRecord, type TopicSettings } from "../../topics/index.ts";
import { effectiveTopicPolicyText, topicPolicyOf, topicPolicyText } from "./delivery-policies.ts";

type Attributes = Readonly<Record<string, string | undefined>>;
type Member = keyof TopicSettings;

interface Settable {
  readonly member: Member;
  read(text: string): Partial<TopicSettings>;
}

const SETTABLE: Readonly<Record<string, Settable>> = {
  DisplayName: { member: "displayName", read: (text) => ({ displayName: text }) },
  Policy: { member: "policy", read: (text) => ({ policy: text === "" ? undefined : text }) },
  DeliveryPolicy: { member: "deliveryPolicy", read: (text) => ({ deliveryPolicy: topicPolicyOf(text) }) },
  KmsMasterKeyId: { member: "kmsKeyId", read: (text) => ({ kmsKeyId: text === "" ? undefined : text }) },
  SignatureVersion: { member: "signatureVersion", read: (text) => ({ signatureVersion: oneOf("SignatureVersion", text, ["1", "2"]) }) },
  TracingConfig: { member: "tracing", read: (text) => ({ tracing: oneOf("TracingConfig", text, ["PassThrough", "Active"]) }) },
  ContentBasedDeduplication: {
    member: "contentBasedDeduplication",
    read: (text) => ({ contentBasedDeduplication: truth("ContentBasedDeduplication", text) }),
  },
  FifoThroughputScope: {
    member: "deduplicationScope",
    read: (text) => ({ deduplicationScope: oneOf("FifoThroughputScope", text, ["Topic", "MessageGroup"]) }),
  },
};

/** Real attributes whose effect is not built: taking them silently would promise it. */
const UNBUILT = /^(ArchivePolicy|(HTTP|Lambda|SQS|Application|Firehose)(Success|Failure)Feedback(RoleArn|SampleRate))$/;
const VALUE_CHARS_MAX = 262_144;

/** `settings` with the attributes set, and which settings those are. */
export function withTopicAttributes(
  settings: TopicSettings,
  attributes: Attributes,
): { readonly settings: TopicSettings; readonly given: readonly Member[] } {
  let changed = settings;
  const given: Member[] = [];
  for (const [name, text = ""] of Object.entries(attributes)) {
    if (UNBUILT.test(name)) throw new LambentError("NotImplemented", `The topic attribute ${name} is not built in Lambent.`);
    const settable = Object.hasOwn(SETTABLE, name) ? SETTABLE[name] : undefined;
    if (!settable) throw invalid("AttributeName");
    if (text.length > VALUE_CHARS_MAX) throw invalid("AttributeValue Reason: it is too long");
    changed = { ...changed, ...settable.read(text) };
    given.push(settable.member);
  }
  return { settings: changed, given };
}

/** What of the attributes says which kind of topic it is, and the others. */
export function kindOf(attributes: Attributes): { readonly kind: TopicRecord["kind"]; readonly others: Attributes } {
  const { FifoTopic: fifo, ...others } = attributes;
  return { kind: fifo !== undefined && truth("FifoTopic", fifo) ? "fifo" : "standard", others };
}

/** All that a topic has. */
export function topicAttributes(
  realm: Realm,
  record: TopicRecord,
  counts: { readonly confirmed: number; readonly pending: number },
): Record<string, string> {
  const { settings, kind, name, subscriptionsDeleted } = record;
  const { policy, deliveryPolicy, kmsKeyId } = settings;
  const arn = topicArn(realm, name);
  return {
    TopicArn: arn,
    Owner: realm.account,
    Policy: policy ?? defaultPolicy(realm, name),
    DisplayName: settings.displayName,
    SubscriptionsConfirmed: String(counts.confirmed),
    SubscriptionsPending: String(counts.pending),
    SubscriptionsDeleted: String(subscriptionsDeleted),
    EffectiveDeliveryPolicy: effectiveTopicPolicyText(deliveryPolicy),
    ...(deliveryPolicy ? { DeliveryPolicy: topicPolicyText(deliveryPolicy) } : {}),
    ...(kmsKeyId === undefined ? {} : { KmsMasterKeyId: kmsKeyId }),
    SignatureVersion: settings.signatureVersion,
    TracingConfig: settings.tracing,
    ...(kind === "fifo"
      ? {
          FifoTopic: "true",
          ContentBasedDeduplication: String(settings.contentBasedDeduplication),
          FifoThroughputScope: settings.deduplicationScope,
        }
      : {}),
  };
}

/** What a topic has that was given no policy: its own account's leave, which that account's policies go on about. */
export function defaultPolicy(realm: Realm, name: string): string {
  const actions = ["GetTopicAttributes", "SetTopicAttributes", "AddPermission", "RemovePermission", "DeleteTopic"];
  return JSON.stringify({
    Version: "2008-10-17",
    Id: "__default_policy_ID",
    Statement: [
      {
        Effect: "Allow",
        Sid: "__default_statement_ID",
        Principal: { AWS: "*" },
        Action: [...actions, "Subscribe", "ListSubscriptionsByTopic", "Publish"].map((action) => `SNS:${action}`),
        Resource: topicArn(realm, name),
        Condition: { StringEquals: { "AWS:SourceOwner": realm.account } },
      },
    ],
  });
}

function truth(name: string, text: string): boolean {
  return oneOf(name, text.toLowerCase(), ["true", "false"]) === "true";
}

function oneOf<T extends string>(name: string, text: string, values: readonly T[]): T {
  const found = values.find((value) => value === text);
  if (found === undefined) throw invalid(`${name}: ${JSON.stringify(text.slice(0, 100))} is not one of ${values.join(", ")}`);
  return found;
}
