/** From what goes wrong here to the errors that Kafka's clients know. */
import { type ErrorCode, isLambentError } from "../../base/index.ts";
import type { AppendBatchOutcome, BatchFault } from "../../streams/index.ts";
import { KAFKA_ERRORS, type KafkaErrorName } from "./protocol/index.ts";

/** The number of an error on the wire. */
export const codeOf = (name: KafkaErrorName | undefined): number => KAFKA_ERRORS[name ?? "NONE"];

/** Whether the clients try again is Kafka's rule for each error: those for a busy storage promise that nothing was stored. */
const BY_CODE: Partial<Record<ErrorCode, KafkaErrorName>> = {
  NotFound: "UNKNOWN_TOPIC_OR_PARTITION",
  AlreadyExists: "TOPIC_ALREADY_EXISTS",
  InvalidParameter: "INVALID_REQUEST",
  LimitExceeded: "POLICY_VIOLATION",
  IllegalState: "POLICY_VIOLATION",
  Conflict: "POLICY_VIOLATION",
  RequestTooLarge: "MESSAGE_TOO_LARGE",
  OffsetOutOfRange: "OFFSET_OUT_OF_RANGE",
  Throttled: "NOT_ENOUGH_REPLICAS",
  StorageBusy: "NOT_ENOUGH_REPLICAS",
  StorageFull: "KAFKA_STORAGE_ERROR",
  StorageStopped: "KAFKA_STORAGE_ERROR",
  StorageCorrupt: "KAFKA_STORAGE_ERROR",
  ShuttingDown: "NOT_LEADER_OR_FOLLOWER",
  NotImplemented: "UNSUPPORTED_VERSION",
};

export interface Failure {
  readonly error: KafkaErrorName;
  readonly message: string;
}

/** What a client is told of `error`; `reportDefect` is told of what nobody should see. */
export function failureOf(error: unknown, reportDefect: (error: unknown) => void): Failure {
  const name = isLambentError(error) ? BY_CODE[error.code] : undefined;
  if (name !== undefined && isLambentError(error)) return { error: name, message: error.message };
  reportDefect(error);
  return { error: "UNKNOWN_SERVER_ERROR", message: "A defect in Lambent; its log has the details." };
}

const BY_FAULT: Record<BatchFault["fault"], KafkaErrorName> = {
  corrupt: "CORRUPT_MESSAGE",
  tooLarge: "MESSAGE_TOO_LARGE",
  unsupportedMagic: "UNSUPPORTED_FOR_MESSAGE_FORMAT",
  unsupportedCompression: "UNSUPPORTED_COMPRESSION_TYPE",
  invalidRecord: "INVALID_RECORD",
  invalidTimestamp: "INVALID_TIMESTAMP",
  transactional: "UNSUPPORTED_FOR_MESSAGE_FORMAT",
};

/** What a producer is told of a batch that cannot be taken. */
export function failureOfBatch({ fault, message }: BatchFault): Failure {
  return { error: BY_FAULT[fault], message };
}

/** What a producer is told of a batch that does not follow the one before; undefined for one that was taken. */
export function failureOfAppend(outcome: AppendBatchOutcome): Failure | undefined {
  switch (outcome.kind) {
    case "appended":
    case "duplicate":
      return undefined;
    case "outOfOrderSequence":
      return { error: "OUT_OF_ORDER_SEQUENCE_NUMBER", message: "A batch of this producer is missing before this one." };
    case "invalidProducerEpoch":
      return { error: "INVALID_PRODUCER_EPOCH", message: "There is a newer producer of this id." };
  }
}
