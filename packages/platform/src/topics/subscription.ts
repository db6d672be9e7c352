/** One subscription: what it asks for, where it delivers, and whether its endpoint has agreed. Transitions in `confirmed` and `unsubscribed`. */
import { timingSafeEqual } from "node:crypto";
import type { Instant } from "../base/index.ts";
import type { DeliveryPolicy } from "./delivery-policy.ts";
import { compileFilter, type FilterScope } from "./filter.ts";
import { invalid } from "./refused.ts";

export type SubscriptionProtocol = "sqs" | "lambda" | "http" | "https";

/** How long a token confirms. @limit */
export const CONFIRMATION_MS = 2 * 86_400_000;
/** Characters of an endpoint. @limit */
export const ENDPOINT_LENGTH_MAX = 2_048;

/** Whether messages go to it. */
export type SubscriptionState =
  /** The endpoint was told a token and has not sent it back. */
  | { readonly kind: "pending"; readonly token: string; readonly until: Instant }
  /** `token` is the one it was confirmed with: who confirms twice is told the same. */
  | { readonly kind: "confirmed"; readonly token: string | undefined; readonly signedUnsubscribe: boolean }
  /** Gone for everybody but the endpoint, which can take it back with the token it was told. */
  | { readonly kind: "unsubscribed"; readonly token: string; readonly until: Instant };

export interface SubscriptionSettings {
  /** JSON text. */
  readonly filterPolicy: string | undefined;
  readonly filterScope: FilterScope;
  /** Messages go as they were published, without SNS's envelope. */
  readonly raw: boolean;
  readonly deliveryPolicy: DeliveryPolicy | undefined;
  /** ARN of a queue. */
  readonly deadLetter: string | undefined;
}

export const DEFAULT_SUBSCRIPTION_SETTINGS: SubscriptionSettings = {
  filterPolicy: undefined,
  filterScope: "MessageAttributes",
  raw: false,
  deliveryPolicy: undefined,
  deadLetter: undefined,
};

export interface Subscription {
  readonly id: string;
  /** Name of its topic, and which one of that name. */
  readonly topic: string;
  readonly topicId: string;
  readonly protocol: SubscriptionProtocol;
  readonly endpoint: string;
  readonly settings: SubscriptionSettings;
  readonly state: SubscriptionState;
  readonly createdAt: Instant;
}

const QUEUE = /^arn:aws[a-z-]{0,20}:sqs:[a-z0-9-]{1,32}:\d{12}:[A-Za-z0-9_-]{1,80}(\.fifo)?$/;
const FUNCTION = /^arn:aws[a-z-]{0,20}:lambda:[a-z0-9-]{1,32}:\d{12}:function:[A-Za-z0-9_-]{1,64}(:[A-Za-z0-9$_-]{1,128})?$/;
const REFUSED_PROTOCOLS: ReadonlySet<string> = new Set(["email", "email-json", "sms", "application", "firehose"]);

/** Refuses an endpoint that a protocol does not have, or a topic of that kind does not take. */
export function checkEndpoint(protocol: string, endpoint: string, topic: "standard" | "fifo"): SubscriptionProtocol {
  if (endpoint.length > ENDPOINT_LENGTH_MAX) throw invalid("Endpoint Reason: it is too long");
  switch (protocol) {
    case "sqs": {
      const queue = QUEUE.exec(endpoint);
      if (!queue) throw invalid("SQS endpoint ARN");
      if (topic === "standard" && queue[1] !== undefined)
        throw invalid("Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics");
      return protocol;
    }
    case "lambda":
      if (topic === "fifo") throw invalid("Endpoint Reason: Please use FIFO SQS queue");
      if (!FUNCTION.test(endpoint)) throw invalid("Lambda endpoint ARN");
      return protocol;
    case "http":
    case "https":
      if (topic === "fifo") throw invalid("Endpoint Reason: Please use FIFO SQS queue");
      if (!isUrl(protocol, endpoint)) throw invalid(`Endpoint must match the specified protocol: a URL that begins with ${protocol}://`);
      return protocol;
    default:
      throw REFUSED_PROTOCOLS.has(protocol)
        ? invalid(`Lambent does not deliver by the protocol ${protocol}: it has sqs, lambda, http and https`)
        : invalid(`Amazon SNS does not support this protocol string: ${protocol.slice(0, 100)}`);
  }
}

function isUrl(protocol: "http" | "https", endpoint: string): boolean {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  return url?.protocol === `${protocol}:` && url.hostname !== "";
}

/** Refuses settings that break a rule together. */
export function checkSubscriptionSettings(settings: SubscriptionSettings, protocol: SubscriptionProtocol): void {
  if (settings.filterPolicy !== undefined) compileFilter(settings.filterPolicy, settings.filterScope);
  if (settings.raw && protocol === "lambda") throw invalid("Delivery protocol [lambda] does not support raw message delivery.");
  if (settings.deliveryPolicy && protocol !== "http" && protocol !== "https")
    throw invalid("Delivery policy is only supported for HTTP and HTTPS endpoints.");
  if (settings.deadLetter !== undefined && !QUEUE.test(settings.deadLetter))
    throw invalid("RedrivePolicy: deadLetterTargetArn is an invalid arn");
}

/** Whether the token is the one the endpoint was told, and counts. */
export function takesToken({ state }: Subscription, token: string, now: Instant): boolean {
  if (state.token === undefined || !sameText(state.token, token)) return false;
  return state.kind === "confirmed" || now < state.until;
}

/** The subscription once its endpoint agreed. */
export function confirmed(subscription: Subscription, signedUnsubscribe: boolean): Subscription {
  const { state } = subscription;
  const known = state.kind === "confirmed" && state.signedUnsubscribe;
  return { ...subscription, state: { kind: "confirmed", token: state.token, signedUnsubscribe: signedUnsubscribe || known } };
}

/** The subscription once it was ended, with what its endpoint can take it back by. */
export function unsubscribed(subscription: Subscription, token: string, now: Instant): Subscription {
  return { ...subscription, state: { kind: "unsubscribed", token, until: now + CONFIRMATION_MS } };
}

/** Whether the link in its messages does not end it: a queue's do not, and an endpoint's where it agreed to that. @see SNS API reference, Unsubscribe */
export function endsSigned({ protocol, state }: Subscription): boolean {
  return protocol === "sqs" || (state.kind === "confirmed" && state.signedUnsubscribe);
}

/** Whether it is there for people: what is pending for too long, or ended, is not. */
export function isThere({ state }: Subscription, now: Instant): boolean {
  return state.kind === "confirmed" || (state.kind === "pending" && now < state.until);
}

function sameText(left: string, right: string): boolean {
  const [first, second] = [Buffer.from(left), Buffer.from(right)];
  return first.length === second.length && timingSafeEqual(first, second);
}
