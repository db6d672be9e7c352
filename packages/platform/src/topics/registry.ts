/** Which topics a realm has, and their subscriptions: held in memory, written before anybody is told. */
import { type Instant, LambentError } from "../base/index.ts";
import { realmKey, type Realm } from "../model/index.ts";
import { RealmTables, type Store } from "../storage/index.ts";
import { topicArn } from "./names.ts";
import { type Receiver, receiverOf } from "./publishing.ts";
import type { KeptKey } from "./signing.ts";
import { isThere, type Subscription } from "./subscription.ts";
import type { TopicRecord } from "./topic.ts";

/** Changes of topics and subscriptions that wait for their turn in one realm (P7). @limit */
const TOPIC_CHANGES_WAITING_MAX = 10_000;
const KIND = "topics";

export class TopicRegistry {
  readonly keys: RealmTables<KeptKey>;
  readonly #topics: RealmTables<TopicRecord>;
  readonly #subscriptions: RealmTables<Subscription>;
  /** Subscriptions by topic, under the topic's id. */
  readonly #byTopic = new Map<string, Map<string, Subscription>>();
  /** What messages of a topic go to, while neither it nor its subscriptions change. */
  readonly #receivers = new Map<string, readonly Receiver[]>();

  private constructor(topics: RealmTables<TopicRecord>, subscriptions: RealmTables<Subscription>, keys: RealmTables<KeptKey>) {
    this.#topics = topics;
    this.#subscriptions = subscriptions;
    this.keys = keys;
    for (const table of subscriptions) for (const subscription of table.items.values()) this.#index(subscription);
  }

  static async load(store: Store): Promise<TopicRegistry> {
    const options = { store, kind: KIND, changesWaitingMax: TOPIC_CHANGES_WAITING_MAX };
    const topics = await RealmTables.load<TopicRecord>({ ...options, prefix: "topic/" });
    const subscriptions = await RealmTables.load<Subscription>({ ...options, prefix: "subscription/" });
    return new TopicRegistry(topics, subscriptions, await RealmTables.load<KeptKey>({ ...options, prefix: "key/" }));
  }

  /** Nothing of the realm's topics and subscriptions changes between what a change reads and what it writes. */
  change<T>(realm: Realm, change: () => Promise<T>): Promise<T> {
    return this.#topics.of(realm).changes.take(change);
  }

  topics(realm: Realm): ReadonlyMap<string, TopicRecord> {
    return this.#topics.items(realm);
  }

  /** Throws `NotFound`. */
  topic(realm: Realm, name: string): TopicRecord {
    const found = this.topics(realm).get(name);
    if (found) return found;
    const region = [...this.#topics].find((table) => table.realm.account === realm.account && table.items.has(name))?.realm.region;
    const hint = region === undefined ? "" : `: ${topicArn(realm, name)} does not, but there is one of that name in ${region}`;
    throw new LambentError("NotFound", `Topic does not exist${hint}`);
  }

  /** All of a topic, also those that wait for confirmation or were ended. */
  subscriptionsOf(topic: TopicRecord): Iterable<Subscription> {
    return this.#byTopic.get(topic.id)?.values() ?? [];
  }

  /** Undefined for a subscription that is not there any more. */
  findSubscription(realm: Realm, id: string, now: Instant): Subscription | undefined {
    const found = this.#subscriptions.items(realm).get(id);
    return found && isThere(found, now) ? found : undefined;
  }

  /** Throws `NotFound`. */
  subscription(realm: Realm, id: string, now: Instant): Subscription {
    const found = this.findSubscription(realm, id, now);
    if (!found) throw new LambentError("NotFound", "Subscription does not exist");
    return found;
  }

  /** Those of the realm that are there. */
  subscriptions(realm: Realm, now: Instant): Subscription[] {
    return [...this.#subscriptions.items(realm).values()].filter((each) => isThere(each, now));
  }

  receivers(realm: Realm, topic: TopicRecord): readonly Receiver[] {
    const known = this.#receivers.get(topic.id);
    if (known) return known;
    const made = [...this.subscriptionsOf(topic)]
      .filter(({ state }) => state.kind === "confirmed")
      .map((subscription) => receiverOf(realm, topic, subscription));
    this.#receivers.set(topic.id, made);
    return made;
  }

  async putTopic(realm: Realm, record: TopicRecord): Promise<void> {
    await this.#topics.of(realm).put(record.name, record);
    this.#receivers.delete(record.id);
  }

  /** The topic first: subscriptions of a topic that is not there are nobody's, and `orphans` finds them. */
  async removeTopic(realm: Realm, record: TopicRecord): Promise<void> {
    await this.#topics.of(realm).remove(record.name);
    await this.removeSubscriptions(realm, [...this.subscriptionsOf(record)]);
    this.#receivers.delete(record.id);
  }

  async putSubscription(realm: Realm, subscription: Subscription): Promise<void> {
    await this.#subscriptions.of(realm).put(subscription.id, subscription);
    this.#index(subscription);
    this.#receivers.delete(subscription.topicId);
  }

  async removeSubscriptions(realm: Realm, subscriptions: readonly Subscription[]): Promise<void> {
    if (subscriptions.length === 0) return;
    await this.#subscriptions.of(realm).write(new Map(subscriptions.map(({ id }) => [id, undefined])));
    for (const { id, topicId } of subscriptions) {
      const siblings = this.#byTopic.get(topicId);
      siblings?.delete(id);
      if (siblings?.size === 0) this.#byTopic.delete(topicId);
      this.#receivers.delete(topicId);
    }
  }

  /** Subscriptions that a crash left behind their topic, or whose time to be confirmed is over. */
  orphans(realm: Realm, now: Instant): Subscription[] {
    const topics = this.topics(realm);
    return [...this.#subscriptions.items(realm).values()].filter(
      ({ topic, topicId, state }) => topics.get(topic)?.id !== topicId || (state.kind !== "confirmed" && state.until <= now),
    );
  }

  #index(subscription: Subscription): void {
    const siblings = this.#byTopic.get(subscription.topicId) ?? new Map<string, Subscription>();
    siblings.set(subscription.id, subscription);
    this.#byTopic.set(subscription.topicId, siblings);
  }
}

/** The cell of one topic. */
export function topicCell(realm: Realm, { name, id }: Pick<TopicRecord, "name" | "id">): string {
  return `${topicCells(realm)}${name}/${id}`;
}

/** How the cells of a realm's topics begin. */
export function topicCells(realm: Realm): string {
  return `${realmKey(realm)}/topic/`;
}
