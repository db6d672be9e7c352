/**
 * Topics: which there are, who subscribes to them, and what becomes of a message.
 *
 * Keeps P1 (a message is acknowledged once all of its deliveries are durable), P2 (each delivery has its record, and so has the message, also when
 * nobody wants it), P4 (FIFO topics: a group's messages reach each queue in order), P7, P8 (a message is refused alone). Deliberately does not:
 * hand anything over, which is `delivery/`'s business, know how a request looks on the wire, or say who may do what.
 */
import { type Clock, isLambentError, LambentError, type Random, type SecureRandom } from "../base/index.ts";
import type { Cipher, Realm } from "../model/index.ts";
import type { NewDelivery } from "../outbox/index.ts";
import { eachRealm, type Store } from "../storage/index.ts";
import { Links } from "./links.ts";
import type { NewNotification } from "./message.ts";
import { checkTopicName } from "./names.ts";
import { deliveriesOf, messageRecord, prepare, type Publication } from "./publishing.ts";
import { invalid, limit } from "./refused.ts";
import { TopicRegistry } from "./registry.ts";
import { makeRsaKey, type MakeKey, Signing } from "./signing.ts";
import { Subscribing } from "./subscribing.ts";
import { isThere, type Subscription } from "./subscription.ts";
import { checkTopicSettings, type TopicRecord, type TopicSettings } from "./topic.ts";
import { type OutboxOpened, TopicOutboxes } from "./topic-outboxes.ts";

/** Topics of one realm. @limit */
export const TOPICS_MAX = 100_000;
/** Tags of one topic. @limit */
export const TOPIC_TAGS_MAX = 50;
/** Deliveries made at a time, and bytes of them after which no further one is. */
const CHUNK_DELIVERIES_MAX = 100;
const CHUNK_BYTES_TARGET = 1024 * 1024;

export interface TopicsOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly secureRandom: SecureRandom;
  /** Seals the signing keys. */
  readonly cipher: Cipher;
  /** Scheme, host and port by which subscribers reach this server: addresses in messages begin with it. */
  readonly endpoint: () => string;
  /** Told of every outbox that is opened: whoever hands over looks after it from then on. */
  readonly onOpened: OutboxOpened;
  readonly onProblem: (error: unknown) => void;
  readonly retryTimeFactor: number;
  /** By default a new RSA key. */
  readonly makeKey?: MakeKey;
}

/** How one message of several ended. */
export type PublishOutcome =
  | { readonly kind: "published"; readonly id: string; readonly sequence: number | undefined }
  | { readonly kind: "refused"; readonly error: LambentError };

/** Opens the topics of all realms; what waits in them is taken up by `resume`. */
export async function openTopics(options: TopicsOptions): Promise<Topics> {
  return new Topics(options, await TopicRegistry.load(options.store));
}

export class Topics {
  readonly #options: TopicsOptions;
  readonly #registry: TopicRegistry;
  readonly #signing: Signing;
  readonly #links: Links;
  readonly #outboxes: TopicOutboxes;
  /** Subscriptions, made and changed. */
  readonly subscribing: Subscribing;

