import type { ErrorCode, LambentError } from "../../base/index.ts";
import type { WireError } from "../../wire/index.ts";

interface SchedulerName {
  readonly name: string;
  /** Where the Scheduler's model has no shape that says so. */
  readonly status?: number;
}

/** The Scheduler's name for each error of the catalogue that can reach it; what is not here is a failure of the platform. */
const NAMES: Partial<Record<ErrorCode, SchedulerName>> = {
  MalformedRequest: { name: "SerializationException", status: 400 },
  InvalidParameter: { name: "ValidationException" },
  RequestTooLarge: { name: "RequestEntityTooLarge", status: 413 },
  UnknownOperation: { name: "UnknownOperationException", status: 404 },
  NotImplemented: { name: "NotImplemented", status: 501 },
  NotFound: { name: "ResourceNotFoundException" },
  AlreadyExists: { name: "ConflictException" },
  Conflict: { name: "ConflictException" },
  LimitExceeded: { name: "ServiceQuotaExceededException" },
  Throttled: { name: "ThrottlingException" },
  InFlightBytesExceeded: { name: "ThrottlingException" },
  StorageBusy: { name: "ThrottlingException" },
  StorageStopped: { name: "ServiceUnavailable", status: 503 },
  ShuttingDown: { name: "ServiceUnavailable", status: 503 },
  MissingCredentials: { name: "MissingAuthenticationTokenException", status: 403 },
  UnknownCredentials: { name: "UnrecognizedClientException", status: 403 },
  SignatureMismatch: { name: "InvalidSignatureException", status: 403 },
  IncompleteSignature: { name: "IncompleteSignatureException", status: 400 },
  ExpiredCredentials: { name: "ExpiredTokenException", status: 403 },
  RequestExpired: { name: "RequestExpired", status: 400 },
  AccessDenied: { name: "AccessDeniedException", status: 403 },
};

/** An error as EventBridge Scheduler says it. */
export function schedulerWireError(error: LambentError): WireError {
  return { message: error.message, fault: error.entry.fault, ...(NAMES[error.code] ?? { name: "InternalServerException" }) };
}
