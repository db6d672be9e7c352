import assert from "node:assert/strict";
import {
  BatchEntryIdsNotDistinct,
  type CreateQueueCommandInput,
  EmptyBatchRequest,
  InvalidAttributeName,
  InvalidAttributeValue,
  type Message,
  MessageNotInflight,
  PurgeQueueInProgress,
  QueueDoesNotExist,
  QueueNameExists,
  ReceiptHandleIsInvalid,
  ResourceNotFoundException,
  type SQS,
  TooManyEntriesInBatchRequest,
} from "@aws-sdk/client-sqs";
import { ACCOUNT } from "../../support/javascript-clients.ts";
import { known, type OperationCase, type Stage } from "./cases.ts";

const arnOf = (name: string): string => `arn:aws:sqs:us-east-1:${ACCOUNT}:${name}`;
const nowhere = ({ server }: Stage): { readonly QueueUrl: string } => ({ QueueUrl: `${server.url}/${ACCOUNT}/nowhere` });

async function queue({ stage }: Stage, QueueName: string, Attributes: CreateQueueCommandInput["Attributes"] = {}): Promise<string> {
  return known((await stage.sqs.createQueue({ QueueName, Attributes })).QueueUrl);
}

/** What is there, in flight from now on. */
async function take(sqs: SQS, QueueUrl: string, MaxNumberOfMessages = 10): Promise<Message[]> {
  const { Messages = [] } = await sqs.receiveMessage({ QueueUrl, MaxNumberOfMessages, WaitTimeSeconds: 1 });
  return Messages;
}

/** A queue with these messages, all of them in flight; their handles. */
async function inFlight(stage: Stage, name: string, ...bodies: readonly string[]): Promise<{ QueueUrl: string; handles: string[] }> {
  const QueueUrl = await queue(stage, name);
  for (const MessageBody of bodies) await stage.stage.sqs.sendMessage({ QueueUrl, MessageBody });
  const messages = await take(stage.stage.sqs, QueueUrl);
  return { QueueUrl, handles: messages.map(({ ReceiptHandle }) => known(ReceiptHandle)) };
}

async function attribute({ stage }: Stage, QueueUrl: string, name: "All" | "ApproximateNumberOfMessages" | "VisibilityTimeout" | "Policy") {
  return (await stage.sqs.getQueueAttributes({ QueueUrl, AttributeNames: [name] })).Attributes;
}

/** A dead-letter queue with one message, and the queue it came from. */
async function withDeadLetter(stage: Stage, name: string): Promise<{ readonly source: string; readonly dead: string }> {
  const dead = await queue(stage, `${name}-dead`);
  const redrive = JSON.stringify({ deadLetterTargetArn: arnOf(`${name}-dead`), maxReceiveCount: 1 });
  const source = await queue(stage, name, { RedrivePolicy: redrive, VisibilityTimeout: "0" });
  await stage.stage.sqs.sendMessage({ QueueUrl: source, MessageBody: "dead" });
  // The second receive gives nothing: the message has gone to the other queue.
  await take(stage.stage.sqs, source);
  await stage.stage.sqs.receiveMessage({ QueueUrl: source });
  return { source, dead };
}

/** Looks until a queue's newest move task has moved one message and is as wanted. */
async function untilMoved({ stage }: Stage, SourceArn: string, status: string): Promise<void> {
  for (;;) {
    const { Results = [] } = await stage.sqs.listMessageMoveTasks({ SourceArn });
    if (Results[0]?.Status === status && Results[0].ApproximateNumberOfMessagesMoved === 1) return;
  }
}

