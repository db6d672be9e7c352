/** What SQS refuses and how, and who may do what: by real clients and by hand. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { SQS } from "@aws-sdk/client-sqs";
import { attributesDigest, bodyDigest } from "../../../src/api/sqs/message-attributes.ts";
import { functionVersion } from "../../support/function-version.ts";
import { openSqs, type SqsWorld } from "./world.ts";

const ACCOUNT = "000000000000";
const OTHER = "111111111111";
const arnOf = (name: string, account = ACCOUNT): string => `arn:aws:sqs:us-east-1:${account}:${name}`;

async function made(sqs: SQS, QueueName: string, Attributes: Record<string, string> = {}): Promise<string> {
  return (await sqs.createQueue({ QueueName, Attributes })).QueueUrl ?? assert.fail("no URL");
}

describe("digests of messages", () => {
  it("are those that SDKs compare", () => {
    assert.equal(bodyDigest("hello"), "5d41402abc4b2a76b9719d911017c592");
    // Of a timestamp as the Java SDK sends and compares it, with and without its label.
    const timestamp = (type: string) => attributesDigest({ timestamp: { type, value: "1493147359900" } });
    assert.equal(timestamp("Number"), "235c5c510d26fb653d073faed50ae77c");
    assert.equal(timestamp("Number.java.lang.Long"), "2e2e4876d8e0bd6b8c2c8f556831c349");
    // By the documented steps in another language: bytes count as they are, names in order.
    const two = { k: { type: "String", value: "v" }, b: { type: "Binary", value: Buffer.from([0, 1]) } };
    assert.equal(attributesDigest(two), "eb275886858fc7bc63216742c9bebbb1");
    assert.equal(attributesDigest({}), undefined);
  });
});

describe("SQS by hand", () => {
  it("says in a header what an error is called in the older form", async (test) => {
    const { json } = await openSqs(test);
    const { status, headers, body } = await json("PurgeQueue", { QueueUrl: `http://anywhere/${ACCOUNT}/nowhere` });
    assert.deepEqual([status, headers["x-amzn-query-error"]], [400, "AWS.SimpleQueueService.NonExistentQueue;Sender"]);
    assert.equal((JSON.parse(body.toString()) as { readonly __type: string }).__type, "com.amazonaws.sqs#QueueDoesNotExist");
  });

  it("tells a missing member from a wrong one", async (test) => {
    const { json, sqs } = await openSqs(test);
    const QueueUrl = await made(sqs, "orders");
    assert.equal((await json("SendMessage", { QueueUrl })).headers["x-amzn-query-error"], "MissingParameter;Sender");
    assert.equal((await json("SendMessage", { QueueUrl, MessageBody: "" })).headers["x-amzn-query-error"], "InvalidParameterValue;Sender");
    assert.equal((await json("SendMessage", { QueueUrl, MessageBody: 7 })).status, 400);
  });

  it("takes a queue by a URL with any host and path before its account, and refuses what is no URL of a queue", async (test) => {
    const { json, sqs } = await openSqs(test);
    await made(sqs, "orders");
    const send = async (QueueUrl: string) => (await json("SendMessage", { QueueUrl, MessageBody: "x" })).headers["x-amzn-query-error"];
    for (const before of [
      "http://localhost:4566",
      "https://sqs.eu-west-1.amazonaws.com",
      "http://queue.localhost:1/queue/us-east-1",
      "",
      "http://[::1]:9",
    ])
      assert.equal(await send(`${before}/${ACCOUNT}/orders`), undefined, before);
    for (const wrong of [
      "",
      "orders",
      "http://localhost",
      `http://localhost/${ACCOUNT}`,
      `http://localhost/1/orders`,
      `http://h/${ACCOUNT}/a b`,
      "x".repeat(5_000),
    ])
      assert.match(String(await send(wrong)), /^(InvalidAddress|InvalidParameterValue);Sender$/u, wrong);
  });

  it("refuses attributes that are unknown, cannot be set, or have a value that breaks a rule", async (test) => {
    const { sqs } = await openSqs(test);
    const QueueUrl = await made(sqs, "orders");
    const refusedAs = (name: string, Attributes: Record<string, string>) =>
      assert.rejects(sqs.setQueueAttributes({ QueueUrl, Attributes }), { name }, JSON.stringify(Attributes));
    await refusedAs("InvalidAttributeName", { QueueArn: "arn" });
    await refusedAs("InvalidAttributeName", { __proto__x: "1" });
    await refusedAs("InvalidAttributeName", { constructor: "1" });
    await refusedAs("InvalidAttributeName", { FifoQueue: "false" });
    await refusedAs("InvalidAttributeName", { ContentBasedDeduplication: "true" });
    await refusedAs("InvalidAttributeValue", { DelaySeconds: "1.5" });
    await refusedAs("InvalidAttributeValue", { VisibilityTimeout: "-1" });
    await refusedAs("InvalidAttributeValue", { VisibilityTimeout: "" });
    await refusedAs("InvalidAttributeValue", { RedrivePolicy: "{" });
    await refusedAs("InvalidAttributeValue", { RedriveAllowPolicy: '{"redrivePermission":"byQueue"}' });
    await refusedAs("InvalidAttributeValue", { Policy: '{"Version":"2012-10-17","Statement":[{"Effect":"Perhaps"}]}' });
    await refusedAs("InvalidAttributeValue", { Policy: "x".repeat(8_193) });
    await refusedAs("InvalidParameterValue", { RedrivePolicy: `{"deadLetterTargetArn":"${arnOf("orders")}","maxReceiveCount":1}` });
    await refusedAs("InvalidParameterValue", { RedrivePolicy: `{"deadLetterTargetArn":"${arnOf("missing")}","maxReceiveCount":1}` });
    const { Attributes } = await sqs.getQueueAttributes({ QueueUrl, AttributeNames: ["All"] });
    assert.deepEqual([Attributes?.Policy, Attributes?.RedrivePolicy, Attributes?.VisibilityTimeout], [undefined, undefined, "30"]);
  });

  it("refuses dead-letter queues in a circle, handles that have expired or are foreign, and whatever is sent to a deleted queue", async (test) => {
    const { sqs } = await openSqs(test);
    const redrive = (target: string) => ({ RedrivePolicy: JSON.stringify({ deadLetterTargetArn: arnOf(target), maxReceiveCount: 1 }) });
    const first = await made(sqs, "first");
    await made(sqs, "second", redrive("first"));
    await made(sqs, "third", redrive("second"));
    await assert.rejects(sqs.setQueueAttributes({ QueueUrl: first, Attributes: redrive("third") }), { name: "InvalidParameterValue" });

    const fifo = await made(sqs, "orders.fifo", { FifoQueue: "true", VisibilityTimeout: "0" });
    await sqs.sendMessage({ QueueUrl: fifo, MessageBody: "x", MessageGroupId: "g", MessageDeduplicationId: "1" });
    const { Messages: [message] = [] } = await sqs.receiveMessage({ QueueUrl: fifo });
    const ReceiptHandle = message?.ReceiptHandle;
    await assert.rejects(sqs.deleteMessage({ QueueUrl: fifo, ReceiptHandle }), { name: "InvalidParameterValue", message: /expired/u });
    await assert.rejects(sqs.deleteMessage({ QueueUrl: first, ReceiptHandle }), { name: "ReceiptHandleIsInvalid" });

    await sqs.deleteQueue({ QueueUrl: fifo });
    const gone = { name: "QueueDoesNotExist" };
    await assert.rejects(sqs.receiveMessage({ QueueUrl: fifo }), gone);
    await assert.rejects(sqs.deleteMessage({ QueueUrl: fifo, ReceiptHandle }), gone);
    await assert.rejects(sqs.sendMessageBatch({ QueueUrl: fifo, Entries: [{ Id: "a", MessageBody: "x" }] }), gone);
    await assert.rejects(made(sqs, "orders.fifo", { FifoQueue: "true" }), { name: "QueueDeletedRecently" });
  });

  it("keeps what was set, as it was set, and forgets it when it is set to nothing", async (test) => {
    const { sqs } = await openSqs(test);
    await made(sqs, "dead");
    const Policy = JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Sid: "a", Effect: "Allow", Principal: "*", Action: "sqs:*", Resource: "*" }],
    });
    const given = {
      DelaySeconds: "1",
      MaximumMessageSize: "2048",
      MessageRetentionPeriod: "600",
      Policy,
      ReceiveMessageWaitTimeSeconds: "2",
      RedriveAllowPolicy: '{"redrivePermission":"allowAll"}',
      RedrivePolicy: `{"deadLetterTargetArn":"${arnOf("dead")}","maxReceiveCount":3}`,
      VisibilityTimeout: "4",
      KmsMasterKeyId: "alias/key",
      KmsDataKeyReusePeriodSeconds: "600",
    };
    const QueueUrl = await made(sqs, "orders", given);
    const read = async () => (await sqs.getQueueAttributes({ QueueUrl, AttributeNames: ["All"] })).Attributes ?? {};
    const { SqsManagedSseEnabled, ...found } = await read();
    assert.equal(SqsManagedSseEnabled, "false");
    assert.deepEqual(Object.fromEntries(Object.keys(given).map((name) => [name, (found as Record<string, string>)[name]])), given);
    await sqs.setQueueAttributes({ QueueUrl, Attributes: { Policy: "", RedriveAllowPolicy: "", RedrivePolicy: "", KmsMasterKeyId: "" } });
    const names = Object.keys(await read());
    for (const name of ["Policy", "RedriveAllowPolicy", "RedrivePolicy", "KmsMasterKeyId"]) assert.ok(!names.includes(name), name);
  });

  it("refuses a batch that is too long, has too many entries, none, or ids that are not distinct, as a whole", async (test) => {
    const { sqs } = await openSqs(test);
    const QueueUrl = await made(sqs, "orders");
    const batch = (Entries: { Id: string; MessageBody: string }[]) => sqs.sendMessageBatch({ QueueUrl, Entries });
    const entries = (count: number, MessageBody: string) => Array.from({ length: count }, (_, index) => ({ Id: `${index}`, MessageBody }));
    await assert.rejects(batch([]), { name: "EmptyBatchRequest" });
    await assert.rejects(batch(entries(11, "x")), { name: "TooManyEntriesInBatchRequest" });
    await assert.rejects(batch([...entries(1, "x"), ...entries(1, "x")]), { name: "BatchEntryIdsNotDistinct" });
    await assert.rejects(batch(entries(2, "x".repeat(524_289))), { name: "BatchRequestTooLong" });
    await assert.rejects(batch([{ Id: "a.b", MessageBody: "x" }]), { name: "InvalidBatchEntryId" });
    assert.equal((await sqs.receiveMessage({ QueueUrl })).Messages, undefined);
    assert.equal((await batch(entries(2, "x".repeat(524_288)))).Successful?.length, 2);
  });

  it("refuses permissions with a foreign action, a taken label, no account; and keeps the policy's other statements", async (test) => {
    const { sqs } = await openSqs(test);
    const QueueUrl = await made(sqs, "orders");
    const add = (Label: string, Actions: string[], AWSAccountIds = [OTHER]) =>
      sqs.addPermission({ QueueUrl, Label, Actions, AWSAccountIds });
    await add("first", ["SendMessage"]);
    await assert.rejects(add("first", ["SendMessage"]), { name: "InvalidParameterValue" });
    await assert.rejects(add("second", ["AddPermission"]), { name: "InvalidParameterValue" });
    await assert.rejects(add("second", ["SendMessage"], ["me"]), { name: "InvalidParameterValue" });
    await assert.rejects(add("second", []), { name: "InvalidParameterValue" });
    await assert.rejects(add("a b", ["SendMessage"]), { name: "InvalidParameterValue" });
    await assert.rejects(
      add(
        "second",
        Array.from({ length: 8 }, () => "SendMessage"),
      ),
      { name: "OverLimit" },
    );
    await add("second", ["*"]);
    await sqs.removePermission({ QueueUrl, Label: "first" });
    await assert.rejects(sqs.removePermission({ QueueUrl, Label: "first" }), { name: "InvalidParameterValue" });
    const { Attributes } = await sqs.getQueueAttributes({ QueueUrl, AttributeNames: ["Policy"] });
    assert.deepEqual(
      (JSON.parse(Attributes?.Policy ?? "{}") as { Statement: { Sid: string }[] }).Statement.map(({ Sid }) => Sid),
      ["second"],
    );
  });
});

describe("who may use a queue", () => {
  /** A function's credentials, as its instances have them; its role is enforced once it exists. */
  function functionClient({ security, client }: SqsWorld, role: string): SQS {
    return client(security.credentials.issue(functionVersion({ name: "worker", roleArn: `arn:aws:iam::${ACCOUNT}:role/${role}` })));
  }

  it("is said by the caller's role and by the queue's policy, of which a deny always counts", async (test) => {
    const world = await openSqs(test);
    const { sqs, security } = world;
    const trust =
      '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}';
    const role = await security.roles.createRole(ACCOUNT, { name: "worker", path: "/", trustPolicy: trust, tags: {} });
    assert.ok(role);
    const QueueUrl = await made(sqs, "orders");
    const worker = functionClient(world, "worker");
    const send = () => worker.sendMessage({ QueueUrl, MessageBody: "x" });
    await assert.rejects(send(), { name: "AccessDenied" });
    const policy = (Effect: string, Action: string) =>
      JSON.stringify({
        Version: "2012-10-17",
        Statement: [{ Effect, Principal: { AWS: `arn:aws:iam::${ACCOUNT}:role/worker` }, Action, Resource: arnOf("orders") }],
      });
    await sqs.setQueueAttributes({ QueueUrl, Attributes: { Policy: policy("Allow", "SQS:SendMessage") } });
    await send();
    // A batch needs what its entries need; a receive was not allowed.
    await worker.sendMessageBatch({ QueueUrl, Entries: [{ Id: "a", MessageBody: "x" }] });
    await assert.rejects(worker.receiveMessage({ QueueUrl }), { name: "AccessDenied" });
    await sqs.setQueueAttributes({ QueueUrl, Attributes: { Policy: policy("Deny", "SQS:SendMessage") } });
    await assert.rejects(send(), { name: "AccessDenied" });
  });

  it("of another account is said by that account's queue, and a function stays in its own", async (test) => {
    const world = await openSqs(test);
    const { sqs, queues } = world;
    await made(sqs, "orders");
    const realm = { account: OTHER, region: "us-east-1" };
    const mine = queues.record({ account: ACCOUNT, region: "us-east-1" }, "orders");
    await queues.create(realm, "theirs", mine.settings, [], {});
    const QueueUrl = `${world.endpoint}/${OTHER}/theirs`;
    const send = (client: SQS) => client.sendMessage({ QueueUrl, MessageBody: "x" });
    await assert.rejects(send(sqs), { name: "AccessDenied" });
    const Statement = [
      { Effect: "Allow", Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: "sqs:SendMessage", Resource: arnOf("theirs", OTHER) },
    ];
    const policy = JSON.stringify({ Version: "2012-10-17", Statement });
    await queues.update(realm, "theirs", ({ settings, tags }) => ({ tags, settings: { ...settings, policy } }));
    await send(sqs);
    assert.equal((await queues.queue(realm, "theirs")).list.counts().visible, 1);
    await assert.rejects(send(functionClient(world, "nobody-knows-it")), { name: "AccessDenied" });
  });
});
