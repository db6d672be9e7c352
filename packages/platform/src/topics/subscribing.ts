/** Subscriptions of topics: made, confirmed, changed, ended; and what an HTTP endpoint is told of it. */
import { type Clock, LambentError, type SecureRandom, timeOrderedId } from "../base/index.ts";
import type { Realm } from "../model/index.ts";
import type { NewDelivery } from "../outbox/index.ts";
import { DEFAULT_CONTENT_TYPE, DEFAULT_HEALTHY_RETRY_POLICY, httpRetry } from "./delivery-policy.ts";
import type { Links } from "./links.ts";
import { subscriptionArn, topicArn } from "./names.ts";
import { type Handshake, handshakeDocument, httpHeaders } from "./notification.ts";
import { SERVICE } from "./publishing.ts";
import { invalid, limit } from "./refused.ts";
import type { TopicRegistry } from "./registry.ts";
import type { Signing } from "./signing.ts";
import {
  checkEndpoint,
  checkSubscriptionSettings,
  CONFIRMATION_MS,
  confirmed,
  endsSigned,
  isThere,
  type Subscription,
  type SubscriptionSettings,
  takesToken,
  unsubscribed,
} from "./subscription.ts";
import type { TopicRecord } from "./topic.ts";
import type { TopicOutboxes } from "./topic-outboxes.ts";

/** Subscriptions of one topic; of a FIFO topic. @limit */
export const SUBSCRIPTIONS_MAX = 10_000;
export const FIFO_SUBSCRIPTIONS_MAX = 100;
/** Filter policies of one topic. @limit */
export const FILTER_POLICIES_MAX = 200;
const TOKEN_BYTES = 64;

/** What `subscribe` found or made. */
export interface Subscribed {
  readonly subscription: Subscription;
  readonly arn: string;
}

export interface SubscriptionDraft {
  readonly protocol: string;
  readonly endpoint: string;
  readonly settings: SubscriptionSettings;
}

export interface SubscribingParts {
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
  readonly registry: TopicRegistry;
  readonly outboxes: TopicOutboxes;
  readonly signing: Signing;
  readonly links: Links;
}

export class Subscribing {
  readonly #parts: SubscribingParts;

  constructor(parts: SubscribingParts) {
    this.#parts = parts;
  }

