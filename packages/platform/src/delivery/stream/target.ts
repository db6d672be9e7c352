import { hash } from "node:crypto";
import { isLambentError, LambentError } from "../../base/index.ts";
import { type Realm, realmKey } from "../../model/index.ts";
import type { ParcelSender } from "../../outbox/index.ts";
import { parseStreamArn, type ProducerStamp, shardFor, type Streams } from "../../streams/index.ts";
import { type Authorize, type Handing, TAKEN, type TargetKind } from "../handing.ts";
import { recordOf } from "./shape.ts";

/** Times that a record looks for an open shard: one that is split while the record is on its way leads to its children. */
const ROUTES_MAX = 4;

/** A stream of the sender's realm that it may put into. */
interface StreamHere {
  readonly streams: OpenStreams;
  readonly realm: Realm;
  readonly name: string;
}

type OpenStreams = Pick<Streams, "get" | "partition">;

export interface StreamTargetParts {
  readonly streams: () => Promise<OpenStreams>;
  readonly authorize: Authorize;
}

/**
 * Streams, which are Kafka's topics too, take a parcel as a record in the shard of its partition key, as PutRecord puts it. Numbered handings
 * are put once, as long as their shard stays open: a child that follows it does not know what its parent has.
 */
export function streamTarget({ streams, authorize }: StreamTargetParts): TargetKind {
  const admitted = async (sender: ParcelSender, target: string): Promise<StreamHere> => {
    const named = parseStreamArn(target);
    if (!named || realmKey(named.realm) !== realmKey(sender.realm))
      throw new LambentError("NotFound", `${target} is in another account or region than what sends to it.`);
    const { realm, name } = named;
    const opened = await streams();
    const { kinesis } = opened.get(realm, name);
    authorize({ sender, action: "kinesis:PutRecord", resource: target, resourcePolicy: kinesis?.policy });
    return { streams: opened, realm, name };
  };
  return {
    takes: (target) => parseStreamArn(target) !== undefined,
    async admit(sender, target) {
      await admitted(sender, target);
    },
    // One at a time: those that other lanes put meanwhile share its commit, and behind one that is not taken none is put.
    async handOver([handing]) {
      const { sender, target } = handing.parcel;
      await put(await admitted(sender, target), handing);
      return [TAKEN];
    },
  };
}

async function put({ streams, realm, name }: StreamHere, handing: Handing): Promise<void> {
  const { record, hashKey } = recordOf(handing);
  for (let route = 0; route < ROUTES_MAX; route += 1) {
    const shard = shardFor(streams.get(realm, name), hashKey);
    const partition = await streams.partition(realm, name, shard.number);
    try {
      await partition.append([record], stampOf(handing));
      return;
    } catch (error) {
      if (wasPut(error, handing)) return;
      // It was closed meanwhile.
      if (!isLambentError(error, "IllegalState")) throw error;
    }
  }
  throw new LambentError("StorageBusy", `The shards of stream ${name} change at the moment.`);
}

/** The name of a source may be longer than that of a producer. */
function stampOf({ once }: Handing): ProducerStamp | undefined {
  return once && { producer: `delivery/${hash("sha256", once.source)}`, sequence: once.number };
}

/** Numbers rise, and none is sent before the one before it ended: one that a later one was put behind is here, though not by its number any more. */
function wasPut(error: unknown, { once }: Handing): boolean {
  return once !== undefined && isLambentError(error, "InvalidParameter");
}
