/** A subscription's attributes as SNS names them. The rules for their values are those of `topics/`. */
import { LambentError } from "../../base/index.ts";
import type { Realm } from "../../model/index.ts";
import { invalid, subscriptionArn, type Subscription, type SubscriptionSettings, topicArn, type TopicRecord } from "../../topics/index.ts";
import { effectiveSubscriptionPolicyText, subscriptionPolicyOf, subscriptionPolicyText } from "./delivery-policies.ts";

type Attributes = Readonly<Record<string, string | undefined>>;
type Member = keyof SubscriptionSettings;

interface Settable {
  readonly member: Member;
  read(text: string): Partial<SubscriptionSettings>;
}

const SETTABLE: Readonly<Record<string, Settable>> = {
  FilterPolicy: { member: "filterPolicy", read: (text) => ({ filterPolicy: /^\s*(\{\s*\}\s*)?$/.test(text) ? undefined : text }) },
  FilterPolicyScope: { member: "filterScope", read: (text) => ({ filterScope: scopeOf(text) }) },
  RawMessageDelivery: { member: "raw", read: (text) => ({ raw: truth(text) }) },
  DeliveryPolicy: { member: "deliveryPolicy", read: (text) => ({ deliveryPolicy: subscriptionPolicyOf(text) }) },
  RedrivePolicy: { member: "deadLetter", read: (text) => ({ deadLetter: deadLetterOf(text) }) },
};

/** Real attributes whose effect is not built. */
const UNBUILT: ReadonlySet<string> = new Set(["SubscriptionRoleArn", "ReplayPolicy", "ReplayStatus"]);

/** `settings` with the attributes set, and which settings those are. */
export function withSubscriptionAttributes(
  settings: SubscriptionSettings,
  attributes: Attributes,
): { readonly settings: SubscriptionSettings; readonly given: readonly Member[] } {
  let changed = settings;
  const given: Member[] = [];
  for (const [name, text = ""] of Object.entries(attributes)) {
    if (UNBUILT.has(name)) throw new LambentError("NotImplemented", `The subscription attribute ${name} is not built in Lambent.`);
    const settable = Object.hasOwn(SETTABLE, name) ? SETTABLE[name] : undefined;
    if (!settable) throw invalid("AttributeName");
    changed = { ...changed, ...settable.read(text) };
    given.push(settable.member);
  }
  return { settings: changed, given };
}

/** All that a subscription has. */
export function subscriptionAttributes(realm: Realm, topic: TopicRecord, subscription: Subscription): Record<string, string> {
  const { id, protocol, endpoint, settings, state } = subscription;
  const { filterPolicy, filterScope, raw, deliveryPolicy, deadLetter } = settings;
  const authenticated = state.kind === "confirmed" && (state.token === undefined || state.signedUnsubscribe);
  const isHttp = protocol === "http" || protocol === "https";
  return {
    SubscriptionArn: subscriptionArn({ realm, name: topic.name, id }),
    TopicArn: topicArn(realm, topic.name),
    Owner: realm.account,
    Protocol: protocol,
    Endpoint: endpoint,
    ConfirmationWasAuthenticated: String(authenticated),
    PendingConfirmation: String(state.kind === "pending"),
    RawMessageDelivery: String(raw),
    ...(filterPolicy === undefined ? {} : { FilterPolicy: filterPolicy, FilterPolicyScope: filterScope }),
    ...(deliveryPolicy ? { DeliveryPolicy: subscriptionPolicyText(deliveryPolicy) } : {}),
    ...(isHttp ? { EffectiveDeliveryPolicy: effectiveSubscriptionPolicyText(topic.settings.deliveryPolicy, deliveryPolicy) } : {}),
    ...(deadLetter === undefined ? {} : { RedrivePolicy: JSON.stringify({ deadLetterTargetArn: deadLetter }) }),
  };
}

function scopeOf(text: string): SubscriptionSettings["filterScope"] {
  if (text === "MessageAttributes" || text === "MessageBody") return text;
  throw invalid(`FilterPolicyScope: Invalid value [${text.slice(0, 100)}]. Please use either MessageBody or MessageAttributes`);
}

function truth(text: string): boolean {
  if (!/^(true|false)$/i.test(text)) throw invalid(`RawMessageDelivery: Invalid value [${text.slice(0, 100)}]. Must be true or false.`);
  return text.toLowerCase() === "true";
}

function deadLetterOf(text: string): string | undefined {
  if (/^\s*(\{\s*\}\s*)?$/.test(text)) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    const target: unknown =
      typeof value === "object" && value !== null ? (value as { deadLetterTargetArn?: unknown }).deadLetterTargetArn : undefined;
    if (typeof target === "string") return target;
  } catch {
    throw invalid("RedrivePolicy: failed to parse JSON.");
  }
  throw invalid("RedrivePolicy: it is a JSON object with deadLetterTargetArn");
}