  /** Subscribes an endpoint, or returns the subscription that is there with the same settings. An HTTP endpoint is asked to agree first. */
  async subscribe(
    realm: Realm,
    name: string,
    draft: SubscriptionDraft,
    given: readonly (keyof SubscriptionSettings)[],
  ): Promise<Subscribed> {
    const { endpoint, settings } = draft;
    const { topic, subscription } = await this.#parts.registry.change(realm, async () => {
      const record = this.#parts.registry.topic(realm, name);
      const protocol = checkEndpoint(draft.protocol, endpoint, record.kind);
      checkSubscriptionSettings(settings, protocol);
      const known = this.#subscriptionTo(record, protocol, endpoint);
      if (known) return { topic: record, subscription: sameSubscription(known, settings, given) };
      await this.#forgetPast(realm, record, endpoint);
      this.#requireRoom(record, settings);
      const made = this.#newSubscription(record, { protocol, endpoint, settings });
      await this.#parts.registry.putSubscription(realm, made);
      return { topic: record, subscription: made };
    });
    if (subscription.state.kind === "pending") await this.#tellEndpoint(realm, topic, subscription, "SubscriptionConfirmation");
    return { subscription, arn: arnOf(realm, subscription) };
  }

  /** Changes a subscription's settings; `change` sees the current ones. Throws `NotFound`. */
  update(realm: Realm, id: string, change: (current: SubscriptionSettings) => SubscriptionSettings): Promise<void> {
    return this.#parts.registry.change(realm, async () => {
      const known = this.#parts.registry.subscription(realm, id, this.#parts.clock.now());
      const settings = change(known.settings);
      checkSubscriptionSettings(settings, known.protocol);
      if (settings.filterPolicy !== undefined && known.settings.filterPolicy === undefined)
        this.#requireFilterRoom(this.#parts.registry.topic(realm, known.topic));
      await this.#parts.registry.putSubscription(realm, { ...known, settings });
    });
  }

  /** An endpoint agrees, with the token it was told. Throws `NotFound` for the topic, `InvalidParameter` for the token. */
  async confirm(realm: Realm, name: string, token: string, signedUnsubscribe: boolean): Promise<Subscribed> {
    // Anybody may ask, of any realm: nothing waits for a turn in one that has no such topic.
    this.#parts.registry.topic(realm, name);
    return this.#parts.registry.change(realm, async () => {
      const topic = this.#parts.registry.topic(realm, name);
      const now = this.#parts.clock.now();
      const known = [...this.#parts.registry.subscriptionsOf(topic)].find((each) => takesToken(each, token, now));
      if (!known) throw invalid("Token");
      const subscription = confirmed(known, signedUnsubscribe);
      await this.#parts.registry.putSubscription(realm, subscription);
      return { subscription, arn: arnOf(realm, subscription) };
    });
  }

  /** Ends a subscription; one that is not there is ended. `signed`: whoever asks proved who they are. */
  async unsubscribe(realm: Realm, id: string, signed: boolean): Promise<void> {
    if (!this.#parts.registry.findSubscription(realm, id, this.#parts.clock.now())) return;
    const ended = await this.#parts.registry.change(realm, async () => {
      const known = this.#parts.registry.findSubscription(realm, id, this.#parts.clock.now());
      if (!known) return undefined;
      const { state } = known;
      if (!signed && endsSigned(known)) throw new LambentError("AccessDenied", "Only a signed request ends this subscription.");
      const topic = this.#parts.registry.topic(realm, known.topic);
      await this.#parts.registry.putTopic(realm, { ...topic, subscriptionsDeleted: topic.subscriptionsDeleted + 1 });
      const isTold = state.kind === "confirmed" && isHttp(known);
      if (!isTold) {
        await this.#parts.registry.removeSubscriptions(realm, [known]);
        return undefined;
      }
      const told = unsubscribed(known, this.#token(), this.#parts.clock.now());
      await this.#parts.registry.putSubscription(realm, told);
      return { topic, subscription: told };
    });
    if (ended) await this.#tellEndpoint(realm, ended.topic, ended.subscription, "UnsubscribeConfirmation");
  }

  #subscriptionTo(topic: TopicRecord, protocol: string, endpoint: string): Subscription | undefined {
    const now = this.#parts.clock.now();
    return [...this.#parts.registry.subscriptionsOf(topic)].find(
      (each) => each.protocol === protocol && each.endpoint === endpoint && isThere(each, now),
    );
  }

  #newSubscription(topic: TopicRecord, draft: Pick<Subscription, "protocol" | "endpoint" | "settings">): Subscription {
    const { clock, secureRandom } = this.#parts;
    const now = clock.now();
    return {
      ...draft,
      // Lists are in the order of ids: this is the order in which they came.
      id: timeOrderedId(clock, secureRandom),
      topic: topic.name,
      topicId: topic.id,
      createdAt: now,
      state: isHttp(draft)
        ? { kind: "pending", token: this.#token(), until: now + CONFIRMATION_MS }
        : { kind: "confirmed", token: undefined, signedUnsubscribe: false },
    };
  }

  /** What is over goes when another one comes: those whose time is past, and one that was ended and now comes anew. */
  async #forgetPast(realm: Realm, topic: TopicRecord, endpoint: string): Promise<void> {
    const { registry, clock } = this.#parts;
    const now = clock.now();
    const isOver = ({ state, endpoint: each }: Subscription): boolean =>
      state.kind !== "confirmed" && (state.until <= now || (state.kind === "unsubscribed" && each === endpoint));
    await registry.removeSubscriptions(realm, [...registry.subscriptionsOf(topic)].filter(isOver));
  }

  /** Those that can still come back count, too. */
  #requireRoom(topic: TopicRecord, settings: SubscriptionSettings): void {
    const most = topic.kind === "fifo" ? FIFO_SUBSCRIPTIONS_MAX : SUBSCRIPTIONS_MAX;
    if ([...this.#parts.registry.subscriptionsOf(topic)].length >= most)
      throw limit("subscription", `A topic of this kind has at most ${most} subscriptions.`);
    if (settings.filterPolicy !== undefined) this.#requireFilterRoom(topic);
  }

  #requireFilterRoom(topic: TopicRecord): void {
    const filters = [...this.#parts.registry.subscriptionsOf(topic)].filter(({ settings }) => settings.filterPolicy !== undefined).length;
    if (filters >= FILTER_POLICIES_MAX) throw limit("filterPolicy", `A topic has at most ${FILTER_POLICIES_MAX} filter policies.`);
  }

  #token(): string {
    return this.#parts.secureRandom.bytes(TOKEN_BYTES).toString("hex");
  }

  /** Tells an HTTP endpoint the token with which it agrees, or comes back. */
  async #tellEndpoint(realm: Realm, topic: TopicRecord, subscription: Subscription, type: Handshake["type"]): Promise<void> {
    const { clock, secureRandom } = this.#parts;
    const { token } = subscription.state;
    if (token === undefined) return;
    const [arn, origin] = [topicArn(realm, topic.name), arnOf(realm, subscription)];
    const [id, at] = [timeOrderedId(clock, secureRandom), clock.now()];
    const handshake = { type, id, topicArn: arn, subscriptionArn: origin, token, subscribeUrl: this.#parts.links.confirm(arn, token), at };
    const signer = await this.#parts.signing.signer(realm);
    const headers = httpHeaders({ type, id, topicArn: arn, contentType: DEFAULT_CONTENT_TYPE, raw: false });
    const delivery: NewDelivery = {
      id,
      parcel: {
        target: subscription.endpoint,
        sender: { kind: "service", realm, service: SERVICE, sourceArn: arn },
        payload: await handshakeDocument(handshake, signer, this.#parts.links.certificate(signer.keyId)),
        options: { headers },
        traceHeader: undefined,
      },
      lane: subscription.id,
      source: "topic",
      origin,
      subject: type,
      cause: undefined,
      correlation: id,
      acceptedAt: at,
      retry: httpRetry(DEFAULT_HEALTHY_RETRY_POLICY),
    };
    const outbox = await this.#parts.outboxes.outbox(realm, topic);
    await outbox.accept([delivery]);
  }
}

function arnOf(realm: Realm, { topic, id }: Subscription): string {
  return subscriptionArn({ realm, name: topic, id });
}

function isHttp({ protocol }: Pick<Subscription, "protocol">): boolean {
  return protocol === "http" || protocol === "https";
}

function sameSubscription(
  known: Subscription,
  settings: SubscriptionSettings,
  given: readonly (keyof SubscriptionSettings)[],
): Subscription {
  const differs = given.some((member) => JSON.stringify(known.settings[member]) !== JSON.stringify(settings[member]));
  if (differs) throw invalid("Attributes Reason: Subscription already exists with different attributes");
  return known;
}
