/** What a message leads to: for each subscription that its filter lets it to, a delivery in the form of its protocol. */
import { createHash } from "node:crypto";
import { type Clock, type Instant, invariant, type SecureRandom, timeOrderedId } from "../base/index.ts";
import { eventOf } from "../invoker/index.ts";
import { accepted, ended, type LedgerRecord } from "../ledger/index.ts";
import type { Realm } from "../model/index.ts";
import type { NewDelivery, Parcel, ParcelOptions, RetryPolicy } from "../outbox/index.ts";
import { effectivePolicy, httpRetry, MANAGED_RETRY } from "./delivery-policy.ts";
import { compileFilter, type FilteredMessage, type MessageFilter } from "./filter.ts";
import type { Links } from "./links.ts";
import { type Bodies, checkNotification, type NewNotification } from "./message.ts";
import { subscriptionArn, topicArn } from "./names.ts";
import {
  httpHeaders,
  type Notification,
  notificationDocument,
  notificationEvent,
  sequenceText,
  type Signature,
  signedText,
} from "./notification.ts";
import { invalid } from "./refused.ts";
import type { Signing } from "./signing.ts";
import type { Subscription } from "./subscription.ts";
import type { TopicRecord } from "./topic.ts";

/** The service as a principal. */
export const SERVICE = "sns.amazonaws.com";

/** A subscription that messages go to, with what follows from its settings. */
export interface Receiver {
  readonly subscription: Subscription;
  readonly arn: string;
  readonly filter: MessageFilter | undefined;
  readonly retry: RetryPolicy;
  readonly contentType: string;
}

/** What a confirmed subscription's settings and its topic's lead to. */
export function receiverOf(realm: Realm, topic: TopicRecord, subscription: Subscription): Receiver {
  const { settings, protocol } = subscription;
  const { healthyRetryPolicy, contentType } = effectivePolicy(topic.settings.deliveryPolicy, settings.deliveryPolicy);
  const isHttp = protocol === "http" || protocol === "https";
  return {
    subscription,
    arn: subscriptionArn({ realm, name: topic.name, id: subscription.id }),
    filter: settings.filterPolicy === undefined ? undefined : compileFilter(settings.filterPolicy, settings.filterScope),
    retry: isHttp ? httpRetry(healthyRetryPolicy) : MANAGED_RETRY,
    contentType,
  };
}

export interface PublishingParts {
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
  readonly signing: Signing;
  readonly links: Links;
}

/** A message that was checked, with whom it goes to and its signatures. */
export interface Publication {
  readonly realm: Realm;
  readonly topic: TopicRecord;
  readonly id: string;
  readonly at: Instant;
  readonly traceHeader: string | undefined;
  readonly message: NewNotification;
  /** In FIFO topics: the id by which the message is known, and the same within its scope. */
  readonly deduplication: { readonly id: string; readonly scoped: string } | undefined;
  readonly deliverTo: readonly { readonly receiver: Receiver; readonly body: string }[];
  /** By body. */
  readonly signatures: ReadonlyMap<string, Signature>;
}

/** Refuses a message that this topic does not take; finds whom it goes to otherwise. */
export async function prepare(
  parts: PublishingParts,
  to: { readonly realm: Realm; readonly topic: TopicRecord; readonly receivers: readonly Receiver[] },
  message: NewNotification,
  traceHeader: string | undefined,
): Promise<Publication> {
  const bodies = checkNotification(message);
  checkOrder(to.topic, message);
  const { clock, secureRandom } = parts;
  const deliverTo = chosen(to.receivers, message, bodies);
  const { realm, topic } = to;
  const deduplication = topic.kind === "fifo" ? deduplicationOf(topic, message) : undefined;
  const id = timeOrderedId(clock, secureRandom);
  const publication = { realm, topic, id, at: clock.now(), traceHeader, message, deduplication, deliverTo };
  return { ...publication, signatures: await signaturesOf(parts, publication) };
}

function checkOrder({ kind, settings }: TopicRecord, { group, deduplication }: NewNotification): void {
  if (kind === "standard") {
    if (deduplication !== undefined)
      throw invalid(
        "MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for this topic type",
      );
    return;
  }
  if (group === undefined) throw invalid("The MessageGroupId parameter is required for FIFO topics");
  if (deduplication === undefined && !settings.contentBasedDeduplication)
    throw invalid("The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly");
}

/** Each filter asks the text that its subscription would get. */
function chosen(receivers: readonly Receiver[], { attributes }: NewNotification, bodies: Bodies): Publication["deliverTo"] {
  const byBody = new Map<string, FilteredMessage>();
  const asked = (body: string): FilteredMessage => {
    const message = byBody.get(body) ?? { body, attributes };
    byBody.set(body, message);
    return message;
  };
  return receivers.flatMap((receiver) => {
    const body = bodies(receiver.subscription.protocol);
    return receiver.filter && !receiver.filter(asked(body)) ? [] : [{ receiver, body }];
  });
}

