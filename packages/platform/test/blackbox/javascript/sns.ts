import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import {
  EmptyBatchRequestException,
  InvalidParameterException,
  NotFoundException,
  ResourceNotFoundException,
  type SubscribeCommandInput,
} from "@aws-sdk/client-sns";
import { deferred } from "../../../src/base/index.ts";
import { ACCOUNT } from "../../support/javascript-clients.ts";
import { known, type OperationCase, type Stage } from "./cases.ts";

const topicArnOf = (name: string): string => `arn:aws:sns:us-east-1:${ACCOUNT}:${name}`;
const queueArnOf = (name: string): string => `arn:aws:sqs:us-east-1:${ACCOUNT}:${name}`;
const nowhere = { TopicArn: topicArnOf("nowhere") };
const OTHER = "111111111111";

async function topic({ stage }: Stage, Name: string, Attributes: Record<string, string> = {}): Promise<string> {
  return known((await stage.sns.createTopic({ Name, Attributes })).TopicArn);
}

/** A topic with one queue behind it, which lets it in. */
async function reached(stage: Stage, name: string, Attributes: SubscribeCommandInput["Attributes"] = { RawMessageDelivery: "true" }) {
  const TopicArn = await topic(stage, name);
  const Policy = JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { Service: "sns.amazonaws.com" }, Action: "sqs:SendMessage", Resource: queueArnOf(name) }],
  });
  const { QueueUrl } = await stage.stage.sqs.createQueue({ QueueName: name, Attributes: { Policy } });
  const { SubscriptionArn } = await stage.stage.sns.subscribe({ TopicArn, Protocol: "sqs", Endpoint: queueArnOf(name), Attributes });
  return { TopicArn, QueueUrl: known(QueueUrl), SubscriptionArn: known(SubscriptionArn) };
}

/** The bodies of the next messages: each receive waits for one. */
async function bodies({ stage }: Stage, QueueUrl: string, count: number): Promise<string[]> {
  const found: string[] = [];
  while (found.length < count) {
    const { Messages } = await stage.sqs.receiveMessage({ QueueUrl, WaitTimeSeconds: 20, MaxNumberOfMessages: 10 });
    assert.ok(Messages, `${found.length} of ${count} messages came`);
    found.push(...Messages.map(({ Body }) => known(Body)));
  }
  return found;
}

