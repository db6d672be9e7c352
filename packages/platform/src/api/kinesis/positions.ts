/** Where readers of a shard begin. */
import type { ShardIteratorType } from "@aws-sdk/client-kinesis";
import type { Instant } from "../../base/index.ts";
import { offsetOf, type Partition, sequenceNumberOf, type ShardRecord, type StreamRecord } from "../../streams/index.ts";
import { invalidArgument } from "./errors.ts";
import { placeOf } from "./names.ts";

/** A position as a caller asks for it. */
export interface StartingAt {
  readonly type: ShardIteratorType | undefined;
  readonly sequenceNumber: string | undefined;
  readonly timestamp: Date | undefined;
}

/** The offset of the first record to read. Throws `InvalidParameter` for a position that there cannot be. */
export async function startingOffset(
  partition: Partition,
  shard: ShardRecord,
  { type, sequenceNumber, timestamp }: StartingAt,
  now: Instant,
): Promise<number> {
  const record = partition.stream;
  const isBySequence = type === "AT_SEQUENCE_NUMBER" || type === "AFTER_SEQUENCE_NUMBER";
  if (isBySequence !== (sequenceNumber !== undefined))
    throw invalidArgument(
      `Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and StartingSequenceNumber or (2) TRIM_HORIZON or LATEST and no StartingSequenceNumber. Request specified ${String(type)} and ${sequenceNumber === undefined ? "no" : "also a"} StartingSequenceNumber.`,
    );
  if ((type === "AT_TIMESTAMP") !== (timestamp !== undefined))
    throw invalidArgument(`Must either specify AT_TIMESTAMP and a Timestamp, or neither. Request specified ${String(type)}.`);
  if (sequenceNumber !== undefined) return bySequence(partition, shard, sequenceNumber, type === "AFTER_SEQUENCE_NUMBER");
  if (timestamp !== undefined) return byTime(partition, timestamp.getTime(), now);
  if (type === "LATEST") return partition.end;
  if (type === "TRIM_HORIZON") return partition.first;
  throw invalidArgument(`A position of the type ${String(type)} is none of Kinesis in stream ${record.name}.`);
}

function bySequence(partition: Partition, shard: ShardRecord, sequenceNumber: string, isAfter: boolean): number {
  if (sequenceNumber === beforeFirst(shard)) return 0;
  const offset = offsetOf(shard, sequenceNumber);
  if (offset === undefined || offset > partition.end) throw foreign(partition.stream, shard, sequenceNumber);
  return Math.min(isAfter ? offset + 1 : offset, partition.end);
}

async function byTime(partition: Partition, time: Instant, now: Instant): Promise<number> {
  if (time > now)
    throw invalidArgument(
      `The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. timestampInMillis: ${time}, currentTimestampInMillis: ${now}`,
    );
  return (await partition.offsetAt(time, "appended"))?.offset ?? partition.end;
}

/** The sequence number of whoever has read all records before `offset`: what comes after it begins there. */
export function sequenceBefore(shard: ShardRecord, offset: number): string {
  return offset === 0 ? beforeFirst(shard) : sequenceNumberOf(shard, offset - 1);
}

/** Belongs to no record: stands before the first one, where a reader may begin again that has read nothing yet. */
function beforeFirst(shard: ShardRecord): string {
  return (BigInt(sequenceNumberOf(shard, 0)) - 1n).toString();
}

function foreign(record: StreamRecord, shard: ShardRecord, sequenceNumber: string) {
  return invalidArgument(
    `StartingSequenceNumber ${sequenceNumber} used in GetShardIterator on ${placeOf(record, shard)} is invalid because it did not come from this stream.`,
  );
}
