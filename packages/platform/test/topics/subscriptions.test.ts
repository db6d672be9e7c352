import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ManualClock, systemSecureRandom } from "../../src/base/index.ts";
import { openMemoryStore } from "../../src/storage/index.ts";
import { FIFO_SUBSCRIPTIONS_MAX, FILTER_POLICIES_MAX, TOPIC_TAGS_MAX } from "../../src/topics/index.ts";
import { TopicRegistry } from "../../src/topics/registry.ts";
import { Subscribing, type SubscribingParts } from "../../src/topics/subscribing.ts";
import { ENDPOINT, firstOf, functionArnOf, jsonOf, openTopicsWorld, queueArnOf, REALM, refusedAs, topicArnOf } from "./world.ts";

const HOOK = "https://example.com/hook";
const DAY_MS = 86_400_000;

describe("a subscription of an HTTP endpoint", () => {
  it("is asked to agree before anything goes to it, and agrees with the token it was told", async () => {
    const world = await openTopicsWorld();
    await world.make("news");
    const { subscription, arn } = await world.subscribe("news", "https", HOOK);
    assert.equal(subscription.state.kind, "pending");
    const asked = firstOf(await world.due());
    await world.settle(asked);
    assert.equal(asked.parcel.target, HOOK);
    assert.equal(asked.parcel.options.headers?.["x-amz-sns-message-type"], "SubscriptionConfirmation");
    const { Token, SubscribeURL, Type, Signature } = jsonOf(asked);
    assert.equal(Type, "SubscriptionConfirmation");
    assert.equal(typeof Signature, "string");
    const link = new URL(String(SubscribeURL));
    assert.equal(link.origin, ENDPOINT);
    assert.deepEqual(Object.fromEntries(link.searchParams), { Action: "ConfirmSubscription", TopicArn: topicArnOf("news"), Token });
    await world.publish("news", "too early");
    assert.equal((await world.due()).length, 0);
    await assert.rejects(world.topics.subscribing.confirm(REALM, "news", "made up", false), refusedAs("InvalidParameter", /Token/));
    await world.restart();
    assert.equal((await world.topics.subscribing.confirm(REALM, "news", String(Token), false)).arn, arn);
    assert.equal((await world.topics.subscribing.confirm(REALM, "news", String(Token), false)).arn, arn);
    await world.publish("news", "now");
    assert.equal(jsonOf(firstOf(await world.due()))["Message"], "now");
  });

  it("is asked again by whoever subscribes it again, and is forgotten when nobody agrees within two days", async () => {
    const world = await openTopicsWorld();
    await world.make("news");
    const { subscription } = await world.subscribe("news", "https", HOOK);
    const again = await world.subscribe("news", "https", HOOK);
    assert.equal(again.subscription.id, subscription.id);
    assert.equal((await world.due()).length, 2);
    await world.clock.advance(2 * DAY_MS);
    assert.throws(() => world.topics.subscription(REALM, subscription.id), refusedAs("NotFound", /^Subscription does not exist$/));
    await assert.rejects(
      world.topics.subscribing.confirm(REALM, "news", subscription.state.token ?? "", false),
      refusedAs("InvalidParameter", /Token/),
    );
    const later = await world.subscribe("news", "https", HOOK);
    assert.notEqual(later.subscription.id, subscription.id);
    await world.restart();
    assert.equal(world.topics.subscriptions(REALM, { limit: 10 }).length, 1);
  });

  it("is told when it is ended, and can come back with the token of that", async () => {
    const world = await openTopicsWorld();
    await world.make("news");
    const { subscription } = await world.subscribe("news", "https", HOOK);
    await world.topics.subscribing.confirm(REALM, "news", subscription.state.token ?? "", false);
    for (const taken of await world.due()) await world.settle(taken);
    await world.topics.subscribing.unsubscribe(REALM, subscription.id, true);
    assert.equal(world.topics.subscriptions(REALM, { limit: 10 }).length, 0);
    assert.equal(world.topics.record(REALM, "news").subscriptionsDeleted, 1);
    const told = firstOf(await world.due());
    await world.settle(told);
    assert.equal(told.parcel.options.headers?.["x-amz-sns-message-type"], "UnsubscribeConfirmation");
    await world.publish("news", "nobody is there");
    assert.equal((await world.due()).length, 0);
    await world.topics.subscribing.confirm(REALM, "news", String(jsonOf(told)["Token"]), false);
    await world.publish("news", "back");
    assert.equal(jsonOf(firstOf(await world.due()))["Message"], "back");
    await world.topics.subscribing.unsubscribe(REALM, subscription.id, true);
    await world.topics.subscribing.unsubscribe(REALM, subscription.id, true);
  });

  it("that was ended and is made anew is there once: what it was told at its end brings nothing back", async () => {
    const world = await openTopicsWorld();
    await world.make("news");
    const { subscription } = await world.subscribe("news", "https", HOOK);
    await world.topics.subscribing.confirm(REALM, "news", subscription.state.token ?? "", false);
    await world.topics.subscribing.unsubscribe(REALM, subscription.id, true);
    const told = (await world.due()).map(jsonOf).find(({ Type }) => Type === "UnsubscribeConfirmation");
    await world.subscribe("news", "https", HOOK);
    await assert.rejects(
      world.topics.subscribing.confirm(REALM, "news", String(told?.["Token"]), false),
      refusedAs("InvalidParameter", /Token/),
    );
    assert.equal(world.topics.subscriptions(REALM, { limit: 10 }).length, 1);
  });

  it("that agreed by a signed request is ended by one only, when it asked for that", async () => {
    const world = await openTopicsWorld();
    await world.make("news");
    const { subscription } = await world.subscribe("news", "https", HOOK);
    await world.topics.subscribing.confirm(REALM, "news", subscription.state.token ?? "", true);
    // Who follows the link once more does not take that back.
    await world.topics.subscribing.confirm(REALM, "news", subscription.state.token ?? "", false);
    await assert.rejects(world.topics.subscribing.unsubscribe(REALM, subscription.id, false), refusedAs("AccessDenied"));
    await world.topics.subscribing.unsubscribe(REALM, subscription.id, true);
    assert.equal(world.topics.subscriptions(REALM, { limit: 10 }).length, 0);
  });
});

