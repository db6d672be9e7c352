/** How a group and its offsets lie in its cell: `group`, and a row `offset/<topic>/<partition>` each. */
import { createHash } from "node:crypto";
import type { Instant } from "../../base/index.ts";
import { realmKey, type Realm } from "../../model/index.ts";
import type { CellKey } from "../../storage/index.ts";

/** What of a group outlasts its members. */
export interface GroupRecord {
  readonly name: string;
  readonly protocolType?: string;
  readonly generation: number;
  /** Since when it has no members; absent while it has. */
  readonly emptySince?: Instant;
}

export interface CommittedOffset {
  readonly offset: number;
  readonly leaderEpoch: number;
  readonly metadata: string;
  readonly at: Instant;
  /** Where the client named a time of its own. */
  readonly expiresAt?: Instant;
  /** The stream's id: an offset is nothing in another stream that came to have the name. */
  readonly stream: string;
}

export const GROUP_KEY = "group";
export const OFFSETS_PREFIX = "offset/";
/** Written names that are longer are hashed, so that every cell's key is within its bound. */
const WRITTEN_NAME_LENGTH_MAX = 300;

/** Every realm's groups are cells that begin so. */
export function groupCells(realm: Realm): string {
  return `${realmKey(realm)}/kafka-groups/`;
}

/** The cell of a group, whatever characters its name has. */
export function groupCell(realm: Realm, name: string): CellKey {
  const written = encodeURIComponent(name.toWellFormed());
  const part = written.length <= WRITTEN_NAME_LENGTH_MAX ? `=${written}` : `~${createHash("sha256").update(name).digest("hex")}`;
  return `${groupCells(realm)}${part}`;
}

/** Offsets of one topic. Names of topics have neither slashes nor more than 249 characters: whoever asks has found the stream. */
export function topicPrefix(topic: string): string {
  return `${OFFSETS_PREFIX}${topic}/`;
}

export function offsetKey(topic: string, partition: number): string {
  return `${topicPrefix(topic)}${partition}`;
}

export function parseOffsetKey(key: string): { readonly topic: string; readonly partition: number } {
  const [, topic = "", partition = ""] = key.split("/");
  return { topic, partition: Number(partition) };
}

export function encodeRecord(record: GroupRecord): Uint8Array {
  return Buffer.from(JSON.stringify(record));
}

export function decodeRecord(row: Uint8Array): GroupRecord {
  return JSON.parse(Buffer.from(row).toString("utf8")) as GroupRecord;
}

/** The metadata's own bytes come last: written as JSON, it could be six times as long as its bound. */
export function encodeOffset({ metadata, ...rest }: CommittedOffset): Uint8Array {
  return Buffer.from(`${JSON.stringify(rest)}\n${metadata}`);
}

export function decodeOffset(row: Uint8Array): CommittedOffset {
  const text = Buffer.from(row).toString("utf8");
  const end = text.indexOf("\n");
  return { ...(JSON.parse(text.slice(0, end)) as Omit<CommittedOffset, "metadata">), metadata: text.slice(end + 1) };
}
