/** Queues as a whole server has them: kept over its end, reached by functions, and nothing lost to a receiver that left. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { call, makeFunction, startServerWithClients } from "../support/javascript-clients.ts";
import { sendSigned } from "../support/signed-http.ts";

const { server, clients } = await startServerWithClients();
const { sqs } = clients;

async function made(QueueName: string, Attributes: Record<string, string> = {}): Promise<string> {
  return (await sqs.createQueue({ QueueName, Attributes })).QueueUrl ?? assert.fail("no URL");
}

describe("queues of a server", () => {
  test("keep their messages, leases and deduplication over its end (P1)", async () => {
    const QueueUrl = await made("kept.fifo", { FifoQueue: "true", ContentBasedDeduplication: "true", VisibilityTimeout: "600" });
    for (const MessageBody of ["first", "second"]) await sqs.sendMessage({ QueueUrl, MessageBody, MessageGroupId: "g" });
    const [first] = (await sqs.receiveMessage({ QueueUrl })).Messages ?? [];
    await server.restart();
    assert.equal((await sqs.receiveMessage({ QueueUrl })).Messages, undefined, "the group is locked by a lease that is live");
    await sqs.deleteMessage({ QueueUrl, ReceiptHandle: first?.ReceiptHandle });
    await sqs.sendMessage({ QueueUrl, MessageBody: "second", MessageGroupId: "g" });
    const { Messages } = await sqs.receiveMessage({ QueueUrl, MaxNumberOfMessages: 10 });
    assert.deepEqual(
      Messages?.map(({ Body }) => Body),
      ["second"],
    );
  });

  test("give nothing to a receiver that has left while it waited", async () => {
    const QueueUrl = await made("left");
    const leaving = new AbortController();
    const left = sqs.receiveMessage({ QueueUrl, WaitTimeSeconds: 20 }, { abortSignal: leaving.signal });
    const gone = assert.rejects(left, { name: "AbortError" });
    const stays = sqs.receiveMessage({ QueueUrl, WaitTimeSeconds: 20 });
    leaving.abort();
    await gone;
    // Its departure is heard behind this answer at the latest.
    await sqs.getQueueAttributes({ QueueUrl, AttributeNames: ["All"] });
    await sqs.sendMessage({ QueueUrl, MessageBody: "for who stayed" });
    assert.equal((await stays).Messages?.[0]?.Body, "for who stayed");
  });

  test("answer who waits when the server ends: nothing, in time", async () => {
    const QueueUrl = await made("ending");
    const waiting = sqs.receiveMessage({ QueueUrl, WaitTimeSeconds: 20 });
    await sqs.getQueueAttributes({ QueueUrl, AttributeNames: ["All"] });
    await server.restart();
    assert.equal((await waiting).Messages, undefined);
  });

  test("take the query form of older clients, at their own path", async () => {
    const QueueUrl = await made("older");
    const form = { Action: "SendMessage", Version: "2012-11-05", MessageBody: "from an older one" };
    const call = {
      path: new URL(QueueUrl).pathname,
      headers: { "content-type": "application/x-www-form-urlencoded; charset=utf-8" },
      body: new URLSearchParams(form).toString(),
    };
    const { status, body } = await sendSigned(server.url, call, server.key, "sqs");
    assert.equal(status, 200, body.toString());
    assert.equal((await sqs.receiveMessage({ QueueUrl })).Messages?.[0]?.Body, "from an older one");
  });

  test("are reached by functions, by the SDK that their runtimes bring", async () => {
    const QueueUrl = await made("from-functions");
    const name = await makeFunction(clients.lambda, "sender", {
      files: {
        "index.mjs": `import { SQS } from "@aws-sdk/client-sqs";
const sqs = new SQS({});
export const handler = async (event) => {
  // A URL from outside names a host and port that are not there inside: a function asks for its own.
  const { QueueUrl } = await sqs.getQueueUrl({ QueueName: "from-functions" });
  return (await sqs.sendMessage({ QueueUrl, MessageBody: "from inside" })).MD5OfMessageBody;
};`,
      },
      Timeout: 30,
    });
    const { value, functionError } = await call(clients.lambda, name);
    assert.equal(functionError, undefined, JSON.stringify(value));
    const { Messages } = await sqs.receiveMessage({ QueueUrl, MessageSystemAttributeNames: ["SenderId"] });
    assert.deepEqual([Messages?.[0]?.Body, /^AROA\w+:sender$/u.test(Messages?.[0]?.Attributes?.SenderId ?? "")], ["from inside", true]);
  });
});
