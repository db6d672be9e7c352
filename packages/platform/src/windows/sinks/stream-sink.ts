/**
 * Results into a stream, exactly once. Each shard is sent its share of a row under a stamp (window, generation, lane; the row's number): one that
 * has it already says so. Which shard gets a result was decided with the result and is in the journal; when that shard is closed meanwhile, its share
 * goes to those it became, under the name of the share.
 */
import { isLambentError, LambentError } from "../../base/index.ts";
import type { Realm } from "../../model/index.ts";
import { hashKeyOf, murmur2Partition, type NewRecord, type StreamRecord, type Streams } from "../../streams/index.ts";
import type { Lane } from "../engine/lane.ts";
import { endOf, type ResultRow } from "../engine/result-row.ts";
import type { Route } from "../journal/step.ts";
import { type Sink, type SinkOrigin, sinkId } from "./sink.ts";

export interface StreamSinkParts {
  readonly streams: Pick<Streams, "find" | "get" | "partition">;
  readonly origin: SinkOrigin;
}

export function streamSink(lane: Lane, stream: string, parts: StreamSinkParts): Sink {
  const { streams, origin } = parts;
  return {
    id: sinkId(lane, { kind: "stream", stream }),
    ...{ lane, stream },
    async send(row, _sunk, progress) {
      const record = streams.get(origin.realm, stream);
      const decided = row.routes.get(stream);
      const route = decided?.streamId === record.id ? decided : routeOf(record);
      const shares = sharesOf(row, route);
      await Promise.all([...shares].map(([shard, records]) => new Share(parts, stream, row, shard).send(shard, records)));
      progress(endOf(row));
    },
  };
}

/** Where results of the stream go as it is now. */
export function routeOf({ id, madeBy, shards }: StreamRecord): Route {
  const open = shards.filter(({ closed }) => closed === undefined);
  return {
    streamId: id,
    by: madeBy === "kinesis" || open.length < shards.length ? "md5" : "murmur2",
    shards: open.map(({ number, hashFrom, hashTo }) => ({ number, hashFrom, hashTo })),
  };
}

type KeyedRecord = NewRecord & { readonly keyText: string };

/** By shard, in the order of the row. */
function sharesOf({ keys, times, texts }: ResultRow, route: Route): Map<number, KeyedRecord[]> {
  const shares = new Map<number, KeyedRecord[]>();
  const known = new Map<string, number>();
  for (const [at, keyText] of keys.entries()) {
    const key = Buffer.from(keyText);
    const shard = known.get(keyText) ?? shardOf(route, keyText, key);
    known.set(keyText, shard);
    // A window over everything has results without a key.
    const record = {
      keyText,
      key: keyText === "" ? undefined : key,
      value: Buffer.from(texts[at] ?? ""),
      timestamp: Math.max(0, times[at] ?? 0),
    };
    const share = shares.get(shard);
    if (share) share.push(record);
    else shares.set(shard, [record]);
  }
  return shares;
}

function shardOf({ by, shards }: Route, keyText: string, key: Buffer): number {
  const shard = by === "murmur2" ? shards[murmur2Partition(key, shards.length)] : holderOf(shards, hashKeyOf(keyText));
  if (!shard) throw new LambentError("IllegalState", "The stream has no shard that takes records.");
  return shard.number;
}

function holderOf<Shard extends { readonly hashFrom: string; readonly hashTo: string }>(
  shards: readonly Shard[],
  hash: bigint,
): Shard | undefined {
  return shards.find(({ hashFrom, hashTo }) => BigInt(hashFrom) <= hash && hash <= BigInt(hashTo));
}

/** What of one row was meant for one shard. */
class Share {
  readonly #parts: StreamSinkParts;
  readonly #stream: string;
  readonly #once: { readonly producer: string; readonly sequence: number };

  constructor(parts: StreamSinkParts, stream: string, { lane, number }: ResultRow, shard: number) {
    const { windowId, generation } = parts.origin;
    this.#parts = parts;
    this.#stream = stream;
    this.#once = { producer: `window/${windowId}/${generation}/${lane}/${shard}`, sequence: number };
  }

  /**
   * A shard that is closed leads to those it became, which may be closed, too. They have higher numbers: one after the other, so that what comes
   * to a shard through several others is put into it by one append, under the one name.
   */
  async send(shard: number, records: readonly KeyedRecord[]): Promise<void> {
    const waiting = new Map([[shard, records]]);
    while (waiting.size > 0) {
      const next = Math.min(...waiting.keys());
      const some = waiting.get(next) ?? [];
      waiting.delete(next);
      if (await this.#append(next, some)) continue;
      for (const [child, more] of this.#byChildren(this.#parts.origin.realm, next, some))
        waiting.set(child, [...(waiting.get(child) ?? []), ...more]);
    }
  }

  /** Resolves with whether the shard has them; not where it is closed. */
  async #append(shard: number, records: readonly KeyedRecord[]): Promise<boolean> {
    const { streams, origin } = this.#parts;
    const partition = await streams.partition(origin.realm, this.#stream, shard);
    try {
      await partition.append(records, this.#once);
      return true;
    } catch (error) {
      // Rows are sent one behind the other, the same ones again behind a crash: where there is a later one, this one is, too.
      if (isLambentError(error, "InvalidParameter") && "lastSequence" in error.details) return true;
      if (isLambentError(error, "IllegalState")) return false;
      throw error;
    }
  }

  /** The shard takes nothing any more, and did not take these. */
  #byChildren(realm: Realm, shard: number, records: readonly KeyedRecord[]): Map<number, KeyedRecord[]> {
    const { shards } = this.#parts.streams.get(realm, this.#stream);
    const children = shards.filter(({ parents }) => parents.includes(shard));
    return Map.groupBy(records, ({ keyText }) => {
      const child = holderOf(children, hashKeyOf(keyText));
      if (!child) throw new LambentError("IllegalState", `Shard ${shard} of stream ${this.#stream} is closed, and nothing follows it.`);
      return child.number;
    });
  }
}
