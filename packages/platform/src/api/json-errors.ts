import type { ErrorCode, LambentError } from "../base/index.ts";
import type { WireError } from "../wire/index.ts";

/** Name of an error in a service's own words, and its status where the service's model has no shape that says so. */
export interface JsonErrorName {
  readonly name: string;
  readonly status?: number;
}

/** What the services of the JSON protocols have in common. */
const COMMON: Partial<Record<ErrorCode, JsonErrorName>> = {
  MalformedRequest: { name: "SerializationException", status: 400 },
  InvalidParameter: { name: "ValidationException", status: 400 },
  RequestTooLarge: { name: "RequestEntityTooLarge", status: 413 },
  NotImplemented: { name: "NotImplemented", status: 501 },
  NotFound: { name: "ResourceNotFoundException" },
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
};

/** The mapping of a JSON service: its own names over the common ones; everything else is `failure` of the platform. */
export function jsonWireError(own: Partial<Record<ErrorCode, JsonErrorName>>, failure: JsonErrorName): (error: LambentError) => WireError {
  return (error) => ({ message: error.message, fault: error.entry.fault, ...(own[error.code] ?? COMMON[error.code] ?? failure) });
}
