import type { ErrorCode, LambentError } from "../../base/index.ts";
import type { WireError } from "../../wire/index.ts";

/** CloudWatch Logs' name for each error of the catalogue that can reach it; what is not here is a failure of the platform. */
const NAMES: Partial<Record<ErrorCode, string>> = {
  MalformedRequest: "SerializationException",
  InvalidParameter: "InvalidParameterException",
  RequestTooLarge: "InvalidParameterException",
  UnknownOperation: "UnknownOperationException",
  NotImplemented: "NotImplemented",
  NotFound: "ResourceNotFoundException",
  AlreadyExists: "ResourceAlreadyExistsException",
  Conflict: "OperationAbortedException",
  LimitExceeded: "LimitExceededException",
  Throttled: "ThrottlingException",
  InFlightBytesExceeded: "ThrottlingException",
  StorageBusy: "ServiceUnavailableException",
  StorageStopped: "ServiceUnavailableException",
  ShuttingDown: "ServiceUnavailableException",
  MissingCredentials: "MissingAuthenticationTokenException",
  UnknownCredentials: "UnrecognizedClientException",
  SignatureMismatch: "InvalidSignatureException",
  IncompleteSignature: "IncompleteSignatureException",
  ExpiredCredentials: "ExpiredTokenException",
  RequestExpired: "InvalidSignatureException",
  AccessDenied: "AccessDeniedException",
};

/** An error as CloudWatch Logs says it. */
export function logsWireError(error: LambentError): WireError {
  const { status, fault } = error.entry;
  // Its modelled errors of the caller are all 400, whatever the catalogue's status.
  return { name: NAMES[error.code] ?? "InternalFailure", message: error.message, status: fault === "caller" ? 400 : status, fault };
}
