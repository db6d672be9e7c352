/**
 * Kinesis names a record within its shard by a number of 56 digits: `49`, when the shard was opened (13), the shard (10), the offset (31). So
 * they rise within a shard, and from a shard to those it was split or merged into.
 */
import type { ShardRecord } from "./stream-record.ts";

const NUMBER = /^49(\d{13})(\d{10})(\d{31})$/;

/** The sequence number of the record at `offset`. */
export function sequenceNumberOf({ openedAt, number }: Pick<ShardRecord, "openedAt" | "number">, offset: number): string {
  return `49${digits(openedAt, 13)}${digits(number, 10)}${digits(offset, 31)}`;
}

/** The offset that a sequence number names in this shard; undefined when it is none of it. */
export function offsetOf({ openedAt, number }: Pick<ShardRecord, "openedAt" | "number">, sequenceNumber: string): number | undefined {
  const parts = NUMBER.exec(sequenceNumber);
  if (!parts || Number(parts[1]) !== openedAt || Number(parts[2]) !== number) return undefined;
  const offset = Number(parts[3]);
  return Number.isSafeInteger(offset) ? offset : undefined;
}

function digits(value: number, count: number): string {
  return String(value).padStart(count, "0");
}
