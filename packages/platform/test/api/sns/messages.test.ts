/** Publishing and subscribing by the SDK and by hand, and the links in messages. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { functionVersion } from "../../support/function-version.ts";
import { arnOf, openSns, queueArnOf, type SnsWorld } from "./world.ts";

const HOOK = "https://example.com/hook";

async function subscribed(world: SnsWorld, TopicArn: string, Attributes: Record<string, string> = {}): Promise<string> {
  const { SubscriptionArn } = await world.sns.subscribe({ TopicArn, Protocol: "sqs", Endpoint: queueArnOf("a"), Attributes });
  return SubscriptionArn ?? assert.fail("no ARN");
}

describe("messages by SNS", () => {
  it("are published with subject, attributes and structure", async (test) => {
    const world = await openSns(test);
    const TopicArn = await world.make("news");
    await subscribed(world, TopicArn);
    const { MessageId, SequenceNumber } = await world.sns.publish({
      TargetArn: TopicArn,
      Message: JSON.stringify({ default: "for all", sqs: "for <queues> & ü" }),
      MessageStructure: "json",
      Subject: "greeting",
      MessageAttributes: {
        text: { DataType: "String", StringValue: "a\r\nb" },
        bytes: { DataType: "Binary", BinaryValue: new Uint8Array([0, 255]) },
      },
    });
    assert.equal(SequenceNumber, undefined);
    const document = JSON.parse((await world.waiting(1))[0] ?? "") as Record<string, unknown>;
    assert.equal(document["MessageId"], MessageId);
    assert.equal(document["Message"], "for <queues> & ü");
    assert.deepEqual(document["MessageAttributes"], {
      text: { Type: "String", Value: "a\r\nb" },
      bytes: { Type: "Binary", Value: "AP8=" },
    });
  });

  it("of a FIFO topic are told their number", async (test) => {
    const { sns, make } = await openSns(test);
    const TopicArn = await make("news.fifo", { FifoTopic: "true" });
    const publish = (more: object) => sns.publish({ TopicArn, Message: "x", ...more });
    const first = await publish({ MessageGroupId: "g", MessageDeduplicationId: "1" });
    assert.equal(first.SequenceNumber, "00000000000000000001");
    const same = await publish({ MessageGroupId: "g", MessageDeduplicationId: "1" });
    assert.deepEqual([same.MessageId, same.SequenceNumber], [first.MessageId, first.SequenceNumber]);
    await assert.rejects(publish({ MessageGroupId: "g" }), { name: "InvalidParameterException", message: /ContentBasedDeduplication/ });
  });

  it("are refused with SNS's errors and texts", async (test) => {
    const { sns, make, form } = await openSns(test);
    const TopicArn = await make("strict");
    const bad = (input: object, name: string, message: RegExp) =>
      assert.rejects(sns.publish({ TopicArn, Message: "x", ...input }), { name, message });
    await bad({ Message: "" }, "InvalidParameterException", /^Invalid parameter: Empty message$/);
    await bad({ Message: "x".repeat(262_145) }, "InvalidParameterException", /^Invalid parameter: Message too long$/);
    await bad({ MessageStructure: "xml" }, "InvalidParameterException", /MessageStructure/);
    await bad({ TopicArn: arnOf("nowhere") }, "NotFoundException", /^Topic does not exist$/);
    await bad({ TopicArn: undefined }, "InvalidParameterException", /TopicArn or TargetArn/);
    await bad({ TargetArn: TopicArn }, "InvalidParameterException", /Both TopicArn and TargetArn/);
    await bad(
      { TopicArn: undefined, TargetArn: "arn:aws:sns:us-east-1:000000000000:endpoint/GCM/app/x" },
      "NotImplemented",
      /mobile applications/,
    );
    await bad({ MessageAttributes: { a: { DataType: "Number", StringValue: "x" } } }, "InvalidParameterValueException", /Could not cast/);
    const missing = await form({ Action: "Publish", TopicArn });
    assert.equal(missing.status, 400);
    assert.match(missing.body.toString(), /<Code>InvalidParameter<\/Code><Message>1 validation error detected: Value null at 'message'/);
    const unknown = await form({ Action: "Paint" });
    assert.match(unknown.body.toString(), /<Code>InvalidAction<\/Code>/);
  });

  it("of a batch end each by themselves; a batch that is none is refused whole", async (test) => {
    const world = await openSns(test);
    const TopicArn = await world.make("batched");
    await subscribed(world, TopicArn, { RawMessageDelivery: "true" });
    const { Successful, Failed } = await world.sns.publishBatch({
      TopicArn,
      PublishBatchRequestEntries: [
        { Id: "a", Message: "one" },
        { Id: "b", Message: "" },
        { Id: "c", Message: "two", MessageAttributes: { n: { DataType: "Number", StringValue: "x" } } },
        { Id: "d", Message: "three" },
        { Id: "e", Message: "four", MessageStructure: "xml" },
      ],
    });
    assert.deepEqual(
      Successful?.map(({ Id }) => Id),
      ["a", "d"],
    );
    assert.deepEqual(
      Failed?.map(({ Id, Code, SenderFault }) => [Id, Code, SenderFault]),
      [
        ["b", "InvalidParameter", true],
        ["c", "ParameterValueInvalid", true],
        ["e", "InvalidParameter", true],
      ],
    );
    assert.deepEqual((await world.waiting(2)).sort(), ["one", "three"]);
    const batch = (...entries: readonly (readonly [Id: string, Message: string])[]) =>
      world.sns.publishBatch({ TopicArn, PublishBatchRequestEntries: entries.map(([Id, Message]) => ({ Id, Message })) });
    await assert.rejects(batch(), { name: "EmptyBatchRequestException" });
    await assert.rejects(batch(["a", "x"], ["a", "y"]), { name: "BatchEntryIdsNotDistinctException" });
    await assert.rejects(batch(["a b", "x"]), { name: "InvalidBatchEntryIdException" });
    await assert.rejects(batch(["a", "x".repeat(200_000)], ["b", "x".repeat(70_000)]), { name: "BatchRequestTooLongException" });
    const eleven = Array.from({ length: 11 }, (_, index) => [`e${index}`, "x"] as const);
    await assert.rejects(batch(...eleven), { name: "TooManyEntriesInBatchRequestException" });
  });

  it("are published by whom a policy lets: a function's role, and not without", async (test) => {
    const { security, make, client, sns } = await openSns(test);
    const TopicArn = await make("guarded");
    const { roles, credentials } = security;
    const trust = JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
    });
    const { arn: roleArn } = await roles.createRole("000000000000", { name: "reader", trustPolicy: trust, tags: {} });
    const inFunction = client(credentials.issue(functionVersion({ name: "f", roleArn })));
    await assert.rejects(inFunction.publish({ TopicArn, Message: "x" }), { name: "AuthorizationErrorException" });
    const policy = {
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Principal: { AWS: roleArn }, Action: "sns:Publish", Resource: TopicArn }],
    };
    await sns.setTopicAttributes({ TopicArn, AttributeName: "Policy", AttributeValue: JSON.stringify(policy) });
    assert.ok((await inFunction.publish({ TopicArn, Message: "x" })).MessageId);
    await assert.rejects(inFunction.publish({ TopicArn: arnOf("x", "111111111111"), Message: "x" }), {
      name: "AuthorizationErrorException",
      message: /own account/,
    });
  });
});

describe("subscriptions by SNS", () => {
  it("are made, listed, set and ended", async (test) => {
    const world = await openSns(test);
    const { sns } = world;
    const TopicArn = await world.make("news");
    const SubscriptionArn = await subscribed(world, TopicArn, {
      FilterPolicy: '{"a":["x"]}',
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: queueArnOf("dead") }),
    });
    assert.match(SubscriptionArn, /^arn:aws:sns:us-east-1:000000000000:news:[0-9a-f-]{36}$/);
    const { Attributes } = await sns.getSubscriptionAttributes({ SubscriptionArn });
    assert.deepEqual(Attributes, {
      SubscriptionArn,
      TopicArn,
      Owner: "000000000000",
      Protocol: "sqs",
      Endpoint: queueArnOf("a"),
      ConfirmationWasAuthenticated: "true",
      PendingConfirmation: "false",
      RawMessageDelivery: "false",
      FilterPolicy: '{"a":["x"]}',
      FilterPolicyScope: "MessageAttributes",
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: queueArnOf("dead") }),
    });
    const set = (AttributeName: string, AttributeValue: string) =>
      sns.setSubscriptionAttributes({ SubscriptionArn, AttributeName, AttributeValue });
    await set("RawMessageDelivery", "true");
    await set("FilterPolicyScope", "MessageBody");
    await set("FilterPolicy", "{}");
    await set("RedrivePolicy", "");
    const changed = (await sns.getSubscriptionAttributes({ SubscriptionArn })).Attributes ?? {};
    assert.deepEqual([changed["RawMessageDelivery"], changed["FilterPolicy"], changed["RedrivePolicy"]], ["true", undefined, undefined]);
    const shape = { SubscriptionArn, Owner: "000000000000", Protocol: "sqs", Endpoint: queueArnOf("a"), TopicArn };
    assert.deepEqual((await sns.listSubscriptions({})).Subscriptions, [shape]);
    assert.deepEqual((await sns.listSubscriptionsByTopic({ TopicArn })).Subscriptions, [shape]);
    await assert.rejects(sns.listSubscriptionsByTopic({ TopicArn: arnOf("nowhere") }), { name: "NotFoundException" });
    const bad = (name: string, value: string, message: RegExp) =>
      assert.rejects(set(name, value), { name: "InvalidParameterException", message });
    await bad("Colour", "red", /^Invalid parameter: AttributeName$/);
    await bad("RawMessageDelivery", "maybe", /Must be true or false/);
    await bad("FilterPolicyScope", "Envelope", /Please use either MessageBody or MessageAttributes/);
    await bad("FilterPolicy", '{"a":"x"}', /FilterPolicy: "a" must be an object or an array/);
    await bad("RedrivePolicy", "{", /failed to parse JSON/);
    await bad("RedrivePolicy", '{"x":1}', /deadLetterTargetArn/);
    await bad("DeliveryPolicy", '{"healthyRetryPolicy":{"numRetries":1}}', /only supported for HTTP/);
    await assert.rejects(set("SubscriptionRoleArn", "x"), { name: "NotImplemented" });
    await sns.unsubscribe({ SubscriptionArn });
    await sns.unsubscribe({ SubscriptionArn });
    await assert.rejects(sns.getSubscriptionAttributes({ SubscriptionArn }), {
      name: "NotFoundException",
      message: "Subscription does not exist",
    });
    await assert.rejects(sns.unsubscribe({ SubscriptionArn: "PendingConfirmation" }), {
      message: /An ARN must have at least 6 elements, not 1/,
    });
    assert.equal((await sns.getTopicAttributes({ TopicArn })).Attributes?.["SubscriptionsDeleted"], "1");
  });

  it("of HTTP endpoints are pending until somebody follows the link, and end by the other link", async (test) => {
    const { sns, make, waiting, follow } = await openSns(test);
    const TopicArn = await make("hooked");
    const policy = {
      healthyRetryPolicy: { numRetries: 2, minDelayTarget: 1, maxDelayTarget: 1 },
      requestPolicy: { headerContentType: "application/json" },
    };
    const request = { TopicArn, Protocol: "https", Endpoint: HOOK, Attributes: { DeliveryPolicy: JSON.stringify(policy) } };
    assert.equal((await sns.subscribe(request)).SubscriptionArn, "pending confirmation");
    const { SubscriptionArn = "" } = await sns.subscribe({ ...request, ReturnSubscriptionArn: true });
    assert.equal((await sns.listSubscriptions({})).Subscriptions?.[0]?.SubscriptionArn, "PendingConfirmation");
    assert.equal((await sns.getTopicAttributes({ TopicArn })).Attributes?.["SubscriptionsPending"], "1");
    const [asked = ""] = await waiting(2);
    const { SubscribeURL } = JSON.parse(asked) as { readonly SubscribeURL: string };
    const confirmed = await follow(SubscribeURL);
    assert.equal(confirmed.status, 200);
    assert.match(confirmed.body.toString(), new RegExp(`<SubscriptionArn>${SubscriptionArn}</SubscriptionArn>`));
    const { Attributes = {} } = await sns.getSubscriptionAttributes({ SubscriptionArn });
    assert.equal(Attributes["PendingConfirmation"], "false");
    assert.equal(Attributes["ConfirmationWasAuthenticated"], "false");
    assert.match(Attributes["EffectiveDeliveryPolicy"] ?? "", /"numRetries":2.*application\/json/);
    await sns.publish({ TopicArn, Message: "x" });
    const [message = ""] = await waiting(1);
    const { UnsubscribeURL } = JSON.parse(message) as { readonly UnsubscribeURL: string };
    assert.equal((await follow(UnsubscribeURL)).status, 200);
    assert.deepEqual((await sns.listSubscriptions({})).Subscriptions, []);
    const [ended = ""] = await waiting(1);
    assert.equal((JSON.parse(ended) as { Type: string }).Type, "UnsubscribeConfirmation");
  });

  it("that were confirmed by a signed request can ask for one at their end", async (test) => {
    const { sns, make, waiting, follow, endpoint } = await openSns(test);
    const TopicArn = await make("signed");
    const { SubscriptionArn = "" } = await sns.subscribe({ TopicArn, Protocol: "https", Endpoint: HOOK, ReturnSubscriptionArn: true });
    const [asked = ""] = await waiting(1);
    const { Token } = JSON.parse(asked) as { readonly Token: string };
    const link = `${endpoint}/?${new URLSearchParams({ Action: "ConfirmSubscription", TopicArn, Token, AuthenticateOnUnsubscribe: "true" }).toString()}`;
    assert.equal((await follow(link)).status, 403);
    assert.equal((await sns.confirmSubscription({ TopicArn, Token, AuthenticateOnUnsubscribe: "true" })).SubscriptionArn, SubscriptionArn);
    const end = await follow(`${endpoint}/?Action=Unsubscribe&SubscriptionArn=${encodeURIComponent(SubscriptionArn)}`);
    assert.equal(end.status, 403);
    assert.match(end.body.toString(), /<Code>AuthorizationError<\/Code>/);
    await sns.unsubscribe({ SubscriptionArn });
    await assert.rejects(sns.confirmSubscription({ TopicArn, Token: "made up" }), {
      name: "InvalidParameterException",
      message: "Invalid parameter: Token",
    });
  });

  it("without a signature nothing else is done", async (test) => {
    const { endpoint, follow, make } = await openSns(test);
    const TopicArn = await make("closed");
    for (const query of [{ Action: "ListTopics" }, { Action: "DeleteTopic", TopicArn }, { Action: "Publish", TopicArn, Message: "x" }]) {
      const reply = await follow(`${endpoint}/?${new URLSearchParams(query).toString()}`);
      assert.equal(reply.status, 403, query.Action);
      assert.match(reply.body.toString(), /<Code>MissingAuthenticationToken<\/Code>/);
    }
  });
});
