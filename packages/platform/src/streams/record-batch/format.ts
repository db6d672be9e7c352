/** Where the members of a batch's header stand, and the bits of its attributes. */

export const BASE_OFFSET_AT = 0;
/** The bytes behind itself. */
export const LENGTH_AT = 8;
export const LEADER_EPOCH_AT = 12;
export const MAGIC_AT = 16;
/** Of everything from the attributes on. */
export const CRC_AT = 17;
export const ATTRIBUTES_AT = 21;
export const LAST_OFFSET_DELTA_AT = 23;
export const BASE_TIMESTAMP_AT = 27;
export const MAX_TIMESTAMP_AT = 35;
export const PRODUCER_ID_AT = 43;
export const PRODUCER_EPOCH_AT = 51;
export const BASE_SEQUENCE_AT = 53;
export const COUNT_AT = 57;
export const HEADER_BYTES = 61;

/** A batch's offset and length, which every format of records begins with. */
export const FRONT_BYTES = 12;
export const MAGIC = 2;

export const COMPRESSION_BITS = 0x07;
/** Every record has the time of its arrival, which stands as the batch's greatest. */
export const APPEND_TIME_BIT = 0x08;
export const TRANSACTIONAL_BITS = 0x30;

/** Times beyond are none that a calendar knows. */
export const TIMESTAMP_MAX = 8_640_000_000_000_000;
export const NO_TIMESTAMP = -1;
export const NO_PRODUCER_ID = -1n;

/** Bytes that the records of one batch may have, decompressed (P7). @limit */
export const BATCH_DECOMPRESSED_BYTES_MAX = 32 * 1024 * 1024;
/** Records of one batch: each takes memory of its own wherever it is read, however few bytes it has (P7). @limit */
export const BATCH_RECORDS_MAX = 100_000;
/** Headers of all records of one batch, for the same reason (P7). @limit */
export const BATCH_HEADERS_MAX = 250_000;
/** Bytes that the headers of one record may have, which its own limit does not count (P7). @limit */
export const RECORD_HEADERS_BYTES_MAX = 1024 * 1024;
