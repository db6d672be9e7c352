import { waitUntilStreamExists } from "@aws-sdk/client-kinesis";
import { ACCOUNT } from "../../support/javascript-clients.ts";
import { known, type Stage } from "./cases.ts";

export const arnOf = (name: string): string => `arn:aws:kinesis:us-east-1:${ACCOUNT}:stream/${name}`;
export const shardId = (number: number): string => `shardId-${String(number).padStart(12, "0")}`;
export const HALF = String(2n ** 127n);
export const often = { minDelay: 0.01, maxDelay: 0.05, maxWaitTime: 30 };
export const bytes = (text: string): Buffer => Buffer.from(text);
export const nowhere = { StreamName: "nowhere" };
export const uniform = { ScalingType: "UNIFORM_SCALING" } as const;

/** A stream that is there; made, like all that only prepares, by HTTP/2. */
export async function made({ stage }: Stage, StreamName: string, ShardCount = 1): Promise<string> {
  await stage.kinesis.createStream({ StreamName, ShardCount });
  await waitUntilStreamExists({ ...often, client: stage.kinesis }, { StreamName });
  return StreamName;
}

export async function put({ stage }: Stage, StreamName: string, ...texts: readonly string[]): Promise<string[]> {
  const numbers: string[] = [];
  for (const text of texts)
    numbers.push(known((await stage.kinesis.putRecord({ StreamName, PartitionKey: "a", Data: bytes(text) })).SequenceNumber));
  return numbers;
}

export async function iterator({ stage }: Stage, StreamName: string, shard = 0): Promise<string> {
  const from = { StreamName, ShardId: shardId(shard), ShardIteratorType: "TRIM_HORIZON" as const };
  return known((await stage.kinesis.getShardIterator(from)).ShardIterator);
}

export async function texts(stage: Stage, StreamName: string, shard = 0): Promise<string[]> {
  const { Records = [] } = await stage.stage.kinesis.getRecords({ ShardIterator: await iterator(stage, StreamName, shard) });
  return Records.map(({ Data }) => Buffer.from(Data ?? []).toString());
}

export const summary = async ({ stage }: Stage, StreamName: string) =>
  known((await stage.kinesis.describeStreamSummary({ StreamName })).StreamDescriptionSummary);

export async function consumer(stage: Stage, name: string): Promise<string> {
  const registered = await stage.stage.kinesis.registerStreamConsumer({ StreamARN: arnOf(await made(stage, name)), ConsumerName: "c" });
  return known(registered.Consumer?.ConsumerARN);
}

export const openShards = async ({ stage }: Stage, StreamName: string): Promise<(string | undefined)[]> =>
  ((await stage.kinesis.listShards({ StreamName, ShardFilter: { Type: "AT_LATEST" } })).Shards ?? []).map(({ ShardId }) => ShardId);