/** Queues as such. */
const queueCases: Readonly<Record<string, OperationCase>> = {
  CreateQueue: {
    async does(stage) {
      const { QueueUrl } = await stage.js.sqs.createQueue({ QueueName: "made", Attributes: { VisibilityTimeout: "5" }, tags: { a: "b" } });
      assert.match(known(QueueUrl), /^http:\/\/127\.0\.0\.1:\d+\/000000000000\/made$/u);
      assert.equal((await attribute(stage, known(QueueUrl), "VisibilityTimeout"))?.["VisibilityTimeout"], "5");
    },
    refuses: [
      async (stage) => {
        await queue(stage, "made-twice", { DelaySeconds: "1" });
        return stage.js.sqs.createQueue({ QueueName: "made-twice", Attributes: { DelaySeconds: "2" } });
      },
      QueueNameExists,
      400,
    ],
  },
  DeleteQueue: {
    async does(stage) {
      const QueueUrl = await queue(stage, "deleted");
      await stage.js.sqs.deleteQueue({ QueueUrl });
      await assert.rejects(stage.stage.sqs.sendMessage({ QueueUrl, MessageBody: "late" }), QueueDoesNotExist);
      await assert.rejects(queue(stage, "deleted"), { name: "QueueDeletedRecently" });
    },
    refuses: [(stage) => stage.js.sqs.deleteQueue(nowhere(stage)), QueueDoesNotExist, 400],
  },
  GetQueueUrl: {
    async does(stage) {
      const QueueUrl = await queue(stage, "found");
      const answer = await stage.js.sqs.getQueueUrl({ QueueName: "found" });
      assert.equal(new URL(known(answer.QueueUrl)).pathname, new URL(QueueUrl).pathname);
      // Whatever host a client knows the server by, the URL is the queue's.
      await stage.stage.sqs.sendMessage({ QueueUrl: `https://sqs.us-east-1.amazonaws.com/${ACCOUNT}/found`, MessageBody: "x" });
      assert.equal((await take(stage.stage.sqs, QueueUrl)).length, 1);
    },
    refuses: [({ js }) => js.sqs.getQueueUrl({ QueueName: "nowhere" }), QueueDoesNotExist, 400],
  },
  ListQueues: {
    async does(stage) {
      for (const name of ["listed-a", "listed-b", "listed-c"]) await queue(stage, name);
      const first = await stage.js.sqs.listQueues({ QueueNamePrefix: "listed-", MaxResults: 2 });
      const rest = await stage.js.sqs.listQueues({ QueueNamePrefix: "listed-", MaxResults: 2, NextToken: known(first.NextToken) });
      assert.deepEqual(
        [...known(first.QueueUrls), ...known(rest.QueueUrls)].map((url) => url.split("/").at(-1)),
        ["listed-a", "listed-b", "listed-c"],
      );
    },
    refuses: [({ js }) => js.sqs.listQueues({ MaxResults: 1_001 }), "InvalidParameterValue", 400],
  },
  GetQueueAttributes: {
    async does(stage) {
      const QueueUrl = await queue(stage, "attributes.fifo", { FifoQueue: "true", ContentBasedDeduplication: "true" });
      const { Attributes } = await stage.js.sqs.getQueueAttributes({ QueueUrl, AttributeNames: ["All"] });
      assert.deepEqual(
        [Attributes?.QueueArn, Attributes?.FifoQueue, Attributes?.VisibilityTimeout, Attributes?.MaximumMessageSize, Attributes?.Policy],
        [arnOf("attributes.fifo"), "true", "30", "1048576", undefined],
      );
      assert.deepEqual((await stage.stage.sqs.getQueueAttributes({ QueueUrl })).Attributes, undefined);
    },
    refuses: [
      async (stage) => stage.js.sqs.getQueueAttributes({ QueueUrl: await queue(stage, "attributes"), AttributeNames: ["Colour" as "All"] }),
      InvalidAttributeName,
      400,
    ],
  },
  SetQueueAttributes: {
    async does(stage) {
      const QueueUrl = await queue(stage, "set");
      await stage.js.sqs.setQueueAttributes({ QueueUrl, Attributes: { VisibilityTimeout: "60", MaximumMessageSize: "1024" } });
      assert.equal((await attribute(stage, QueueUrl, "VisibilityTimeout"))?.["VisibilityTimeout"], "60");
      await assert.rejects(stage.stage.sqs.sendMessage({ QueueUrl, MessageBody: "x".repeat(1_025) }), { name: "InvalidParameterValue" });
    },
    refuses: [
      async (stage) => stage.js.sqs.setQueueAttributes({ QueueUrl: await queue(stage, "set"), Attributes: { VisibilityTimeout: "43201" } }),
      InvalidAttributeValue,
      400,
    ],
  },
  PurgeQueue: {
    async does(stage) {
      const { QueueUrl } = await inFlight(stage, "purged", "a");
      await stage.js.sqs.purgeQueue({ QueueUrl });
      assert.equal((await attribute(stage, QueueUrl, "All"))?.["ApproximateNumberOfMessagesNotVisible"], "0");
    },
    refuses: [
      async (stage) => {
        const QueueUrl = await queue(stage, "purged-twice");
        await stage.stage.sqs.purgeQueue({ QueueUrl });
        return stage.js.sqs.purgeQueue({ QueueUrl });
      },
      PurgeQueueInProgress,
      403,
    ],
  },
  ListDeadLetterSourceQueues: {
    async does(stage) {
      const { dead } = await withDeadLetter(stage, "sources");
      const { queueUrls } = await stage.js.sqs.listDeadLetterSourceQueues({ QueueUrl: dead });
      assert.deepEqual(
        queueUrls?.map((url) => url.split("/").at(-1)),
        ["sources"],
      );
    },
    refuses: [(stage) => stage.js.sqs.listDeadLetterSourceQueues(nowhere(stage)), QueueDoesNotExist, 400],
  },
  TagQueue: {
    async does(stage) {
      const QueueUrl = await queue(stage, "tagged");
      await stage.js.sqs.tagQueue({ QueueUrl, Tags: { a: "1", b: "2" } });
      assert.deepEqual((await stage.stage.sqs.listQueueTags({ QueueUrl })).Tags, { a: "1", b: "2" });
    },
    refuses: [(stage) => stage.js.sqs.tagQueue({ ...nowhere(stage), Tags: { a: "b" } }), QueueDoesNotExist, 400],
  },
  UntagQueue: {
    async does(stage) {
      const QueueUrl = await queue(stage, "untagged");
      await stage.stage.sqs.tagQueue({ QueueUrl, Tags: { a: "1", b: "2" } });
      await stage.js.sqs.untagQueue({ QueueUrl, TagKeys: ["a"] });
      assert.deepEqual((await stage.stage.sqs.listQueueTags({ QueueUrl })).Tags, { b: "2" });
    },
    refuses: [(stage) => stage.js.sqs.untagQueue({ ...nowhere(stage), TagKeys: ["a"] }), QueueDoesNotExist, 400],
  },
  ListQueueTags: {
    async does(stage) {
      const QueueUrl = await queue(stage, "list-tags");
      assert.deepEqual((await stage.js.sqs.listQueueTags({ QueueUrl })).Tags, undefined);
    },
    refuses: [(stage) => stage.js.sqs.listQueueTags(nowhere(stage)), QueueDoesNotExist, 400],
  },
  AddPermission: {
    async does(stage) {
      const QueueUrl = await queue(stage, "shared");
      await stage.js.sqs.addPermission({ QueueUrl, Label: "others", AWSAccountIds: ["111111111111"], Actions: ["SendMessage"] });
      const policy = JSON.parse(known((await attribute(stage, QueueUrl, "Policy"))?.["Policy"])) as {
        readonly Statement: readonly object[];
      };
      assert.deepEqual(policy.Statement, [
        {
          Sid: "others",
          Effect: "Allow",
          Principal: { AWS: "arn:aws:iam::111111111111:root" },
          Action: "SQS:SendMessage",
          Resource: arnOf("shared"),
        },
      ]);
    },
    refuses: [
      async (stage) => {
        const QueueUrl = await queue(stage, "shared-wrongly");
        return stage.js.sqs.addPermission({ QueueUrl, Label: "x", AWSAccountIds: [ACCOUNT], Actions: ["DeleteQueue"] });
      },
      "InvalidParameterValue",
      400,
    ],
  },
  RemovePermission: {
    async does(stage) {
      const QueueUrl = await queue(stage, "unshared");
      await stage.stage.sqs.addPermission({ QueueUrl, Label: "others", AWSAccountIds: ["111111111111"], Actions: ["*"] });
      await stage.js.sqs.removePermission({ QueueUrl, Label: "others" });
      assert.deepEqual(await attribute(stage, QueueUrl, "Policy"), {});
    },
    refuses: [
      async (stage) => stage.js.sqs.removePermission({ QueueUrl: await queue(stage, "unshared-twice"), Label: "others" }),
      "InvalidParameterValue",
      400,
    ],
  },
};

