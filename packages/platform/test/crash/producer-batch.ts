import { crc32c } from "../../src/base/index.ts";
import { encodeBatch } from "../../src/streams/index.ts";
import { type Reading, textOf } from "./stream-journal.ts";

/** Where they stand in the header of a batch. */
const CRC_AT = 17;
const ATTRIBUTES_AT = 21;
const PRODUCER_ID_AT = 43;
const PRODUCER_EPOCH_AT = 51;
const BASE_SEQUENCE_AT = 53;

/** What an idempotent producer is known by, and the number of its next record in a partition. */
export interface ProducerNumbers {
  readonly id: bigint;
  readonly epoch: number;
  readonly sequence: number;
}

/** Readings as an idempotent producer of Kafka sends them: the same bytes each time. */
export function producerBatch(readings: readonly Reading[], { id, epoch, sequence }: ProducerNumbers): Buffer {
  const records = readings.map((each) => ({ key: Buffer.from(each.device), value: Buffer.from(textOf(each)), timestamp: each.at }));
  const bytes = encodeBatch(records, { baseOffset: 0, now: 0 });
  bytes.writeBigInt64BE(id, PRODUCER_ID_AT);
  bytes.writeInt16BE(epoch, PRODUCER_EPOCH_AT);
  bytes.writeInt32BE(sequence, BASE_SEQUENCE_AT);
  bytes.writeUInt32BE(crc32c(bytes.subarray(ATTRIBUTES_AT), 0), CRC_AT);
  return bytes;
}
