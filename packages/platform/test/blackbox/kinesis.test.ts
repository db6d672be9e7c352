/** Kinesis as the SDK for JavaScript has it: HTTP/2 for every call, on the port of everything else. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ACCOUNT, answering, call, makeFunction, startServerWithClients } from "../support/javascript-clients.ts";

const { clients } = await startServerWithClients();
const { kinesis, lambda } = clients;
const arnOf = (name: string): string => `arn:aws:kinesis:us-east-1:${ACCOUNT}:stream/${name}`;
const SHARD = "shardId-000000000000";

describe("by HTTP/2", () => {
  test("a function puts records with the SDK that it finds in its place", async () => {
    await kinesis.createStream({ StreamName: "from-a-function", ShardCount: 1 });
    await makeFunction(lambda, "producer", {
      files: answering(`
        const { Kinesis } = await import("@aws-sdk/client-kinesis");
        const kinesis = new Kinesis({});
        const { ShardId } = await kinesis.putRecord({ StreamName: "from-a-function", PartitionKey: "k", Data: Buffer.from(event.say) });
        kinesis.destroy();
        return ShardId;`),
      Timeout: 20,
    });
    const answered = await call(lambda, "producer", { say: "hello" });
    assert.deepEqual([answered.functionError, answered.value], [undefined, SHARD]);
    const { ShardIterator } = await kinesis.getShardIterator({
      ...{ StreamName: "from-a-function", ShardId: SHARD },
      ShardIteratorType: "TRIM_HORIZON",
    });
    const { Records = [] } = await kinesis.getRecords({ ShardIterator });
    assert.deepEqual(
      Records.map(({ Data }) => Buffer.from(Data ?? []).toString()),
      ["hello"],
    );
  });

  test("a consumer is pushed records while others call on the same connection", async () => {
    await kinesis.createStream({ StreamName: "pushed", ShardCount: 1 });
    const { Consumer } = await kinesis.registerStreamConsumer({ StreamARN: arnOf("pushed"), ConsumerName: "c" });
    const { EventStream } = await kinesis.subscribeToShard({
      ...{ ConsumerARN: Consumer?.ConsumerARN, ShardId: SHARD },
      StartingPosition: { Type: "LATEST" },
    });
    const seen: string[] = [];
    for await (const { SubscribeToShardEvent } of EventStream ?? []) {
      for (const { Data } of SubscribeToShardEvent?.Records ?? []) seen.push(Buffer.from(Data ?? []).toString());
      if (seen.length === 3) break;
      await kinesis.putRecord({ StreamName: "pushed", PartitionKey: "k", Data: Buffer.from(String(seen.length)) });
    }
    assert.deepEqual(seen, ["0", "1", "2"]);
  });
});