/** An HTTP endpoint; what it is sent first. */
async function endpoint() {
  const first = deferred<Record<string, string>>();
  const server = createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8").on("data", (piece: string) => (text += piece));
    request.on("end", () => {
      response.end();
      first.resolve(JSON.parse(text) as Record<string, string>);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, first: first.promise, close };
}

const topicCases = {
  CreateTopic: {
    async does({ js, stage }) {
      const TopicArn = known(
        (await js.sns.createTopic({ Name: "made", Attributes: { DisplayName: "Made" }, Tags: [{ Key: "a", Value: "1" }] })).TopicArn,
      );
      assert.equal((await stage.sns.getTopicAttributes({ TopicArn })).Attributes?.["DisplayName"], "Made");
      assert.equal((await js.sns.createTopic({ Name: "made" })).TopicArn, TopicArn);
    },
    refuses: [({ js }) => js.sns.createTopic({ Name: "no name" }), InvalidParameterException, 400],
  },
  DeleteTopic: {
    async does(stage) {
      const TopicArn = await topic(stage, "deleted");
      await stage.js.sns.deleteTopic({ TopicArn });
      await assert.rejects(stage.stage.sns.publish({ TopicArn, Message: "late" }), NotFoundException);
    },
    refuses: [({ js }) => js.sns.deleteTopic({ TopicArn: "deleted" }), InvalidParameterException, 400],
  },
  ListTopics: {
    async does(stage) {
      const TopicArn = await topic(stage, "listed");
      const { Topics = [] } = await stage.js.sns.listTopics({});
      assert.ok(Topics.some((each) => each.TopicArn === TopicArn));
    },
    refuses: [({ js }) => js.sns.listTopics({ NextToken: "made up" }), InvalidParameterException, 400],
  },
  GetTopicAttributes: {
    async does(stage) {
      const TopicArn = await topic(stage, "read.fifo", { FifoTopic: "true", ContentBasedDeduplication: "true" });
      const { Attributes } = await stage.js.sns.getTopicAttributes({ TopicArn });
      assert.deepEqual([Attributes?.["FifoTopic"], Attributes?.["ContentBasedDeduplication"]], ["true", "true"]);
    },
    refuses: [({ js }) => js.sns.getTopicAttributes(nowhere), NotFoundException, 404],
  },
  SetTopicAttributes: {
    async does(stage) {
      const TopicArn = await topic(stage, "set");
      await stage.js.sns.setTopicAttributes({ TopicArn, AttributeName: "SignatureVersion", AttributeValue: "2" });
      assert.equal((await stage.stage.sns.getTopicAttributes({ TopicArn })).Attributes?.["SignatureVersion"], "2");
    },
    refuses: [
      async (stage) =>
        stage.js.sns.setTopicAttributes({ TopicArn: await topic(stage, "set"), AttributeName: "Colour", AttributeValue: "red" }),
      InvalidParameterException,
      400,
    ],
  },
  AddPermission: {
    async does(stage) {
      const TopicArn = await topic(stage, "shared");
      await stage.js.sns.addPermission({ TopicArn, Label: "friends", AWSAccountId: [OTHER], ActionName: ["Publish"] });
      assert.match((await stage.stage.sns.getTopicAttributes({ TopicArn })).Attributes?.["Policy"] ?? "", /"Sid":"friends"/);
    },
    refuses: [
      ({ js }) => js.sns.addPermission({ ...nowhere, Label: "x", AWSAccountId: [OTHER], ActionName: ["Publish"] }),
      NotFoundException,
      404,
    ],
  },
  RemovePermission: {
    async does(stage) {
      const TopicArn = await topic(stage, "unshared");
      await stage.stage.sns.addPermission({ TopicArn, Label: "friends", AWSAccountId: [OTHER], ActionName: ["Publish"] });
      await stage.js.sns.removePermission({ TopicArn, Label: "friends" });
      assert.doesNotMatch((await stage.stage.sns.getTopicAttributes({ TopicArn })).Attributes?.["Policy"] ?? "", /friends/);
    },
    refuses: [({ js }) => js.sns.removePermission({ ...nowhere, Label: "x" }), NotFoundException, 404],
  },
  TagResource: {
    async does(stage) {
      const ResourceArn = await topic(stage, "tagged");
      await stage.js.sns.tagResource({ ResourceArn, Tags: [{ Key: "a", Value: "1" }] });
      assert.deepEqual((await stage.stage.sns.listTagsForResource({ ResourceArn })).Tags, [{ Key: "a", Value: "1" }]);
    },
    refuses: [({ js }) => js.sns.tagResource({ ResourceArn: nowhere.TopicArn, Tags: [] }), ResourceNotFoundException, 404],
  },
  UntagResource: {
    async does(stage) {
      const ResourceArn = known((await stage.stage.sns.createTopic({ Name: "untagged", Tags: [{ Key: "a", Value: "1" }] })).TopicArn);
      await stage.js.sns.untagResource({ ResourceArn, TagKeys: ["a"] });
      assert.deepEqual((await stage.stage.sns.listTagsForResource({ ResourceArn })).Tags, []);
    },
    refuses: [({ js }) => js.sns.untagResource({ ResourceArn: nowhere.TopicArn, TagKeys: [] }), ResourceNotFoundException, 404],
  },
  ListTagsForResource: {
    async does(stage) {
      const ResourceArn = known((await stage.stage.sns.createTopic({ Name: "with-tags", Tags: [{ Key: "a", Value: "1" }] })).TopicArn);
      assert.deepEqual((await stage.js.sns.listTagsForResource({ ResourceArn })).Tags, [{ Key: "a", Value: "1" }]);
    },
    refuses: [({ js }) => js.sns.listTagsForResource({ ResourceArn: nowhere.TopicArn }), ResourceNotFoundException, 404],
  },
} satisfies Readonly<Record<string, OperationCase>>;

const subscriptionCases = {
  Subscribe: {
    async does(stage) {
      const { TopicArn, QueueUrl } = await reached(stage, "subscribed", {});
      const FilterPolicy = JSON.stringify({ kind: ["wanted"] });
      await stage.js.sns.subscribe({
        TopicArn,
        Protocol: "sqs",
        Endpoint: queueArnOf("subscribed-by-nobody"),
        Attributes: { FilterPolicy },
      });
      const { MessageId } = await stage.stage.sns.publish({ TopicArn, Message: "hello", Subject: "greeting" });
      const [text] = await bodies(stage, QueueUrl, 1);
      const document = JSON.parse(known(text)) as Record<string, unknown>;
      assert.deepEqual(
        [document["Type"], document["MessageId"], document["Subject"], document["Message"]],
        ["Notification", MessageId, "greeting", "hello"],
      );
    },
    refuses: [
      async (stage) => stage.js.sns.subscribe({ TopicArn: await topic(stage, "mail"), Protocol: "email", Endpoint: "a@example.com" }),
      InvalidParameterException,
      400,
    ],
  },
  ConfirmSubscription: {
    async does(stage) {
      const [TopicArn, hook] = [await topic(stage, "hooked"), await endpoint()];
      try {
        await stage.stage.sns.subscribe({ TopicArn, Protocol: "http", Endpoint: hook.url });
        const { Token } = await hook.first;
        const { SubscriptionArn } = await stage.js.sns.confirmSubscription({ TopicArn, Token });
        const { Subscriptions = [] } = await stage.stage.sns.listSubscriptionsByTopic({ TopicArn });
        assert.deepEqual(
          Subscriptions.map((each) => each.SubscriptionArn),
          [SubscriptionArn],
        );
      } finally {
        hook.close();
      }
    },
    refuses: [
      async (stage) => stage.js.sns.confirmSubscription({ TopicArn: await topic(stage, "hooked"), Token: "made up" }),
      InvalidParameterException,
      400,
    ],
  },
  Unsubscribe: {
    async does(stage) {
      const { SubscriptionArn, TopicArn } = await reached(stage, "ended");
      await stage.js.sns.unsubscribe({ SubscriptionArn });
      assert.deepEqual((await stage.stage.sns.listSubscriptionsByTopic({ TopicArn })).Subscriptions, []);
    },
    refuses: [({ js }) => js.sns.unsubscribe({ SubscriptionArn: "PendingConfirmation" }), InvalidParameterException, 400],
  },
  ListSubscriptions: {
    async does(stage) {
      const { SubscriptionArn } = await reached(stage, "among-all");
      const { Subscriptions = [] } = await stage.js.sns.listSubscriptions({});
      assert.ok(Subscriptions.some((each) => each.SubscriptionArn === SubscriptionArn));
    },
    refuses: [({ js }) => js.sns.listSubscriptions({ NextToken: "made up" }), InvalidParameterException, 400],
  },
  ListSubscriptionsByTopic: {
    async does(stage) {
      const { SubscriptionArn, TopicArn } = await reached(stage, "by-topic");
      const { Subscriptions = [] } = await stage.js.sns.listSubscriptionsByTopic({ TopicArn });
      assert.deepEqual(
        Subscriptions.map((each) => each.SubscriptionArn),
        [SubscriptionArn],
      );
    },
    refuses: [({ js }) => js.sns.listSubscriptionsByTopic(nowhere), NotFoundException, 404],
  },
  GetSubscriptionAttributes: {
    async does(stage) {
      const { SubscriptionArn } = await reached(stage, "read");
      const { Attributes } = await stage.js.sns.getSubscriptionAttributes({ SubscriptionArn });
      assert.deepEqual([Attributes?.["Protocol"], Attributes?.["RawMessageDelivery"]], ["sqs", "true"]);
    },
    refuses: [
      ({ js }) => js.sns.getSubscriptionAttributes({ SubscriptionArn: `${nowhere.TopicArn}:00000000-0000-4000-8000-000000000000` }),
      NotFoundException,
      404,
    ],
  },
  SetSubscriptionAttributes: {
    async does(stage) {
      const { SubscriptionArn, TopicArn, QueueUrl } = await reached(stage, "filtered");
      const AttributeValue = JSON.stringify({ kind: [{ prefix: "w" }] });
      await stage.js.sns.setSubscriptionAttributes({ SubscriptionArn, AttributeName: "FilterPolicy", AttributeValue });
      for (const StringValue of ["other", "wanted"]) {
        await stage.stage.sns.publish({ TopicArn, Message: StringValue, MessageAttributes: { kind: { DataType: "String", StringValue } } });
      }
      assert.deepEqual(await bodies(stage, QueueUrl, 1), ["wanted"]);
    },
    refuses: [
      async (stage) => {
        const { SubscriptionArn } = await reached(stage, "badly-filtered");
        return stage.js.sns.setSubscriptionAttributes({ SubscriptionArn, AttributeName: "FilterPolicy", AttributeValue: '{"kind":"x"}' });
      },
      InvalidParameterException,
      400,
    ],
  },
} satisfies Readonly<Record<string, OperationCase>>;

const messageCases = {
  Publish: {
    async does(stage) {
      const { TopicArn, QueueUrl } = await reached(stage, "published");
      await stage.js.sns.publish({ TopicArn, Message: "as it is <&>" });
      assert.deepEqual(await bodies(stage, QueueUrl, 1), ["as it is <&>"]);
    },
    refuses: [({ js }) => js.sns.publish({ ...nowhere, Message: "x" }), NotFoundException, 404],
  },
  PublishBatch: {
    async does(stage) {
      const { TopicArn, QueueUrl } = await reached(stage, "batched");
      const PublishBatchRequestEntries = ["a", "", "c"].map((Message, index) => ({ Id: `${index}`, Message }));
      const { Successful, Failed } = await stage.js.sns.publishBatch({ TopicArn, PublishBatchRequestEntries });
      assert.deepEqual([Successful?.map(({ Id }) => Id), Failed?.map(({ Id }) => Id)], [["0", "2"], ["1"]]);
      assert.deepEqual((await bodies(stage, QueueUrl, 2)).toSorted(), ["a", "c"]);
    },
    refuses: [
      async (stage) => stage.js.sns.publishBatch({ TopicArn: await topic(stage, "batched"), PublishBatchRequestEntries: [] }),
      EmptyBatchRequestException,
      400,
    ],
  },
} satisfies Readonly<Record<string, OperationCase>>;

export const snsCases = { ...topicCases, ...subscriptionCases, ...messageCases };
