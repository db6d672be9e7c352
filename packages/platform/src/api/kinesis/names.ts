/** How streams, shards and consumers are named on the wire. */
import { LambentError } from "../../base/index.ts";
import type { Realm } from "../../model/index.ts";
import { functionOf } from "../../security/index.ts";
import {
  parseStreamReference,
  shardIdOf,
  type ShardRecord,
  streamArn,
  type StreamConsumer,
  type StreamRecord,
  type StreamReference,
  type Streams,
} from "../../streams/index.ts";
import { given, refuseUnbuilt } from "../given.ts";
import type { RequestContext } from "../operation.ts";
import { invalidArgument } from "./errors.ts";

interface NamedStream {
  readonly StreamName?: string | undefined;
  readonly StreamARN?: string | undefined;
  readonly StreamId?: string | undefined;
}

const SHARD_ID = /^shardId-(\d{12})$/;

/** A stream's ARN with `/consumer/<name>:<when it was registered>` behind it: one of that name that comes later is another one. */
export function consumerArn({ realm, name }: Pick<StreamRecord, "realm" | "name">, consumer: StreamConsumer): string {
  return `${streamArn(realm, name)}/consumer/${consumer.name}:${secondsOf(consumer)}`;
}

/** Whole seconds in which a consumer was registered. */
export function secondsOf({ createdAt }: Pick<StreamConsumer, "createdAt">): number {
  return Math.floor(createdAt / 1_000);
}

/** What a caller's ARN names. Throws `InvalidParameter`, or `AccessDenied` for a function that names another account's. */
export function referenceOf({ realm, principal }: Pick<RequestContext, "realm" | "principal">, arn: string): StreamReference {
  const found = parseStreamReference(arn);
  if (!found) throw invalidArgument(`The ARN ${arn.slice(0, 256)} is not that of a stream or a consumer.`);
  if (found.realm.region !== realm.region)
    throw invalidArgument(`The ARN ${arn.slice(0, 256)} is of another region; this request is for ${realm.region}.`);
  if (found.realm.account !== realm.account && functionOf(principal))
    throw new LambentError("AccessDenied", `Functions reach streams of their own account, which is ${realm.account}, and not of others.`);
  return found;
}

/** The stream that a request names, by its name or its ARN. */
export function streamOf(context: Pick<RequestContext, "realm" | "principal">, input: NamedStream): StreamReference {
  refuseUnbuilt(input, ["StreamId"]);
  const { StreamName, StreamARN } = input;
  if (StreamARN === undefined) {
    if (StreamName === undefined) throw invalidArgument("Either StreamName or StreamARN is required.");
    return { realm: context.realm, name: StreamName };
  }
  const found = referenceOf(context, StreamARN);
  if (StreamName !== undefined && StreamName !== found.name)
    throw invalidArgument(`StreamName is ${StreamName}, and StreamARN is that of ${found.name}; one is enough.`);
  return found;
}

/** The stream of that name. Throws `NotFound` in Kinesis' words. */
export function foundStream(streams: Pick<Streams, "find">, { realm, name }: StreamReference): StreamRecord {
  const record = streams.find(realm, name);
  if (!record) throw streamNotFound(realm, name);
  return record;
}

/** Nothing here is named so. */
export function streamNotFound(realm: Realm, name: string): LambentError {
  return new LambentError("NotFound", `Stream ${name} under account ${realm.account} not found.`);
}

/** The number of `shardId-000000000000`; undefined for any other name. */
export function shardNumberOf(shardId: string): number | undefined {
  const digits = SHARD_ID.exec(shardId)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** The shard of that name which is still to be seen. Throws `NotFound` in Kinesis' words. */
export function foundShard(record: StreamRecord, shardId: string | undefined): ShardRecord {
  const id = given(shardId, "ShardId");
  const number = shardNumberOf(id);
  const shard = number === undefined ? undefined : record.shards[number];
  if (!shard)
    throw new LambentError("NotFound", `Shard ${id} in stream ${record.name} under account ${record.realm.account} does not exist`);
  return shard;
}

/** Where a shard is, as messages say it. */
export function placeOf(record: StreamRecord, shard: Pick<ShardRecord, "number">): string {
  return `shard ${shardIdOf(shard.number)} in stream ${record.name} under account ${record.realm.account}`;
}
