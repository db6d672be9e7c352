/** Records of a shard as Kinesis gives them out. */
import type { _Record } from "@aws-sdk/client-kinesis";
import { type Instant, isLambentError } from "../../base/index.ts";
import { kinesisRecordOf, type Partition, readRecords, sequenceNumberOf, type ShardRecord, type StoredBatch } from "../../streams/index.ts";

/** Bytes of the records of one answer, unless the first one alone has more. @limit */
export const GET_RECORDS_BYTES_MAX = 10 * 1024 * 1024;
/** Bytes that are read at a time, as they are kept: what they hold may be compressed. */
const READ_BYTES = 1024 * 1024;
const READ_BATCHES = 256;

export interface Bounds {
  readonly recordsMax: number;
  readonly bytesMax: number;
}

/** What was read, and how far behind the newest record its reader is. */
export interface Portion {
  readonly records: readonly _Record[];
  /** Of the record that comes next. */
  readonly next: number;
  readonly behindMs: number;
}

/** Up to `bounds` of the records from `from` on; what is kept no more is passed over. Nothing to read: no records, and no waiting. */
export async function readPortion(
  partition: Partition,
  shard: ShardRecord,
  from: number,
  { recordsMax, bytesMax }: Bounds,
  now: Instant,
): Promise<Portion> {
  const records: _Record[] = [];
  let [next, bytes, arrivedAt] = [Math.max(from, partition.first), 0, now];
  const encrypted = partition.stream.kinesis?.encryptionKey === undefined ? {} : ({ EncryptionType: "KMS" } as const);
  while (records.length < recordsMax && next < partition.end) {
    // Each batch has a record at least.
    const batches = await batchesFrom(partition, next, Math.min(READ_BATCHES, recordsMax - records.length));
    if (batches.length === 0) break;
    for (const batch of batches) {
      for (const view of readRecords(batch)) {
        if (view.offset < next) continue;
        const record = kinesisRecordOf(view, shard.number, batch.appendedAt);
        const size = record.data.length + record.partitionKey.length;
        const isFull = records.length === recordsMax || (records.length > 0 && bytes + size > bytesMax);
        if (isFull) return { records, next, behindMs: Math.max(0, now - batch.appendedAt) };
        records.push({
          SequenceNumber: sequenceNumberOf(shard, view.offset),
          ApproximateArrivalTimestamp: new Date(record.arrivedAt),
          Data: record.data,
          PartitionKey: record.partitionKey,
          ...encrypted,
        });
        bytes += size;
        next = view.offset + 1;
        arrivedAt = batch.appendedAt;
      }
      next = Math.max(next, batch.lastOffset + 1);
    }
  }
  return { records, next, behindMs: next >= partition.end ? 0 : Math.max(0, now - arrivedAt) };
}

/** Records may go while they are asked for: then from the oldest that is left. */
async function batchesFrom(partition: Partition, from: number, batchesMax: number): Promise<readonly StoredBatch[]> {
  const options = { bytesMax: READ_BYTES, batchesMax };
  try {
    return await partition.read(from, options);
  } catch (error) {
    if (!isLambentError(error, "OffsetOutOfRange")) throw error;
    return partition.first > from ? partition.read(partition.first, options) : [];
  }
}
