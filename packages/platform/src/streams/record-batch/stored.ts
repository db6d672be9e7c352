/** What is read out of a batch's header, and written into it, when it becomes one that is kept. */
import {
  BASE_OFFSET_AT,
  COUNT_AT,
  LEADER_EPOCH_AT,
  MAX_TIMESTAMP_AT,
  BASE_SEQUENCE_AT,
  PRODUCER_EPOCH_AT,
  PRODUCER_ID_AT,
} from "./format.ts";

export interface BatchFront {
  readonly baseOffset: number;
  readonly count: number;
  readonly maxTimestamp: number;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly baseSequence: number;
}

/** What a batch's header says. */
export function readFront(batch: Buffer): BatchFront {
  return {
    baseOffset: Number(batch.readBigInt64BE(BASE_OFFSET_AT)),
    count: batch.readInt32BE(COUNT_AT),
    maxTimestamp: Number(batch.readBigInt64BE(MAX_TIMESTAMP_AT)),
    producerId: batch.readBigInt64BE(PRODUCER_ID_AT),
    producerEpoch: batch.readInt16BE(PRODUCER_EPOCH_AT),
    baseSequence: batch.readInt32BE(BASE_SEQUENCE_AT),
  };
}

/** Its place in the partition. Neither it nor the epoch of who leads the partition is under the batch's checksum. */
export function place(batch: Buffer, baseOffset: number): void {
  batch.writeBigInt64BE(BigInt(baseOffset), BASE_OFFSET_AT);
  batch.writeInt32BE(0, LEADER_EPOCH_AT);
}
