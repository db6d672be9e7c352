import type { ErrorCode, LambentError } from "../../base/index.ts";
import type { WireError } from "../../wire/index.ts";

interface EventsName {
  readonly name: string;
  /** Where EventBridge's model has no shape that says so. */
  readonly status?: number;
}

/** EventBridge's name for each error of the catalogue that can reach it; what is not here is a failure of the platform. */
const NAMES: Partial<Record<ErrorCode, EventsName>> = {
  MalformedRequest: { name: "SerializationException", status: 400 },
  InvalidParameter: { name: "ValidationException", status: 400 },
  RequestTooLarge: { name: "RequestEntityTooLarge", status: 413 },
  UnknownOperation: { name: "UnknownOperationException", status: 400 },
  NotImplemented: { name: "NotImplemented", status: 501 },
  NotFound: { name: "ResourceNotFoundException" },
  AlreadyExists: { name: "ResourceAlreadyExistsException" },
  LimitExceeded: { name: "LimitExceededException" },
  PolicyTooLong: { name: "PolicyLengthExceededException" },
  InvalidPattern: { name: "InvalidEventPatternException" },
  MalformedPolicy: { name: "ValidationException", status: 400 },
  IllegalState: { name: "IllegalStatusException" },
  ManagedRule: { name: "ManagedRuleException" },
  Conflict: { name: "ConcurrentModificationException" },
  Throttled: { name: "ThrottlingException", status: 400 },
  InFlightBytesExceeded: { name: "ThrottlingException", status: 400 },
  StorageBusy: { name: "ThrottlingException", status: 400 },
  StorageStopped: { name: "ServiceUnavailable", status: 503 },
  ShuttingDown: { name: "ServiceUnavailable", status: 503 },
  MissingCredentials: { name: "MissingAuthenticationTokenException", status: 403 },
  UnknownCredentials: { name: "UnrecognizedClientException", status: 403 },
  SignatureMismatch: { name: "InvalidSignatureException", status: 403 },
  IncompleteSignature: { name: "IncompleteSignatureException", status: 400 },
  ExpiredCredentials: { name: "ExpiredTokenException", status: 403 },
  RequestExpired: { name: "RequestExpired", status: 400 },
  AccessDenied: { name: "AccessDeniedException" },
};

/** An error as EventBridge says it. */
export function eventsWireError(error: LambentError): WireError {
  const name = NAMES[error.code] ?? { name: "InternalException", status: 500 };
  return { message: error.message, fault: error.entry.fault, ...name };
}