describe("links that anybody may follow", () => {
  it("leave nothing behind of a realm that has no such topic or subscription (P7)", async (context) => {
    const store = openMemoryStore();
    const registry = await TopicRegistry.load(store);
    const change = context.mock.method(registry, "change");
    const parts = { clock: new ManualClock(), secureRandom: systemSecureRandom, registry, outboxes: {}, signing: {}, links: {} };
    const subscribing = new Subscribing(parts as unknown as SubscribingParts);
    const elsewhere = { account: "123456789012", region: "made-up-1" };
    await subscribing.unsubscribe(elsewhere, "00000000-0000-0000-0000-000000000000", false);
    await assert.rejects(subscribing.confirm(elsewhere, "none", "token", false), refusedAs("NotFound"));
    assert.equal(change.mock.callCount(), 0);
    await store.close();
  });
});

describe("subscriptions", () => {
  it("of queues are not ended by the link in their messages; those of functions are", async () => {
    const world = await openTopicsWorld();
    await world.make("news");
    const { subscription: queue } = await world.subscribe("news", "sqs", queueArnOf("a"));
    const { subscription: worker } = await world.subscribe("news", "lambda", functionArnOf("f"));
    await assert.rejects(world.topics.subscribing.unsubscribe(REALM, queue.id, false), refusedAs("AccessDenied"));
    await world.topics.subscribing.unsubscribe(REALM, worker.id, false);
    assert.deepEqual(
      world.topics.subscriptions(REALM, { limit: 10 }).map(({ id }) => id),
      [queue.id],
    );
    await world.topics.subscribing.unsubscribe(REALM, queue.id, true);
    assert.deepEqual(world.topics.subscriptions(REALM, { limit: 10 }), []);
  });

  it("are there once for an endpoint, with the settings they were made with", async () => {
    const world = await openTopicsWorld();
    await world.make("news");
    const { arn } = await world.subscribe("news", "sqs", queueArnOf("a"), { raw: true });
    assert.equal((await world.subscribe("news", "sqs", queueArnOf("a"))).arn, arn);
    assert.equal((await world.subscribe("news", "sqs", queueArnOf("a"), { raw: true })).arn, arn);
    await assert.rejects(
      world.subscribe("news", "sqs", queueArnOf("a"), { raw: false }),
      refusedAs("InvalidParameter", /Subscription already exists with different attributes/),
    );
  });

  it("are refused with the rule that they break", async () => {
    const world = await openTopicsWorld();
    await world.make("news");
    const bad = async (protocol: string, endpoint: string, rule: RegExp, settings = {}): Promise<void> =>
      assert.rejects(world.subscribe("news", protocol, endpoint, settings), refusedAs("InvalidParameter", rule));
    await bad("email", "a@example.com", /Lambent does not deliver by the protocol email/);
    await bad("sms", "+15550100", /does not deliver by the protocol sms/);
    await bad("pigeon", "x", /does not support this protocol string: pigeon/);
    await bad("sqs", "http://127.0.0.1:4566/000000000000/a", /SQS endpoint ARN/);
    await bad("lambda", "f", /Lambda endpoint ARN/);
    await bad("http", HOOK, /Endpoint must match the specified protocol/);
    await bad("https", "https://", /Endpoint must match the specified protocol/);
    await bad("lambda", functionArnOf("f"), /does not support raw message delivery/, { raw: true });
    await bad("sqs", queueArnOf("a"), /Delivery policy is only supported/, { deliveryPolicy: { contentType: "text/xml" } });
    await bad("sqs", queueArnOf("a"), /deadLetterTargetArn is an invalid arn/, { deadLetter: "letters" });
    await bad("sqs", queueArnOf("a"), /FilterPolicy: failed to parse/, { filterPolicy: "{" });
    await assert.rejects(world.subscribe("nowhere", "sqs", queueArnOf("a")), refusedAs("NotFound"));
    assert.equal(world.topics.subscriptions(REALM, { limit: 10 }).length, 0);
  });

  it("change from the next message on", async () => {
    const world = await openTopicsWorld();
    await world.make("news");
    const { subscription } = await world.subscribe("news", "sqs", queueArnOf("a"));
    const { id } = subscription;
    await world.topics.subscribing.update(REALM, id, (settings) => ({ ...settings, filterPolicy: '{"a":["x"]}', raw: true }));
    await world.publish("news", "filtered", { message: "wanted", attributes: { a: { type: "String", value: "x" } } });
    assert.deepEqual(
      (await world.due()).map(({ parcel }) => parcel.payload.toString()),
      ["wanted"],
    );
    await assert.rejects(
      world.topics.subscribing.update(REALM, id, (settings) => ({ ...settings, filterPolicy: '{"a":{"b":["x"]}}' })),
      refusedAs("InvalidParameter", /nested/),
    );
    await world.topics.subscribing.update(REALM, id, (settings) => ({
      ...settings,
      filterPolicy: '{"a":{"b":["x"]}}',
      filterScope: "MessageBody",
    }));
    await world.topics.subscribing.unsubscribe(REALM, id, true);
    await assert.rejects(
      world.topics.subscribing.update(REALM, id, (settings) => settings),
      refusedAs("NotFound"),
    );
  });

  it("of a topic are as many as are allowed", async () => {
    const world = await openTopicsWorld();
    await world.make("full.fifo");
    await world.make("filtered");
    for (let index = 0; index < FIFO_SUBSCRIPTIONS_MAX; index += 1) await world.subscribe("full.fifo", "sqs", queueArnOf(`q${index}.fifo`));
    await assert.rejects(
      world.subscribe("full.fifo", "sqs", queueArnOf("more.fifo")),
      refusedAs("LimitExceeded", /at most 100 subscriptions/),
    );
    for (let index = 0; index < FILTER_POLICIES_MAX; index += 1)
      await world.subscribe("filtered", "sqs", queueArnOf(`q${index}`), { filterPolicy: '{"a":["x"]}' });
    await assert.rejects(
      world.subscribe("filtered", "sqs", queueArnOf("more"), { filterPolicy: '{"a":["x"]}' }),
      refusedAs("LimitExceeded", /at most 200 filter policies/),
    );
    const { subscription } = await world.subscribe("filtered", "sqs", queueArnOf("more"));
    await assert.rejects(
      world.topics.subscribing.update(REALM, subscription.id, (settings) => ({ ...settings, filterPolicy: '{"a":["x"]}' })),
      refusedAs("LimitExceeded"),
    );
  });
});

