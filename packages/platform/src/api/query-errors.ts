import { type ErrorCode, type LambentError } from "../base/index.ts";
import type { WireError } from "../wire/index.ts";

/** Name and status of an error in a service's own words. */
export interface ErrorName {
  readonly name: string;
  readonly status: number;
}

/** What the services of the query protocol have in common: the names of AWS's "common errors". */
const COMMON: Partial<Record<ErrorCode, ErrorName>> = {
  MalformedRequest: { name: "MalformedQueryString", status: 400 },
  InvalidParameter: { name: "ValidationError", status: 400 },
  RequestTooLarge: { name: "RequestEntityTooLarge", status: 413 },
  UnknownOperation: { name: "InvalidAction", status: 400 },
  NotImplemented: { name: "NotImplemented", status: 501 },
  MissingCredentials: { name: "MissingAuthenticationToken", status: 403 },
  UnknownCredentials: { name: "InvalidClientTokenId", status: 403 },
  SignatureMismatch: { name: "SignatureDoesNotMatch", status: 403 },
  IncompleteSignature: { name: "IncompleteSignature", status: 400 },
  ExpiredCredentials: { name: "ExpiredToken", status: 403 },
  RequestExpired: { name: "RequestExpired", status: 400 },
  AccessDenied: { name: "AccessDenied", status: 403 },
  InFlightBytesExceeded: { name: "Throttling", status: 400 },
  Throttled: { name: "Throttling", status: 400 },
  StorageBusy: { name: "ServiceUnavailable", status: 503 },
  StorageStopped: { name: "ServiceUnavailable", status: 503 },
  ShuttingDown: { name: "ServiceUnavailable", status: 503 },
};

/** The mapping of a query service: its own names over the common ones; everything else is a failure of the platform. */
export function queryWireError(own: Partial<Record<ErrorCode, ErrorName>>): (error: LambentError) => WireError {
  return (error) => {
    const { name, status } = own[error.code] ?? COMMON[error.code] ?? { name: "InternalFailure", status: 500 };
    return { name, status, message: error.message, fault: error.entry.fault };
  };
}