  constructor(options: TopicsOptions, registry: TopicRegistry) {
    this.#options = options;
    this.#registry = registry;
    this.#signing = new Signing({ ...options, keys: registry.keys, makeKey: options.makeKey ?? makeRsaKey });
    this.#links = new Links(options.endpoint);
    this.#outboxes = new TopicOutboxes(options);
    this.subscribing = new Subscribing({ ...options, registry, outboxes: this.#outboxes, signing: this.#signing, links: this.#links });
  }

  /** Takes up what a restart interrupted: deliveries that wait, and what is left of topics that were deleted. Nobody waits for it. */
  async resume(): Promise<void> {
    // Also realms without topics: the last one may have been deleted, with deliveries on their way.
    for await (const realm of eachRealm(this.#options.store)) {
      await this.#outboxes.untilTaken(() =>
        this.#registry.change(realm, () =>
          this.#registry.removeSubscriptions(realm, this.#registry.orphans(realm, this.#options.clock.now())),
        ),
      );
      await this.#outboxes.resume(realm, (name) => this.find(realm, name)?.id);
    }
  }

  close(): Promise<void> {
    return this.#outboxes.close();
  }

  /** The certificate of a signing key, PEM. */
  certificate(keyId: string): string | undefined {
    return this.#signing.certificate(keyId);
  }

  find(realm: Realm, name: string): TopicRecord | undefined {
    return this.#registry.topics(realm).get(name);
  }

  /** Throws `NotFound`. */
  record(realm: Realm, name: string): TopicRecord {
    return this.#registry.topic(realm, name);
  }

  /** Topics of a realm by name, behind `after` when given. */
  list(realm: Realm, range: { readonly after?: string | undefined; readonly limit: number }): TopicRecord[] {
    return byName([...this.#registry.topics(realm).values()], ({ name }) => name, range);
  }

  /** Subscriptions of a topic, or of the realm, by id, behind `after` when given. */
  subscriptions(
    realm: Realm,
    range: { readonly topic?: string | undefined; readonly after?: string | undefined; readonly limit: number },
  ): Subscription[] {
    const now = this.#options.clock.now();
    const all =
      range.topic === undefined
        ? this.#registry.subscriptions(realm, now)
        : [...this.#registry.subscriptionsOf(this.record(realm, range.topic))].filter((each) => isThere(each, now));
    return byName(all, ({ id }) => id, range);
  }

  /** How many subscriptions of a topic are confirmed, and how many wait for it. */
  counts(topic: TopicRecord): { readonly confirmed: number; readonly pending: number } {
    const now = this.#options.clock.now();
    const there = [...this.#registry.subscriptionsOf(topic)].filter((each) => isThere(each, now));
    const count = there.filter(({ state }) => state.kind === "confirmed").length;
    return { confirmed: count, pending: there.length - count };
  }

  /** Throws `NotFound`. */
  subscription(realm: Realm, id: string): Subscription {
    return this.#registry.subscription(realm, id, this.#options.clock.now());
  }

  /** Creates a topic, or returns the one that is there with the same settings and tags. `given` are the settings that were named. */
  async create(
    realm: Realm,
    draft: Pick<TopicRecord, "name" | "kind" | "settings" | "tags">,
    given: readonly (keyof TopicSettings)[],
  ): Promise<TopicRecord> {
    const { name, kind, settings, tags } = draft;
    checkTopicName(name, kind === "fifo");
    checkTopicSettings(settings, kind);
    checkTags(tags);
    return this.#registry.change(realm, async () => {
      const known = this.find(realm, name);
      if (known) return sameOrRefuse(known, draft, given);
      if (this.#registry.topics(realm).size >= TOPICS_MAX) throw limit("topic", `An account and region has at most ${TOPICS_MAX} topics.`);
      const { clock, secureRandom } = this.#options;
      const record: TopicRecord = { ...draft, id: secureRandom.uuid(), createdAt: clock.now(), subscriptionsDeleted: 0 };
      await this.#registry.putTopic(realm, record);
      return record;
    });
  }

  /** Changes settings or tags; `change` sees the current ones. Throws `NotFound`. */
  update(realm: Realm, name: string, change: (record: TopicRecord) => Pick<TopicRecord, "settings" | "tags">): Promise<void> {
    return this.#registry.change(realm, async () => {
      const known = this.record(realm, name);
      const { settings, tags } = change(known);
      checkTopicSettings(settings, known.kind);
      checkTags(tags);
      await this.#registry.putTopic(realm, { ...known, settings, tags });
    });
  }

  /** Removes a topic with its subscriptions; what was accepted before is still delivered. A topic that is not there is removed. */
  async delete(realm: Realm, name: string): Promise<void> {
    const removed = await this.#registry.change(realm, async () => {
      const known = this.find(realm, name);
      if (known) await this.#registry.removeTopic(realm, known);
      return known;
    });
    if (removed) void this.#outboxes.untilTaken(() => this.#outboxes.release(realm, removed));
  }