/** Messages, one by one and in batches. The client compares every digest with its own. */
const messageCases: Readonly<Record<string, OperationCase>> = {
  SendMessage: {
    async does(stage) {
      const QueueUrl = await queue(stage, "sent.fifo", { FifoQueue: "true" });
      const sent = await stage.js.sqs.sendMessage({
        QueueUrl,
        MessageBody: "héllo & <you>",
        MessageGroupId: "g",
        MessageDeduplicationId: "1",
        MessageAttributes: {
          text: { DataType: "String", StringValue: "€" },
          bytes: { DataType: "Binary", BinaryValue: new Uint8Array([0, 255]) },
        },
        MessageSystemAttributes: { AWSTraceHeader: { DataType: "String", StringValue: "Root=1-5759e988-bd862e3fe1be46a994272793" } },
      });
      assert.match(known(sent.SequenceNumber), /^\d{20}$/u);
      assert.equal((await take(stage.stage.sqs, QueueUrl))[0]?.MessageId, sent.MessageId);
    },
    refuses: [
      async (stage) => {
        const QueueUrl = await queue(stage, "sent-groupless.fifo", { FifoQueue: "true" });
        return stage.js.sqs.sendMessage({ QueueUrl, MessageBody: "x", MessageDeduplicationId: "1" });
      },
      "InvalidParameterValue",
      400,
    ],
  },
  SendMessageBatch: {
    async does(stage) {
      const QueueUrl = await queue(stage, "sent-batch");
      const { Successful, Failed } = await stage.js.sqs.sendMessageBatch({
        QueueUrl,
        Entries: [
          { Id: "good", MessageBody: "x", MessageAttributes: { n: { DataType: "Number", StringValue: "1.5" } } },
          { Id: "bad", MessageBody: "a\u0001b" },
          { Id: "late", MessageBody: "y", DelaySeconds: 901 },
        ],
      });
      assert.deepEqual(
        Successful?.map(({ Id }) => Id),
        ["good"],
      );
      assert.deepEqual(
        Failed?.map(({ Id, Code, SenderFault }) => [Id, Code, SenderFault]),
        [
          ["bad", "InvalidMessageContents", true],
          ["late", "InvalidParameterValue", true],
        ],
      );
    },
    refuses: [
      async (stage) => {
        const QueueUrl = await queue(stage, "sent-batch");
        return stage.js.sqs.sendMessageBatch({ QueueUrl, Entries: ["1", "1"].map((Id) => ({ Id, MessageBody: "x" })) });
      },
      BatchEntryIdsNotDistinct,
      400,
    ],
  },
  ReceiveMessage: {
    async does(stage) {
      const QueueUrl = await queue(stage, "received");
      const MessageAttributes = { "a.b": { DataType: "String", StringValue: "v" }, c: { DataType: "String", StringValue: "w" } };
      // Who waits is woken by what comes: nothing is asked again.
      const waiting = stage.js.sqs.receiveMessage({
        QueueUrl,
        WaitTimeSeconds: 20,
        MessageAttributeNames: ["a.*"],
        MessageSystemAttributeNames: ["All"],
      });
      await stage.stage.sqs.sendMessage({ QueueUrl, MessageBody: "x", MessageAttributes, MessageGroupId: "g" });
      const [message] = known((await waiting).Messages);
      assert.deepEqual(message?.MessageAttributes, { "a.b": { DataType: "String", StringValue: "v" } });
      assert.deepEqual(
        [message?.Attributes?.ApproximateReceiveCount, message?.Attributes?.SenderId, message?.Attributes?.MessageGroupId],
        ["1", ACCOUNT, "g"],
      );
      assert.equal((await stage.stage.sqs.receiveMessage({ QueueUrl })).Messages, undefined);
    },
    refuses: [
      async (stage) => stage.js.sqs.receiveMessage({ QueueUrl: await queue(stage, "received"), MaxNumberOfMessages: 11 }),
      "InvalidParameterValue",
      400,
    ],
  },
  DeleteMessage: {
    async does(stage) {
      const { QueueUrl, handles } = await inFlight(stage, "deleted-from", "a");
      await stage.js.sqs.deleteMessage({ QueueUrl, ReceiptHandle: known(handles[0]) });
      assert.equal((await attribute(stage, QueueUrl, "All"))?.["ApproximateNumberOfMessagesNotVisible"], "0");
    },
    refuses: [
      async (stage) => {
        const { handles } = await inFlight(stage, "deleted-foreign", "a");
        return stage.js.sqs.deleteMessage({ QueueUrl: await queue(stage, "deleted-from"), ReceiptHandle: known(handles[0]) });
      },
      ReceiptHandleIsInvalid,
      404,
    ],
  },
  DeleteMessageBatch: {
    async does(stage) {
      const { QueueUrl, handles } = await inFlight(stage, "deleted-batch", "a", "b");
      const Entries = [...handles, "made up"].map((ReceiptHandle, index) => ({ Id: `${index}`, ReceiptHandle }));
      const { Successful, Failed } = await stage.js.sqs.deleteMessageBatch({ QueueUrl, Entries });
      assert.deepEqual(
        [Successful?.map(({ Id }) => Id), Failed?.map(({ Id, Code }) => [Id, Code])],
        [["0", "1"], [["2", "ReceiptHandleIsInvalid"]]],
      );
    },
    refuses: [
      async (stage) => stage.js.sqs.deleteMessageBatch({ QueueUrl: await queue(stage, "deleted-batch"), Entries: [] }),
      EmptyBatchRequest,
      400,
    ],
  },
  ChangeMessageVisibility: {
    async does(stage) {
      const { QueueUrl, handles } = await inFlight(stage, "changed", "a");
      await stage.js.sqs.changeMessageVisibility({ QueueUrl, ReceiptHandle: known(handles[0]), VisibilityTimeout: 0 });
      assert.equal((await take(stage.stage.sqs, QueueUrl)).length, 1);
    },
    refuses: [
      async (stage) => {
        const { QueueUrl, handles } = await inFlight(stage, "changed-late", "a");
        const ReceiptHandle = known(handles[0]);
        await stage.stage.sqs.changeMessageVisibility({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 });
        return stage.js.sqs.changeMessageVisibility({ QueueUrl, ReceiptHandle, VisibilityTimeout: 10 });
      },
      MessageNotInflight,
      400,
    ],
  },
  ChangeMessageVisibilityBatch: {
    async does(stage) {
      const { QueueUrl, handles } = await inFlight(stage, "changed-batch", "a");
      const Entries = [{ Id: "a", ReceiptHandle: known(handles[0]), VisibilityTimeout: 0 }];
      const { Successful, Failed } = await stage.js.sqs.changeMessageVisibilityBatch({ QueueUrl, Entries });
      assert.deepEqual([Successful, Failed], [[{ Id: "a" }], undefined]);
    },
    refuses: [
      async (stage) => {
        const QueueUrl = await queue(stage, "changed-batch");
        const Entries = Array.from({ length: 11 }, (_, index) => ({ Id: `${index}`, ReceiptHandle: "x", VisibilityTimeout: 1 }));
        return stage.js.sqs.changeMessageVisibilityBatch({ QueueUrl, Entries });
      },
      TooManyEntriesInBatchRequest,
      400,
    ],
  },
};

