/**
 * A record as Kinesis shows it, whoever put it: what Kafka has and Kinesis has not is told here, once, for the API and for triggers.
 * docs/kafka-kinesis.md has the same as a table.
 */
import { isUtf8 } from "node:buffer";
import { hash } from "node:crypto";
import type { Instant } from "../base/index.ts";
import type { StreamRecordView } from "./record-batch/index.ts";

/** What a reader of Kinesis gets of a record, beside its sequence number. */
export interface KinesisRecord {
  readonly partitionKey: string;
  readonly data: Buffer;
  /** When it arrived here; what time a producer of Kafka gave it is not shown. */
  readonly arrivedAt: Instant;
}

/** Characters of a partition key, as Kinesis bounds them. @limit */
export const PARTITION_KEY_CHARS_MAX = 256;

/** What begins a partition key that stands for bytes which are no such text. */
const ENCODED = "base64:";
const HASHED = "sha256:";
const NO_BYTES = Buffer.alloc(0);

/** `record` as readers of Kinesis get it; a tombstone's data is empty. */
export function kinesisRecordOf(record: Pick<StreamRecordView, "key" | "value">, partition: number, arrivedAt: Instant): KinesisRecord {
  return { partitionKey: partitionKeyOf(record.key, partition), data: record.value ?? NO_BYTES, arrivedAt };
}

/**
 * A record's key as a partition key, which is a text of 1 to 256 characters: what is put by Kinesis comes back as it was. Keys that are no
 * such text are told in base64, long ones by their digest, so that whoever keeps order by partition key keeps it by key; records without a
 * key have their partition's.
 */
export function partitionKeyOf(key: Buffer | undefined, partition: number): string {
  if (!key) return `partition-${partition}`;
  const text = key.length > 0 && isUtf8(key) ? key.toString("utf8") : undefined;
  if (text !== undefined && isShort(text)) return text;
  const encoded = ENCODED + key.toString("base64");
  return encoded.length <= PARTITION_KEY_CHARS_MAX ? encoded : HASHED + hash("sha256", key);
}

/** Characters outside the basic plane are one each, and two of JavaScript's. */
function isShort(text: string): boolean {
  return (
    text.length <= PARTITION_KEY_CHARS_MAX || (text.length <= 2 * PARTITION_KEY_CHARS_MAX && [...text].length <= PARTITION_KEY_CHARS_MAX)
  );
}