  /** Publishes messages, each with its outcome; one that is refused does not keep the others. Throws `NotFound`. */
  async publish(
    realm: Realm,
    name: string,
    messages: readonly NewNotification[],
    call: { readonly traceHeader?: string | undefined },
  ): Promise<PublishOutcome[]> {
    const topic = this.record(realm, name);
    const to = { realm, topic, receivers: this.#registry.receivers(realm, topic) };
    const parts = this.#publishing();
    const prepared = await Promise.all(messages.map((message) => refusable(prepare(parts, to, message, call.traceHeader))));
    // Messages of a FIFO topic are numbered in this order.
    return Promise.all(prepared.map(async (each) => (each instanceof LambentError ? refusal(each) : this.#taken(each))));
  }

  /** What the storage does not take is refused alone, too. */
  async #taken(publication: Publication): Promise<PublishOutcome> {
    try {
      return { kind: "published", ...(await this.#take(publication)) };
    } catch (error) {
      if (isLambentError(error)) return refusal(error);
      throw error;
    }
  }

  #publishing() {
    const { clock, secureRandom } = this.#options;
    return { clock, secureRandom, signing: this.#signing, links: this.#links };
  }

  async #take(publication: Publication): Promise<{ readonly id: string; readonly sequence: number | undefined }> {
    const { realm, topic, id, deduplication } = publication;
    const parts = this.#publishing();
    const records = [messageRecord(publication)];
    if (deduplication) {
      const log = await this.#outboxes.fifo(realm, topic);
      const deliveries = (sequence: number) => [...deliveriesOf(parts, publication, sequence)];
      return log.append({ id, deduplication: deduplication.scoped, deliveries, records });
    }
    const outbox = await this.#outboxes.outbox(realm, topic);
    let first = true;
    for (const chunk of chunksOf(deliveriesOf(parts, publication))) {
      await outbox.accept(chunk, first ? { records } : {});
      first = false;
    }
    return { id, sequence: undefined };
  }
}

function byName<T>(
  all: readonly T[],
  nameOf: (item: T) => string,
  { after, limit: count }: { readonly after?: string | undefined; readonly limit: number },
): T[] {
  return all
    .filter((item) => after === undefined || nameOf(item) > after)
    .sort((left, right) => (nameOf(left) < nameOf(right) ? -1 : 1))
    .slice(0, count);
}

function refusal(error: LambentError): PublishOutcome {
  return { kind: "refused", error };
}

async function refusable<T>(work: Promise<T>): Promise<T | LambentError> {
  try {
    return await work;
  } catch (error) {
    if (isLambentError(error, "InvalidParameter")) return error;
    throw error;
  }
}

function* chunksOf(deliveries: Iterable<NewDelivery>): Generator<NewDelivery[]> {
  let chunk: NewDelivery[] = [];
  let bytes = 0;
  for (const delivery of deliveries) {
    chunk.push(delivery);
    bytes += delivery.parcel.payload.length;
    if (chunk.length < CHUNK_DELIVERIES_MAX && bytes < CHUNK_BYTES_TARGET) continue;
    yield chunk;
    chunk = [];
    bytes = 0;
  }
  // Without deliveries there is still the record of the message.
  yield chunk;
}

function sameOrRefuse(
  known: TopicRecord,
  { settings, tags }: Pick<TopicRecord, "settings" | "tags">,
  given: readonly (keyof TopicSettings)[],
): TopicRecord {
  const differs = given.some((member) => JSON.stringify(known.settings[member]) !== JSON.stringify(settings[member]));
  if (differs) throw invalid("Attributes Reason: Topic already exists with different attributes");
  const sameTags = Object.entries(tags).every(([key, value]) => known.tags[key] === value);
  if (!sameTags) throw invalid("Tags Reason: Topic already exists with different tags");
  return known;
}

function checkTags(tags: Readonly<Record<string, string>>): void {
  const entries = Object.entries(tags);
  if (entries.length > TOPIC_TAGS_MAX) throw limit("tag", `A topic has at most ${TOPIC_TAGS_MAX} tags; there would be ${entries.length}.`);
  const bad = entries.find(([key, value]) => key.length < 1 || key.length > 128 || value.length > 256 || /^aws:/i.test(key));
  if (bad)
    throw invalid(
      `Tags Reason: the tag ${JSON.stringify(bad[0].slice(0, 128))} has a key of 1 to 128 characters that does not begin with aws:, and a value of at most 256`,
    );
}
