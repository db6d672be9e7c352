/** How the hash keys are divided among the shards of a stream: the open ones have all of them, each once. Pure. */
import { createHash } from "node:crypto";
import { type Instant, invariant, LambentError } from "../base/index.ts";
import type { ShardRecord, StreamRecord } from "./stream-record.ts";

const HASH_KEYS = 2n ** 128n;

/** Partitions of one stream, those that are closed included. @limit */
export const PARTITIONS_MAX = 4_096;

/** The hash key of a partition key: its MD5. */
export function hashKeyOf(partitionKey: string): bigint {
  return BigInt(`0x${createHash("md5").update(partitionKey, "utf8").digest("hex")}`);
}

/** The open shards of a definition in the order of their hash keys: worked out once for each, as every record asks. */
const openShards = new WeakMap<readonly ShardRecord[], readonly { readonly from: bigint; readonly shard: ShardRecord }[]>();

/** The open shard that takes a hash key (0 to 2^128 - 1). */
export function shardFor({ shards }: Pick<StreamRecord, "shards">, hashKey: bigint): ShardRecord {
  let open = openShards.get(shards);
  if (!open) {
    open = shards.filter(isOpen).map((each) => ({ from: BigInt(each.hashFrom), shard: each }));
    open = open.toSorted((left, right) => (left.from < right.from ? -1 : 1));
    openShards.set(shards, open);
  }
  let low = 0;
  for (let high = open.length; high - low > 1;) {
    const middle = (low + high) >>> 1;
    if ((open[middle]?.from ?? 0n) <= hashKey) low = middle;
    else high = middle;
  }
  const found = open[low]?.shard;
  invariant(found, "the open shards of a stream have every hash key");
  return found;
}

/** Shards of a new stream: as even as can be. */
export function evenShards(count: number, openedAt: Instant): ShardRecord[] {
  checkCount(count);
  const from = (number: number): bigint => (HASH_KEYS * BigInt(number)) / BigInt(count);
  return Array.from({ length: count }, (_, number) => shard(number, from(number), from(number + 1) - 1n, [], openedAt));
}

/**
 * Adds partitions until there are `count`, each with the upper half of the widest range there is. The others stay open: as in Kafka, a key's
 * records may go elsewhere from now on.
 */
export function withPartitions(shards: readonly ShardRecord[], count: number, now: Instant): ShardRecord[] {
  checkCount(count);
  if (count <= shards.length)
    throw new LambentError("InvalidParameter", `The stream has ${shards.length} partitions; ${count} are not more than that.`);
  const all = [...shards];
  while (all.length < count) {
    const widest = all.filter(isOpen).reduce((best, each) => (widthOf(each) > widthOf(best) ? each : best));
    const middle = BigInt(widest.hashFrom) + widthOf(widest) / 2n;
    all[widest.number] = { ...widest, hashTo: String(middle - 1n) };
    all.push(shard(all.length, middle, BigInt(widest.hashTo), [], Math.max(now, widest.openedAt)));
  }
  return all;
}

/** Closes a shard and opens two in its place, the second from `newStartingHashKey` on. */
export function withSplit(shards: readonly ShardRecord[], number: number, newStartingHashKey: string, now: Instant): ShardRecord[] {
  const parent = openShard(shards, number);
  const middle = /^\d{1,39}$/.test(newStartingHashKey) ? BigInt(newStartingHashKey) : -1n;
  if (middle <= BigInt(parent.hashFrom) || middle > BigInt(parent.hashTo))
    throw new LambentError(
      "InvalidParameter",
      `The new starting hash key ${newStartingHashKey.slice(0, 50)} is not between those of the shard, ${parent.hashFrom} and ${parent.hashTo}.`,
    );
  checkCount(shards.length + 2);
  const at = Math.max(now, parent.openedAt);
  return [
    ...closed(shards, [parent], at),
    shard(shards.length, BigInt(parent.hashFrom), middle - 1n, [number], at),
    shard(shards.length + 1, middle, BigInt(parent.hashTo), [number], at),
  ];
}

/** Closes two shards whose hash keys are neighbours and opens one in their place. */
export function withMerge(shards: readonly ShardRecord[], number: number, adjacent: number, now: Instant): ShardRecord[] {
  const parents = [openShard(shards, number), openShard(shards, adjacent)] as const;
  const [lower, upper] = BigInt(parents[0].hashFrom) < BigInt(parents[1].hashFrom) ? parents : ([parents[1], parents[0]] as const);
  if (BigInt(lower.hashTo) + 1n !== BigInt(upper.hashFrom))
    throw new LambentError(
      "InvalidParameter",
      `The shards ${number} and ${adjacent} are not adjacent: there are hash keys between theirs.`,
    );
  checkCount(shards.length + 1);
  const at = Math.max(now, lower.openedAt, upper.openedAt);
  return [...closed(shards, parents, at), shard(shards.length, BigInt(lower.hashFrom), BigInt(upper.hashTo), [number, adjacent], at)];
}

function openShard(shards: readonly ShardRecord[], number: number): ShardRecord {
  const found = shards[number];
  if (!found) throw new LambentError("NotFound", `The stream has no shard ${number}.`);
  if (found.closed) throw new LambentError("IllegalState", `Shard ${number} is closed.`);
  return found;
}

function closed(shards: readonly ShardRecord[], some: readonly ShardRecord[], at: Instant): ShardRecord[] {
  return shards.map((each) => (some.includes(each) ? { ...each, closed: { at } } : each));
}

function shard(number: number, from: bigint, to: bigint, parents: readonly number[], openedAt: Instant): ShardRecord {
  return { number, hashFrom: String(from), hashTo: String(to), parents, openedAt };
}

function isOpen(each: ShardRecord): boolean {
  return !each.closed;
}

function widthOf(each: ShardRecord): bigint {
  return BigInt(each.hashTo) - BigInt(each.hashFrom) + 1n;
}

function checkCount(count: number): void {
  if (!Number.isSafeInteger(count) || count < 1)
    throw new LambentError("InvalidParameter", `A stream has 1 partition at least, not ${count}.`);
  if (count > PARTITIONS_MAX)
    throw new LambentError("LimitExceeded", `A stream has at most ${PARTITIONS_MAX} partitions, those that are closed included.`);
}
