import { LambentError } from "../../base/index.ts";
import { hashKeyOf, type NewRecord, PARTITION_KEY_CHARS_MAX } from "../../streams/index.ts";
import type { Handing } from "../handing.ts";

/** A record, and the hash key that says which shard takes it. */
export interface KeyedRecord {
  readonly record: NewRecord;
  readonly hashKey: bigint;
}

/**
 * A parcel as the record that PutRecord makes of it: the payload is its value. Without a partition key of its own it has the one that names
 * the handing, so that what has none is spread over all shards. Throws `InvalidParameter` for a key that no record of Kinesis has.
 */
export function recordOf({ id, parcel: { payload, options } }: Pick<Handing, "id" | "parcel">): KeyedRecord {
  const { partitionKey = id } = options;
  const chars = charsOf(partitionKey);
  if (chars < 1 || chars > PARTITION_KEY_CHARS_MAX)
    throw new LambentError("InvalidParameter", `The partition key has ${chars} characters; 1 to ${PARTITION_KEY_CHARS_MAX} are allowed.`);
  return { record: { key: Buffer.from(partitionKey), value: payload }, hashKey: hashKeyOf(partitionKey) };
}

/** Characters outside the basic plane are one each; of what is too long however it is counted nobody counts them. */
function charsOf(text: string): number {
  return text.length > 2 * PARTITION_KEY_CHARS_MAX ? text.length : [...text].length;
}