describe("topics", () => {
  it("are there once for a name, with the settings and tags they were made with", async () => {
    const world = await openTopicsWorld();
    const first = await world.make("news", { displayName: "News" });
    assert.equal((await world.make("news")).id, first.id);
    await assert.rejects(
      world.make("news", { displayName: "Other" }),
      refusedAs("InvalidParameter", /Topic already exists with different attributes/),
    );
    await assert.rejects(
      world.topics.create(REALM, { ...first, tags: { a: "b" } }, []),
      refusedAs("InvalidParameter", /Topic already exists with different tags/),
    );
    await world.restart();
    assert.equal(world.topics.record(REALM, "news").settings.displayName, "News");
    await world.topics.delete(REALM, "news");
    await world.topics.delete(REALM, "news");
    assert.notEqual((await world.make("news")).id, first.id);
  });

  it("are refused with the rule that they break", async () => {
    const world = await openTopicsWorld();
    for (const name of ["", "a b", "a.b", "x".repeat(257), "a.fifo.fifo"])
      await assert.rejects(world.make(name), refusedAs("InvalidParameter", /Topic Name|Fifo Topic names/), name);
    const { kind, settings } = await world.make("good");
    await assert.rejects(
      world.topics.create(REALM, { name: "a", kind: "fifo", settings, tags: {} }, []),
      refusedAs("InvalidParameter", /Fifo Topic names must end with .fifo/),
    );
    await assert.rejects(
      world.topics.create(REALM, { name: "a.fifo", kind, settings, tags: {} }, []),
      refusedAs("InvalidParameter", /Topic Name/),
    );
    await assert.rejects(
      world.make("a", { contentBasedDeduplication: true }),
      refusedAs("InvalidParameter", /only be set for FIFO topics/),
    );
    await assert.rejects(world.make("a", { displayName: "x".repeat(101) }), refusedAs("InvalidParameter", /DisplayName/));
    await assert.rejects(world.make("a", { policy: "{}" }), refusedAs("MalformedPolicy"));
    const tags = Object.fromEntries(Array.from({ length: TOPIC_TAGS_MAX + 1 }, (_, index) => [`t${index}`, ""]));
    await assert.rejects(world.topics.create(REALM, { name: "a", kind, settings, tags }, []), refusedAs("LimitExceeded"));
    await assert.rejects(
      world.topics.create(REALM, { name: "a", kind, settings, tags: { "aws:x": "" } }, []),
      refusedAs("InvalidParameter", /Tags/),
    );
    assert.equal(world.topics.find(REALM, "a"), undefined);
  });

  it("of a name that is in another region only are said to be there", async () => {
    const world = await openTopicsWorld();
    await world.make("news");
    assert.throws(
      () => world.topics.record({ ...REALM, region: "eu-west-1" }, "news"),
      refusedAs("NotFound", /there is one of that name in us-east-1/),
    );
  });
});
