import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { ManualClock, seededRandom, systemSecureRandom } from "../../src/base/index.ts";
import type { Realm } from "../../src/model/index.ts";
import type { HandOver, Outbox, TakenDelivery, Tried } from "../../src/outbox/index.ts";
import { createCipher } from "../../src/security/index.ts";
import { type FaultPlan, MemoryDisk, openMemoryStore, type Store } from "../../src/storage/index.ts";
import {
  DEFAULT_SUBSCRIPTION_SETTINGS,
  DEFAULT_TOPIC_SETTINGS,
  type NewNotification,
  openTopics,
  type PublishOutcome,
  type Subscribed,
  type SubscriptionSettings,
  type TopicRecord,
  type Topics,
  type TopicSettings,
} from "../../src/topics/index.ts";

export const REALM: Realm = { account: "000000000000", region: "us-east-1" };
export const ENDPOINT = "http://127.0.0.1:4566";
export const topicArnOf = (name: string): string => `arn:aws:sns:us-east-1:000000000000:${name}`;
export const queueArnOf = (name: string): string => `arn:aws:sqs:us-east-1:000000000000:${name}`;
export const functionArnOf = (name: string): string => `arn:aws:lambda:us-east-1:000000000000:function:${name}`;

let rsaKey: KeyObject | undefined;

/** One for all tests of a file: making one takes longer than all of them. */
export function testKey(): Promise<KeyObject> {
  rsaKey ??= generateKeyPairSync("rsa", { modulusLength: 2_048 }).privateKey;
  return Promise.resolve(rsaKey);
}

/** Topics on a disk that outlives them: `restart` opens them again as after a crash. */
export interface TopicsWorld {
  readonly clock: ManualClock;
  topics: Topics;
  store: Store;
  /** What was told to have gone wrong; without this, anything that is fails the test. */
  problems: unknown[] | undefined;
  /** Outboxes that were opened since the start, by cell. */
  outboxes: Map<string, Outbox>;
  /** Creates a topic; a name that ends in `.fifo` makes a FIFO one. */
  make(name: string, settings?: Partial<TopicSettings>): Promise<TopicRecord>;
  subscribe(topic: string, protocol: string, endpoint: string, settings?: Partial<SubscriptionSettings>): Promise<Subscribed>;
  publish(topic: string, ...messages: readonly (string | Partial<NewNotification>)[]): Promise<PublishOutcome[]>;
  /** Deliveries that are due now, taken. */
  due(): Promise<TakenDelivery[]>;
  settle(taken: TakenDelivery, outcome?: HandOver): Promise<void>;
  restart(): Promise<void>;
}

export const TAKEN: Tried = { kind: "taken", recorded: false, durationMs: 1 };
export const refusedFor = (kind: "later" | "never", code = "HTTP_500"): Tried => ({
  kind,
  refusal: { code, message: "no" },
  durationMs: 1,
});

export async function openTopicsWorld(faults?: FaultPlan): Promise<TopicsWorld> {
  const clock = new ManualClock();
  const disk = new MemoryDisk();
  const cipher = createCipher(Buffer.alloc(32, 7), systemSecureRandom);
  const open = async () => {
    const store = openMemoryStore({ disk, ...(faults ? { faults } : {}) });
    const outboxes = new Map<string, Outbox>();
    const topics = await openTopics({
      store,
      clock,
      random: seededRandom(1),
      secureRandom: systemSecureRandom,
      cipher,
      endpoint: () => ENDPOINT,
      onOpened: (cell, _realm, outbox) => outboxes.set(cell, outbox),
      onProblem: (error) => void (world.problems ?? assert.fail(String(error))).push(error),
      retryTimeFactor: 1,
      makeKey: testKey,
    });
    return { store, topics, outboxes };
  };
  const world: TopicsWorld = {
    clock,
    problems: undefined,
    ...(await open()),
    make(name, settings = {}) {
      const kind = name.endsWith(".fifo") ? "fifo" : "standard";
      const given = Object.keys(settings) as (keyof TopicSettings)[];
      return world.topics.create(REALM, { name, kind, settings: { ...DEFAULT_TOPIC_SETTINGS, ...settings }, tags: {} }, given);
    },
    subscribe(topic, protocol, endpoint, settings = {}) {
      const given = Object.keys(settings) as (keyof SubscriptionSettings)[];
      return world.topics.subscribing.subscribe(
        REALM,
        topic,
        { protocol, endpoint, settings: { ...DEFAULT_SUBSCRIPTION_SETTINGS, ...settings } },
        given,
      );
    },
    publish: (topic, ...messages) =>
      world.topics.publish(
        REALM,
        topic,
        messages.map((each) => message(typeof each === "string" ? { message: each } : each)),
        {},
      ),
    async due() {
      const found: TakenDelivery[] = [];
      for (const outbox of world.outboxes.values()) {
        found.push(...(await takeNow(outbox, clock)));
      }
      return found;
    },
    async settle(taken, outcome = TAKEN) {
      for (const outbox of world.outboxes.values()) {
        if (await outbox.ledger.get(taken.id)) return outbox.settle(taken, outcome, clock.now());
      }
      assert.fail(`nobody has the delivery ${taken.id}`);
    },
    async restart() {
      Object.assign(world, await open());
      await world.topics.resume();
    },
  };
  return world;
}

/** What can be taken without waiting: the wait is ended once everything has happened that needs no time. */
async function takeNow(outbox: Outbox, clock: ManualClock): Promise<TakenDelivery[]> {
  const found: TakenDelivery[] = [];
  for (;;) {
    const waiting = new AbortController();
    const taking = outbox.take(1_000, waiting.signal);
    for (let turn = 0; turn < 10; turn += 1) await clock.advance(0);
    waiting.abort();
    const taken = (await taking) ?? [];
    if (taken.length === 0) return found;
    found.push(...taken);
  }
}

export function message(more: Partial<NewNotification>): NewNotification {
  return { message: "hello", structure: "plain", subject: undefined, attributes: {}, group: undefined, deduplication: undefined, ...more };
}

/** The ids of messages that were all published. */
export function idsOf(outcomes: readonly PublishOutcome[]): string[] {
  return outcomes.map((outcome) => (outcome.kind === "published" ? outcome.id : assert.fail(outcome.error.message)));
}

export function jsonOf(taken: Pick<TakenDelivery, "parcel">): Record<string, unknown> {
  return JSON.parse(taken.parcel.payload.toString("utf8")) as Record<string, unknown>;
}

export function firstOf<T>(values: readonly T[]): T {
  return values[0] ?? assert.fail("there is none");
}

/** The error a call was refused with. */
export function refusedAs(code: string, text?: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof Error && "code" in error, String(error));
    assert.equal(error.code, code, error.message);
    if (text) assert.match(error.message, text);
    return true;
  };
}
