/** Streams: partitioned logs of records, and which there are; who consumes them in groups. */
export type {
  BatchFault,
  BatchLimits,
  CheckedBatch,
  Compression,
  NewRecord,
  RecordHeader,
  StoredBatch,
  StreamRecordView,
} from "./record-batch/index.ts";
export type { ForeignBatch } from "./record-batch/index.ts";
export { checkBatch, checkForeignBatch, emptiedBatch, encodeBatch, readRecords, splitBatches } from "./record-batch/index.ts";
export type { KinesisSettings, ShardRecord, StreamConsumer, StreamRecord, StreamSettings } from "./stream-record.ts";
export { kinesisRecordOf, PARTITION_KEY_CHARS_MAX } from "./kinesis-record.ts";
export type { KinesisRecord } from "./kinesis-record.ts";

export { openStreams, Streams } from "./streams.ts";
export type { NewStream, StreamsOptions } from "./streams.ts";
export { BATCH_BYTES_MAX } from "./partition/index.ts";
export type { AppendBatchOutcome, Appended, OffsetAndTime, Partition, ProducerStamp, ReadOptions } from "./partition/index.ts";
export { parseStreamArn, parseStreamReference, shardIdOf, streamArn } from "./names.ts";
export type { StreamReference } from "./names.ts";
export { murmur2Partition } from "./partitioner.ts";
export { offsetOf, sequenceNumberOf } from "./sequence-number.ts";
export { RECORD_BYTES_DEFAULT, RECORD_BYTES_MAX } from "./settings.ts";
export { hashKeyOf, PARTITIONS_MAX, shardFor } from "./shards.ts";
export { ConsumerGroups, openConsumerGroups } from "./groups/index.ts";
export type {
  CommitOutcome,
  CommitRequest,
  ConsumerGroupsOptions,
  FetchOutcome,
  FetchRequest,
  GroupDescription,
  GroupError,
  GroupListing,
  GroupSettings,
  JoinRequest,
  JoinResult,
  LeaveRequest,
  LeaveResult,
  MemberClaim,
  SyncRequest,
  SyncResult,
} from "./groups/index.ts";
