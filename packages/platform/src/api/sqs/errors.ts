import type { ErrorCode, LambentError } from "../../base/index.ts";
import type { WireError } from "../../wire/index.ts";

/** Name in JSON, and in the older query form where that is another one. */
interface SqsName {
  readonly name: string;
  readonly queryCode?: string;
  /** Where SQS's model has no shape that says so. */
  readonly status?: number;
}

const INTERNAL: SqsName = { name: "InternalFailure", status: 500 };
const UNAVAILABLE: SqsName = { name: "ServiceUnavailable", status: 503 };
const MISSING: SqsName = { name: "MissingRequiredParameterException", queryCode: "MissingParameter", status: 400 };
const RESOURCE: SqsName = { name: "ResourceNotFoundException" };

/** SQS's name for each error of the catalogue that can reach it; what is not here is a failure of the platform. */
const NAMES: Partial<Record<ErrorCode, SqsName>> = {
  MalformedRequest: { name: "SerializationException", queryCode: "MalformedQueryString", status: 400 },
  InvalidParameter: { name: "InvalidParameterValueException", queryCode: "InvalidParameterValue", status: 400 },
  RequestTooLarge: { name: "RequestEntityTooLarge", status: 413 },
  UnknownOperation: { name: "InvalidAction", status: 400 },
  NotImplemented: { name: "NotImplemented", status: 501 },
  NotFound: { name: "QueueDoesNotExist" },
  AlreadyExists: { name: "QueueNameExists" },
  LimitExceeded: { name: "OverLimit" },
  QueueDeletedRecently: { name: "QueueDeletedRecently" },
  PurgeInProgress: { name: "PurgeQueueInProgress" },
  InvalidAttributeName: { name: "InvalidAttributeName" },
  InvalidAttributeValue: { name: "InvalidAttributeValue" },
  MalformedPolicy: { name: "InvalidAttributeValue" },
  InvalidMessage: { name: "InvalidMessageContents" },
  InvalidReceipt: { name: "ReceiptHandleIsInvalid" },
  NotInFlight: { name: "MessageNotInflight" },
  InFlightLimit: { name: "OverLimit" },
  InvalidQueueUrl: { name: "InvalidAddress" },
  UnsupportedOperation: { name: "UnsupportedOperation" },
  Throttled: { name: "RequestThrottled" },
  InFlightBytesExceeded: { name: "RequestThrottled" },
  StorageBusy: { name: "RequestThrottled" },
  StorageStopped: UNAVAILABLE,
  ShuttingDown: UNAVAILABLE,
  MissingCredentials: { name: "MissingAuthenticationToken", status: 403 },
  UnknownCredentials: { name: "UnrecognizedClientException", queryCode: "InvalidClientTokenId", status: 403 },
  SignatureMismatch: { name: "InvalidSignatureException", queryCode: "SignatureDoesNotMatch", status: 403 },
  IncompleteSignature: { name: "IncompleteSignatureException", queryCode: "IncompleteSignature", status: 400 },
  ExpiredCredentials: { name: "ExpiredTokenException", queryCode: "ExpiredToken", status: 403 },
  RequestExpired: { name: "RequestExpired", status: 400 },
  AccessDenied: { name: "AccessDeniedException", queryCode: "AccessDenied", status: 403 },
};

/** What of a batch as a whole is wrong, as `InvalidBatch` carries it: the names of SQS's errors. */
export type BatchFault =
  | "EmptyBatchRequest"
  | "TooManyEntriesInBatchRequest"
  | "BatchEntryIdsNotDistinct"
  | "BatchRequestTooLong"
  | "InvalidBatchEntryId";

/** An error as SQS says it. */
export function sqsWireError(error: LambentError): WireError {
  return { message: error.message, fault: error.entry.fault, ...nameOf(error) };
}

function nameOf({ code, details }: LambentError): SqsName {
  if (code === "InvalidBatch") return { name: String(details["fault"]) };
  if (code === "InvalidParameter" && details["missing"] === true) return MISSING;
  // Move tasks name queues by ARN, and have another word for one that is not there.
  if (code === "NotFound" && details["resource"] !== undefined) return RESOURCE;
  return NAMES[code] ?? INTERNAL;
}