/** One for each text that goes to somebody in SNS's own form. */
async function signaturesOf(
  { signing, links }: PublishingParts,
  publication: Omit<Publication, "signatures">,
): Promise<ReadonlyMap<string, Signature>> {
  const { realm, topic, id, at, message, deliverTo } = publication;
  const bodies = new Set(deliverTo.filter(({ receiver }) => !receiver.subscription.settings.raw).map(({ body }) => body));
  if (bodies.size === 0) return new Map();
  const signer = await signing.signer(realm);
  const version = topic.settings.signatureVersion;
  const certificateUrl = links.certificate(signer.keyId);
  const sign = async (body: string): Promise<readonly [string, Signature]> => {
    const text = signedText({ id, topicArn: topicArn(realm, topic.name), body, subject: message.subject, at });
    return [body, { version, text: await signer.sign(text, version), certificateUrl }];
  };
  return new Map(await Promise.all([...bodies].map(sign)));
}

function deduplicationOf({ settings }: TopicRecord, message: NewNotification): { readonly id: string; readonly scoped: string } {
  const id = message.deduplication ?? createHash("sha256").update(message.message).digest("hex");
  return { id, scoped: settings.deduplicationScope === "Topic" ? id : JSON.stringify([message.group, id]) };
}

/** The record of the message itself (P2): it has gone to its subscriptions, each a record of its own; or nobody wanted it. */
export function messageRecord(publication: Publication): LedgerRecord {
  const { realm, topic, id, at, message, deliverTo } = publication;
  const arn = topicArn(realm, topic.name);
  const record = accepted({
    id,
    source: "topic",
    origin: undefined,
    target: arn,
    subject: message.subject,
    acceptedAt: at,
    ...chainOf(publication),
  });
  return ended(record, at, deliverTo.length > 0 ? { kind: "handled" } : { kind: "discarded", reason: "noListener" });
}

/** The deliveries, made one by one: a large message to many is never in memory for all of them. */
export function* deliveriesOf(parts: PublishingParts, publication: Publication, sequence?: number): Generator<NewDelivery> {
  const raw = new Map<string, Buffer>();
  for (const { receiver, body } of publication.deliverTo) {
    if (receiver.subscription.settings.raw && !raw.has(body)) raw.set(body, Buffer.from(body));
    yield delivery(parts, publication, receiver, { body, raw: raw.get(body), sequence });
  }
}

interface Content {
  readonly body: string;
  /** The bytes of `body` for those who get it raw: one buffer for all, which is stored once. */
  readonly raw: Buffer | undefined;
  readonly sequence: number | undefined;
}

function delivery(parts: PublishingParts, publication: Publication, receiver: Receiver, content: Content): NewDelivery {
  const { realm, topic, id, at, message, traceHeader } = publication;
  const { subscription, arn } = receiver;
  const parcel: Parcel = {
    target: subscription.endpoint,
    sender: { kind: "service", realm, service: SERVICE, sourceArn: topicArn(realm, topic.name) },
    payload: payloadOf(parts, publication, receiver, content),
    options: optionsOf(publication, receiver),
    traceHeader,
  };
  return {
    id: timeOrderedId(parts.clock, parts.secureRandom),
    parcel,
    lane: topic.kind === "fifo" ? `${subscription.id} ${message.group ?? ""}` : subscription.id,
    source: "topic",
    origin: arn,
    subject: message.subject,
    cause: id,
    correlation: chainOf(publication).correlation,
    acceptedAt: at,
    retry: receiver.retry,
    deadLetter: subscription.settings.deadLetter,
  };
}

function chainOf({ id, traceHeader }: Pick<Publication, "id" | "traceHeader">): {
  readonly cause: string | undefined;
  readonly correlation: string;
} {
  const event = eventOf(traceHeader);
  return { cause: event?.cause, correlation: event?.correlation ?? id };
}

function payloadOf({ links }: PublishingParts, publication: Publication, receiver: Receiver, { body, raw, sequence }: Content): Buffer {
  const { subscription, arn } = receiver;
  if (subscription.settings.raw && raw) return raw;
  const { realm, topic, id, at, message, signatures } = publication;
  const signature = signatures.get(body);
  invariant(signature, "what is not sent raw is signed");
  const notification: Notification = {
    id,
    topicArn: topicArn(realm, topic.name),
    body,
    subject: message.subject,
    attributes: message.attributes,
    at,
    sequence: sequence === undefined ? undefined : sequenceText(sequence),
    signature,
  };
  const recipient = { subscriptionArn: arn, unsubscribeUrl: links.unsubscribe(arn) };
  return subscription.protocol === "lambda" ? notificationEvent(notification, recipient) : notificationDocument(notification, recipient);
}

function optionsOf(publication: Publication, { subscription, arn, contentType }: Receiver): ParcelOptions {
  const { realm, topic, id, message, deduplication } = publication;
  const { raw } = subscription.settings;
  switch (subscription.protocol) {
    case "sqs":
      return {
        messageGroupId: message.group,
        deduplicationId: subscription.endpoint.endsWith(".fifo") ? deduplication?.id : undefined,
        attributes: raw ? message.attributes : undefined,
      };
    case "http":
    case "https": {
      const what = { type: "Notification", id, topicArn: topicArn(realm, topic.name), subscriptionArn: arn, contentType, raw };
      return { headers: httpHeaders(what) };
    }
    case "lambda":
      return {};
  }
}
