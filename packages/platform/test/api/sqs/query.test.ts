/** SQS in the query form of clients from before 2023. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { QueueDoesNotExist } from "@aws-sdk/client-sqs";
import { openSqs } from "./world.ts";

const ACCOUNT = "000000000000";

describe("SQS in the query form", () => {
  it("does what it does in JSON: the same queue, messages and digests, seen from both", async (test) => {
    const { sqs, older } = await openSqs(test);
    const { QueueUrl = "" } = await older.createQueue({
      QueueName: "both.fifo",
      Attributes: { FifoQueue: "true", VisibilityTimeout: "60" },
      tags: { team: "a", "with space": "ü&=" },
    });
    assert.deepEqual((await sqs.listQueueTags({ QueueUrl })).Tags, { team: "a", "with space": "ü&=" });
    assert.deepEqual((await older.listQueueTags({ QueueUrl })).Tags, { team: "a", "with space": "ü&=" });
    const MessageAttributes = {
      text: { DataType: "String", StringValue: "<&>\r\n€" },
      bytes: { DataType: "Binary", BinaryValue: new Uint8Array([0, 255]) },
    };
    const more = { MessageAttributes, MessageGroupId: "g" };
    await older.sendMessage({ QueueUrl, MessageBody: "old <one> &\t", MessageDeduplicationId: "1", ...more });
    await sqs.sendMessage({ QueueUrl, MessageBody: "new one", MessageDeduplicationId: "2", ...more });
    const { Messages = [] } = await older.receiveMessage({
      QueueUrl,
      MaxNumberOfMessages: 10,
      AttributeNames: ["All"],
      MessageAttributeNames: ["All"],
    });
    assert.deepEqual(
      Messages.map(({ Body, Attributes, MessageAttributes: { text } = {} }) => [Body, Attributes?.MessageGroupId, text?.StringValue]),
      [
        ["old <one> &\t", "g", "<&>\r\n€"],
        ["new one", "g", "<&>\r\n€"],
      ],
    );
    const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: `${index}`, ReceiptHandle }));
    const { Successful, Failed } = await older.deleteMessageBatch({
      QueueUrl,
      Entries: [...Entries, { Id: "x", ReceiptHandle: "made up" }],
    });
    assert.deepEqual(
      Successful?.map(({ Id }) => Id),
      ["0", "1"],
    );
    assert.deepEqual(Failed, [
      { Id: "x", Code: "ReceiptHandleIsInvalid", Message: "The input receipt handle is invalid.", SenderFault: true },
    ]);
    const { Attributes } = await older.getQueueAttributes({
      QueueUrl,
      AttributeNames: ["ApproximateNumberOfMessagesNotVisible", "VisibilityTimeout"],
    });
    assert.deepEqual(Attributes, { ApproximateNumberOfMessagesNotVisible: "0", VisibilityTimeout: "60" });
    await older.setQueueAttributes({ QueueUrl, Attributes: { DelaySeconds: "5" } });
    assert.equal((await sqs.getQueueAttributes({ QueueUrl, AttributeNames: ["DelaySeconds"] })).Attributes?.["DelaySeconds"], "5");
    assert.deepEqual((await older.listQueues({})).QueueUrls, [QueueUrl]);
    await older.deleteQueue({ QueueUrl });
    await assert.rejects(older.deleteQueue({ QueueUrl }), QueueDoesNotExist);
  });

  it("takes the queue from the path, where the form does not name it", async (test) => {
    const { form, sqs } = await openSqs(test);
    const { QueueUrl = "" } = await sqs.createQueue({ QueueName: "by-path" });
    const sent = await form(`/${ACCOUNT}/by-path`, { Action: "SendMessage", Version: "2012-11-05", MessageBody: "a b+c" });
    assert.equal(sent.status, 200, sent.body.toString());
    assert.match(
      sent.body.toString(),
      /^<SendMessageResponse xmlns="http:\/\/queue\.amazonaws\.com\/doc\/2012-11-05\/"><SendMessageResult><MD5OfMessageBody>[0-9a-f]{32}<\/MD5OfMessageBody><MessageId>[0-9a-f-]{36}<\/MessageId><\/SendMessageResult><ResponseMetadata><RequestId>[0-9a-f-]{36}<\/RequestId><\/ResponseMetadata><\/SendMessageResponse>/u,
    );
    assert.equal((await sqs.receiveMessage({ QueueUrl })).Messages?.[0]?.Body, "a b+c");
  });

  it("says errors in XML with the codes and statuses of the older form", async (test) => {
    const { form, sqs } = await openSqs(test);
    await sqs.createQueue({ QueueName: "errors" });
    const told = async (path: string, pairs: Readonly<Record<string, string>>) => {
      const { status, body, headers } = await form(path, pairs);
      assert.equal(headers["content-type"], "text/xml");
      return `${status} ${/<Type>(\w+)<\/Type><Code>([^<]+)</u.exec(body.toString())?.slice(1).join(" ")}`;
    };
    const queue = `/${ACCOUNT}/errors`;
    assert.equal(await told(`/${ACCOUNT}/nowhere`, { Action: "PurgeQueue" }), "400 Sender AWS.SimpleQueueService.NonExistentQueue");
    assert.equal(await told(queue, { Action: "DeleteMessage", ReceiptHandle: "x" }), "404 Sender ReceiptHandleIsInvalid");
    assert.equal(await told(queue, { Action: "SendMessage" }), "400 Sender MissingParameter");
    assert.equal(await told(queue, { Action: "SendMessage", MessageBody: "x", DelaySeconds: "901" }), "400 Sender InvalidParameterValue");
    assert.equal(await told(queue, { Action: "SendMessage", MessageBody: "\u0001" }), "400 Sender InvalidMessageContents");
    assert.equal(
      await told(queue, { Action: "SetQueueAttributes", "Attribute.1.Name": "Colour", "Attribute.1.Value": "red" }),
      "400 Sender InvalidAttributeName",
    );
    assert.equal(await told(queue, { Action: "DeleteMessageBatch" }), "400 Sender MissingParameter");
    assert.equal(await told("/", { Action: "PaintQueue" }), "400 Sender InvalidAction");
    assert.equal(await told("/not/a/queue", { Action: "PurgeQueue" }), "404 Sender InvalidAddress");
  });
});