/** Back out of dead-letter queues. */
const moveCases: Readonly<Record<string, OperationCase>> = {
  StartMessageMoveTask: {
    async does(stage) {
      const { source } = await withDeadLetter(stage, "moved");
      assert.ok((await stage.js.sqs.startMessageMoveTask({ SourceArn: arnOf("moved-dead") })).TaskHandle);
      const { Messages } = await stage.stage.sqs.receiveMessage({ QueueUrl: source, WaitTimeSeconds: 20 });
      assert.equal(Messages?.[0]?.Body, "dead");
    },
    refuses: [({ js }) => js.sqs.startMessageMoveTask({ SourceArn: arnOf("nowhere") }), ResourceNotFoundException, 404],
  },
  ListMessageMoveTasks: {
    async does(stage) {
      await withDeadLetter(stage, "move-listed");
      await stage.stage.sqs.startMessageMoveTask({ SourceArn: arnOf("move-listed-dead") });
      await untilMoved(stage, arnOf("move-listed-dead"), "COMPLETED");
      const { Results } = await stage.js.sqs.listMessageMoveTasks({ SourceArn: arnOf("move-listed-dead"), MaxResults: 10 });
      assert.deepEqual(
        Results?.map((each) => [each.ApproximateNumberOfMessagesToMove, each.SourceArn]),
        [[1, arnOf("move-listed-dead")]],
      );
    },
    refuses: [({ js }) => js.sqs.listMessageMoveTasks({ SourceArn: "dead" }), "InvalidParameterValue", 400],
  },
  CancelMessageMoveTask: {
    async does(stage) {
      const { dead } = await withDeadLetter(stage, "move-cancelled");
      for (let index = 0; index < 3; index++) await stage.stage.sqs.sendMessage({ QueueUrl: dead, MessageBody: `${index}` });
      await queue(stage, "move-cancelled-to");
      const { TaskHandle } = await stage.stage.sqs.startMessageMoveTask({
        SourceArn: arnOf("move-cancelled-dead"),
        DestinationArn: arnOf("move-cancelled-to"),
        MaxNumberOfMessagesPerSecond: 1,
      });
      await untilMoved(stage, arnOf("move-cancelled-dead"), "RUNNING");
      const { ApproximateNumberOfMessagesMoved: moved } = await stage.js.sqs.cancelMessageMoveTask({ TaskHandle: known(TaskHandle) });
      assert.equal(moved, 1);
    },
    refuses: [({ js }) => js.sqs.cancelMessageMoveTask({ TaskHandle: "made up" }), "InvalidParameterValue", 400],
  },
};

export const sqsCases: Readonly<Record<string, OperationCase>> = { ...queueCases, ...messageCases, ...moveCases };
