/** Delivery policies as SNS's JSON texts. Their rules are those of `topics/`. */
import {
  type BackoffFunction,
  checkHealthyRetryPolicy,
  DEFAULT_HEALTHY_RETRY_POLICY,
  type DeliveryPolicy,
  effectivePolicy,
  type HealthyRetryPolicy,
  invalid,
  type TopicDeliveryPolicy,
} from "../../topics/index.ts";
import { LambentError } from "../../base/index.ts";

const FUNCTIONS: readonly BackoffFunction[] = ["linear", "arithmetic", "geometric", "exponential"];
const CONTENT_TYPE = /^[A-Za-z0-9.+-]{1,64}\/[A-Za-z0-9.+-]{1,64}(; ?charset=[A-Za-z0-9-]{1,32})?$/i;

type Members = ReadonlyMap<string, unknown>;

/** A subscription's policy; undefined for an empty text. */
export function subscriptionPolicyOf(text: string): DeliveryPolicy | undefined {
  if (text === "") return undefined;
  const members = objectOf("DeliveryPolicy", parsed(text), [
    "healthyRetryPolicy",
    "sicklyRetryPolicy",
    "throttlePolicy",
    "requestPolicy",
    "guaranteed",
  ]);
  refuseUnbuilt(members, ["sicklyRetryPolicy", "throttlePolicy", "guaranteed"]);
  return { healthyRetryPolicy: retryOf(members.get("healthyRetryPolicy")), contentType: contentTypeOf(members.get("requestPolicy")) };
}

/** A topic's policy; undefined for an empty text. */
export function topicPolicyOf(text: string): TopicDeliveryPolicy | undefined {
  if (text === "") return undefined;
  const http = objectOf("DeliveryPolicy", parsed(text), ["http"]).get("http");
  const names = [
    "defaultHealthyRetryPolicy",
    "disableSubscriptionOverrides",
    "defaultThrottlePolicy",
    "defaultRequestPolicy",
    "defaultSicklyRetryPolicy",
  ];
  const members = objectOf("http", http, names);
  refuseUnbuilt(members, ["defaultThrottlePolicy", "defaultSicklyRetryPolicy"]);
  return {
    healthyRetryPolicy: retryOf(members.get("defaultHealthyRetryPolicy")),
    contentType: contentTypeOf(members.get("defaultRequestPolicy")),
    disableSubscriptionOverrides: members.get("disableSubscriptionOverrides") === true,
  };
}

export function subscriptionPolicyText({ healthyRetryPolicy, contentType }: DeliveryPolicy): string {
  return JSON.stringify({
    ...(healthyRetryPolicy ? { healthyRetryPolicy } : {}),
    ...(contentType === undefined ? {} : { requestPolicy: { headerContentType: contentType } }),
  });
}

export function topicPolicyText(policy: TopicDeliveryPolicy): string {
  const { healthyRetryPolicy, contentType, disableSubscriptionOverrides } = policy;
  return JSON.stringify({
    http: {
      ...(healthyRetryPolicy ? { defaultHealthyRetryPolicy: healthyRetryPolicy } : {}),
      disableSubscriptionOverrides,
      ...(contentType === undefined ? {} : { defaultRequestPolicy: { headerContentType: contentType } }),
    },
  });
}

/** What counts for a topic, once defaults are filled in. */
export function effectiveTopicPolicyText(policy: TopicDeliveryPolicy | undefined): string {
  return topicPolicyText({
    ...effectivePolicy(policy, undefined),
    disableSubscriptionOverrides: policy?.disableSubscriptionOverrides ?? false,
  });
}

/** What counts for a subscription. */
export function effectiveSubscriptionPolicyText(topic: TopicDeliveryPolicy | undefined, own: DeliveryPolicy | undefined): string {
  return subscriptionPolicyText(effectivePolicy(topic, own));
}

function retryOf(value: unknown): HealthyRetryPolicy | undefined {
  if (value === undefined || value === null) return undefined;
  const names = Object.keys(DEFAULT_HEALTHY_RETRY_POLICY);
  const members = objectOf("healthyRetryPolicy", value, names);
  const set = Object.fromEntries([...members].filter(([, each]) => each !== null));
  const policy = { ...DEFAULT_HEALTHY_RETRY_POLICY, ...set } as HealthyRetryPolicy;
  if (!FUNCTIONS.includes(policy.backoffFunction)) throw invalid(`DeliveryPolicy: backoffFunction must be one of ${FUNCTIONS.join(", ")}`);
  checkHealthyRetryPolicy(policy);
  return policy;
}

function contentTypeOf(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  const type = objectOf("requestPolicy", value, ["headerContentType"]).get("headerContentType");
  if (type !== undefined && (typeof type !== "string" || !CONTENT_TYPE.test(type)))
    throw invalid("DeliveryPolicy: headerContentType must be a MIME type");
  return type;
}

/** What is null is not set, as SNS itself writes it. */
function refuseUnbuilt(members: Members, names: readonly string[]): void {
  const set = names.find((name) => members.get(name) !== undefined && members.get(name) !== null);
  if (set !== undefined) throw new LambentError("NotImplemented", `${set} of a delivery policy is not built in Lambent.`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalid("DeliveryPolicy: failed to parse JSON");
  }
}

/** A map, because names like `__proto__` come from outside. */
function objectOf(what: string, value: unknown, names: readonly string[]): Members {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalid(`DeliveryPolicy: ${what} must be a JSON object`);
  const members = new Map<string, unknown>(Object.entries(value));
  const unknown = [...members.keys()].find((name) => !names.includes(name));
  if (unknown !== undefined) throw invalid(`DeliveryPolicy: Unrecognized field "${unknown.slice(0, 100)}" of ${what}`);
  return members;
}
