/** Topics, their attributes, tags and permissions, by the SDK. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { TagLimitExceededException } from "@aws-sdk/client-sns";
import { ACCOUNT, arnOf, openSns, queueArnOf } from "./world.ts";

const OTHER = "111111111111";

describe("topics by SNS", () => {
  it("are created once, found by page, and removed", async (test) => {
    const { sns, make } = await openSns(test);
    assert.equal(await make("news", { DisplayName: "News" }), arnOf("news"));
    assert.equal(await make("news"), arnOf("news"));
    await assert.rejects(make("news", { DisplayName: "Other" }), {
      name: "InvalidParameterException",
      message: "Invalid parameter: Attributes Reason: Topic already exists with different attributes",
    });
    for (let index = 0; index < 104; index += 1) await make(`t${String(index).padStart(3, "0")}`);
    const first = await sns.listTopics({});
    assert.equal(first.Topics?.length, 100);
    const second = await sns.listTopics({ NextToken: first.NextToken });
    assert.deepEqual([second.Topics?.length, second.NextToken], [5, undefined]);
    await assert.rejects(sns.listTopics({ NextToken: "made up" }), { name: "InvalidParameterException", message: /NextToken/ });
    await sns.deleteTopic({ TopicArn: arnOf("news") });
    await sns.deleteTopic({ TopicArn: arnOf("news") });
    await assert.rejects(sns.getTopicAttributes({ TopicArn: arnOf("news") }), {
      name: "NotFoundException",
      message: "Topic does not exist",
    });
  });

  it("have the attributes that were set, and those that AWS adds", async (test) => {
    const { sns, make } = await openSns(test);
    const TopicArn = await make("all.fifo", { FifoTopic: "true", ContentBasedDeduplication: "true", SignatureVersion: "2" });
    await sns.subscribe({ TopicArn, Protocol: "sqs", Endpoint: queueArnOf("a.fifo") });
    const { Attributes = {} } = await sns.getTopicAttributes({ TopicArn });
    const { Policy = "", EffectiveDeliveryPolicy = "", ...rest } = Attributes;
    assert.deepEqual(rest, {
      TopicArn,
      Owner: ACCOUNT,
      DisplayName: "",
      SubscriptionsConfirmed: "1",
      SubscriptionsPending: "0",
      SubscriptionsDeleted: "0",
      SignatureVersion: "2",
      TracingConfig: "PassThrough",
      FifoTopic: "true",
      ContentBasedDeduplication: "true",
      FifoThroughputScope: "Topic",
    });
    assert.equal((JSON.parse(Policy) as { Id: string }).Id, "__default_policy_ID");
    const { http } = JSON.parse(EffectiveDeliveryPolicy) as { http: { defaultHealthyRetryPolicy: { numRetries: number } } };
    assert.equal(http.defaultHealthyRetryPolicy.numRetries, 3);
    const plain = await make("plain");
    const policy = { http: { defaultHealthyRetryPolicy: { numRetries: 5 }, disableSubscriptionOverrides: true } };
    for (const [AttributeName, AttributeValue] of [
      ["DisplayName", "Plain"],
      ["KmsMasterKeyId", "alias/aws/sns"],
      ["TracingConfig", "Active"],
      ["DeliveryPolicy", JSON.stringify(policy)],
    ] as const)
      await sns.setTopicAttributes({ TopicArn: plain, AttributeName, AttributeValue });
    const set = (await sns.getTopicAttributes({ TopicArn: plain })).Attributes ?? {};
    assert.deepEqual([set["DisplayName"], set["KmsMasterKeyId"], set["TracingConfig"]], ["Plain", "alias/aws/sns", "Active"]);
    assert.match(set["DeliveryPolicy"] ?? "", /"numRetries":5.*"disableSubscriptionOverrides":true/);
    await sns.setTopicAttributes({ TopicArn: plain, AttributeName: "DeliveryPolicy", AttributeValue: "" });
    assert.equal((await sns.getTopicAttributes({ TopicArn: plain })).Attributes?.["DeliveryPolicy"], undefined);
  });

  it("are refused attributes that are unknown, not built, or break a rule", async (test) => {
    const { sns, make } = await openSns(test);
    const TopicArn = await make("strict");
    const set = (AttributeName: string, AttributeValue: string) => sns.setTopicAttributes({ TopicArn, AttributeName, AttributeValue });
    const bad = (name: string, value: string, message: RegExp) =>
      assert.rejects(set(name, value), { name: "InvalidParameterException", message }, name);
    await bad("Colour", "red", /^Invalid parameter: AttributeName$/);
    await bad("constructor", "x", /AttributeName/);
    await bad("TopicArn", "x", /AttributeName/);
    await bad("FifoTopic", "true", /AttributeName/);
    await bad("Policy", "no json", /Invalid parameter: Policy Error: The policy is not JSON/);
    await bad("SignatureVersion", "3", /SignatureVersion/);
    await bad("TracingConfig", "Loud", /TracingConfig/);
    await bad("ContentBasedDeduplication", "true", /only be set for FIFO topics/);
    await bad("DeliveryPolicy", "{", /DeliveryPolicy: failed to parse JSON/);
    await bad("DeliveryPolicy", '{"http":{"colour":1}}', /Unrecognized field "colour"/);
    await bad("DeliveryPolicy", '{"http":{"defaultHealthyRetryPolicy":{"numRetries":101}}}', /numRetries/);
    await bad("DeliveryPolicy", '{"http":{"defaultHealthyRetryPolicy":{"backoffFunction":"steep"}}}', /backoffFunction/);
    await bad("DeliveryPolicy", '{"http":{"defaultRequestPolicy":{"headerContentType":"x\\r\\ny: z"}}}', /headerContentType/);
    for (const name of ["ArchivePolicy", "HTTPSuccessFeedbackRoleArn", "SQSFailureFeedbackRoleArn", "LambdaSuccessFeedbackSampleRate"])
      await assert.rejects(set(name, "x"), { name: "NotImplemented", message: /not built in Lambent/ }, name);
    await assert.rejects(set("DeliveryPolicy", '{"http":{"defaultThrottlePolicy":{"maxReceivesPerSecond":1}}}'), {
      name: "NotImplemented",
    });
    await assert.rejects(sns.createTopic({ Name: "a", DataProtectionPolicy: "{}" }), { name: "NotImplemented" });
  });

  it("are named by their ARN, of the region the request was signed for", async (test) => {
    const { sns } = await openSns(test);
    const bad = (TopicArn: string, message: RegExp) =>
      assert.rejects(sns.getTopicAttributes({ TopicArn }), { name: "InvalidParameterException", message }, TopicArn);
    await bad("news", /TopicArn Reason: An ARN must have at least 6 elements, not 1/);
    await bad(queueArnOf("news"), /^Invalid parameter: TopicArn$/);
    await bad(`${arnOf("news")}:00000000-0000-4000-8000-000000000000`, /^Invalid parameter: TopicArn$/);
    await bad(arnOf("news").replace("us-east-1", "eu-west-1"), /signed for us-east-1/);
    await bad("x".repeat(5_000), /at most 1024 characters/);
  });

  it("have tags, and say when they are not there", async (test) => {
    const { sns, make } = await openSns(test);
    const { TopicArn = "" } = await sns.createTopic({ Name: "tagged", Tags: [{ Key: "a", Value: "1" }] });
    await assert.rejects(sns.createTopic({ Name: "tagged", Tags: [{ Key: "a", Value: "2" }] }), {
      name: "InvalidParameterException",
      message: /different tags/,
    });
    await sns.tagResource({ ResourceArn: TopicArn, Tags: [{ Key: "b", Value: "2" }] });
    await sns.untagResource({ ResourceArn: TopicArn, TagKeys: ["a"] });
    assert.deepEqual((await sns.listTagsForResource({ ResourceArn: TopicArn })).Tags, [{ Key: "b", Value: "2" }]);
    const many = Array.from({ length: 50 }, (_, index) => ({ Key: `t${index}`, Value: "" }));
    await assert.rejects(sns.tagResource({ ResourceArn: TopicArn, Tags: many }), (error) => {
      assert.ok(error instanceof TagLimitExceededException);
      return error.$metadata.httpStatusCode === 400;
    });
    await assert.rejects(sns.listTagsForResource({ ResourceArn: arnOf("nowhere") }), {
      name: "ResourceNotFoundException",
      message: "Resource does not exist",
    });
    await make("other");
  });

  it("let others in by policy, statement by statement", async (test) => {
    const { sns, make, topics } = await openSns(test);
    const TopicArn = await make("shared");
    await assert.rejects(sns.addPermission({ TopicArn, Label: "a b", AWSAccountId: [OTHER], ActionName: ["Publish"] }), {
      message: /Label/,
    });
    await assert.rejects(sns.addPermission({ TopicArn, Label: "x", AWSAccountId: ["1"], ActionName: ["Publish"] }), {
      message: /twelve digits/,
    });
    await assert.rejects(sns.addPermission({ TopicArn, Label: "x", AWSAccountId: [OTHER], ActionName: ["CreateTopic"] }), {
      message: /out of service scope/,
    });
    await sns.addPermission({ TopicArn, Label: "publishers", AWSAccountId: [OTHER], ActionName: ["Publish"] });
    await assert.rejects(sns.addPermission({ TopicArn, Label: "publishers", AWSAccountId: [OTHER], ActionName: ["Publish"] }), {
      message: /already exists/,
    });
    const { Policy = "" } = (await sns.getTopicAttributes({ TopicArn })).Attributes ?? {};
    const { Statement } = JSON.parse(Policy) as { Statement: unknown[] };
    assert.deepEqual(Statement[1], {
      Sid: "publishers",
      Effect: "Allow",
      Principal: { AWS: `arn:aws:iam::${OTHER}:root` },
      Action: "SNS:Publish",
      Resource: TopicArn,
    });
    // The root key of one account is nobody in another one, but for what that one's policies say.
    const theirs = { account: OTHER, region: "us-east-1" };
    await topics.create(
      theirs,
      { name: "theirs", kind: "standard", settings: topics.record({ ...theirs, account: ACCOUNT }, "shared").settings, tags: {} },
      [],
    );
    await assert.rejects(sns.publish({ TopicArn: arnOf("theirs", OTHER), Message: "x" }), { name: "AuthorizationErrorException" });
    const policy = JSON.stringify({
      Version: "2012-10-17",
      Statement: [
        { Effect: "Allow", Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: "sns:Publish", Resource: arnOf("theirs", OTHER) },
      ],
    });
    await topics.update(theirs, "theirs", ({ settings, tags }) => ({ tags, settings: { ...settings, policy } }));
    assert.ok((await sns.publish({ TopicArn: arnOf("theirs", OTHER), Message: "x" })).MessageId);
    await assert.rejects(sns.subscribe({ TopicArn: arnOf("theirs", OTHER), Protocol: "sqs", Endpoint: queueArnOf("a") }), {
      name: "AuthorizationErrorException",
    });
    await sns.removePermission({ TopicArn, Label: "publishers" });
    await assert.rejects(sns.removePermission({ TopicArn, Label: "publishers" }), {
      name: "InvalidParameterException",
      message: /no statement publishers/,
    });
  });

  it("answer 501 for what is not built, with its name", async (test) => {
    const { sns } = await openSns(test);
    const calls: Record<string, Promise<unknown>> = {
      ListPlatformApplications: sns.listPlatformApplications({}),
      GetSMSAttributes: sns.getSMSAttributes({}),
      CheckIfPhoneNumberIsOptedOut: sns.checkIfPhoneNumberIsOptedOut({ phoneNumber: "+15550100" }),
      GetDataProtectionPolicy: sns.getDataProtectionPolicy({ ResourceArn: arnOf("a") }),
      PutDataProtectionPolicy: sns.putDataProtectionPolicy({ ResourceArn: arnOf("a"), DataProtectionPolicy: "{}" }),
    };
    for (const [operation, call] of Object.entries(calls))
      await assert.rejects(call, (error: Error & { $metadata?: { httpStatusCode?: number } }) => {
        assert.equal(error.$metadata?.httpStatusCode, 501, operation);
        assert.match(error.message, new RegExp(`sns:${operation} is not built`));
        return true;
      });
    await assert.rejects(sns.publish({ PhoneNumber: "+15550100", Message: "x" }), {
      name: "NotImplemented",
      message: /PhoneNumber is not built/,
    });
  });
});
