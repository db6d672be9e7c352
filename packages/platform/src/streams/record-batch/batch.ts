/** What record batches are: Kafka's format v2 (magic 2), the one form in which records are kept, whoever put them. */
import type { Instant } from "../../base/index.ts";

export type Compression = "none" | "gzip" | "snappy" | "lz4" | "zstd";

export type RecordHeader = readonly [name: string, value: Uint8Array | undefined];

export interface NewRecord {
  readonly key: Uint8Array | undefined;
  readonly value: Uint8Array | undefined;
  readonly headers?: readonly RecordHeader[];
  readonly timestamp?: Instant;
}

/** Bounds that a batch is held against. */
export interface BatchLimits {
  /** Bytes of the batch as it came. */
  readonly batchBytesMax: number;
  /** Bytes of one record's key and value, decompressed. */
  readonly recordBytesMax: number;
}

/** A batch that `checkBatch` found right; `bytes` are the caller's. */
export interface CheckedBatch {
  readonly kind: "checked";
  readonly bytes: Buffer;
  readonly count: number;
  readonly compression: Compression;
  /** The greatest timestamp of its records. */
  readonly maxTimestamp: number;
  /** -1 where the producer has none. */
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly baseSequence: number;
}

/** Why a batch cannot be taken. */
export interface BatchFault {
  readonly kind: "fault";
  readonly fault:
    | "corrupt"
    | "tooLarge"
    | "unsupportedMagic"
    | "unsupportedCompression"
    | "invalidRecord"
    | "invalidTimestamp"
    | "transactional";
  readonly message: string;
}

/** A batch as it is kept. `bytes` have the right base offset, and may go on the wire as they are. */
export interface StoredBatch {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly appendedAt: Instant;
  readonly maxTimestamp: number;
  readonly bytes: Buffer;
}

/** One record of a batch; key, value and headers are views of the batch's memory. */
export interface StreamRecordView {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: Buffer | undefined;
  readonly value: Buffer | undefined;
  readonly headers: readonly (readonly [name: string, value: Buffer | undefined])[];
}
