import type { ErrorCode, LambentError } from "../../base/index.ts";
import type { WireError } from "../../wire/index.ts";

/** Lambda's name for each error of the catalogue that can reach its API; what is not here is a failure of the platform. */
const NAMES = {
  MalformedRequest: "InvalidRequestContentException",
  InvalidParameter: "InvalidParameterValueException",
  RequestTooLarge: "RequestTooLargeException",
  UnknownOperation: "UnknownOperationException",
  NotImplemented: "NotImplemented",
  NotFound: "ResourceNotFoundException",
  AlreadyExists: "ResourceConflictException",
  Conflict: "ResourceConflictException",
  RevisionMismatch: "PreconditionFailedException",
  LimitExceeded: "InvalidParameterValueException",
  InvalidCode: "InvalidParameterValueException",
  InvalidPattern: "InvalidParameterValueException",
  MappingInUse: "ResourceInUseException",
  CodeStorageExceeded: "CodeStorageExceededException",
  PolicyTooLong: "PolicyLengthExceededException",
  ProvisionedConcurrencyNotFound: "ProvisionedConcurrencyConfigNotFoundException",
  FunctionNotReady: "ResourceConflictException",
  Throttled: "TooManyRequestsException",
  RecursionStopped: "RecursiveInvocationException",
  InFlightBytesExceeded: "TooManyRequestsException",
  StorageBusy: "TooManyRequestsException",
  RuntimeUnavailable: "InvalidRuntimeException",
  InstanceLost: "ServiceException",
  StorageStopped: "ServiceException",
  StorageCorrupt: "ServiceException",
  ShuttingDown: "ServiceException",
  InternalError: "ServiceException",
  MissingCredentials: "MissingAuthenticationTokenException",
  UnknownCredentials: "UnrecognizedClientException",
  SignatureMismatch: "InvalidSignatureException",
  IncompleteSignature: "IncompleteSignatureException",
  ExpiredCredentials: "ExpiredTokenException",
  RequestExpired: "InvalidSignatureException",
  AccessDenied: "AccessDeniedException",
  HostRefused: "AccessDeniedException",
} as const satisfies Partial<Record<ErrorCode, string>>;

/** Errors that AWS answers under a `Reason`, where the thrower did not name one. */
const REASONS: Partial<Record<ErrorCode, string>> = {
  Throttled: "ConcurrentInvocationLimitExceeded",
  InFlightBytesExceeded: "CallerRateLimitExceeded",
  StorageBusy: "CallerRateLimitExceeded",
};

/** True when Lambda's API has a name of its own for errors of this code. */
export function isLambdaError(code: ErrorCode): code is keyof typeof NAMES {
  return Object.hasOwn(NAMES, code);
}

/** The shape name, status and members of an error, as Lambda's API answers it. */
export function lambdaWireError(error: LambentError): WireError {
  const { code, entry, message, details } = error;
  const name = isLambdaError(code) ? NAMES[code] : NAMES.InternalError;
  const reason = REASONS[code];
  return {
    name,
    message,
    fault: entry.fault,
    // A shape of Lambda's has its own status; only names without a shape need one.
    ...(hasShape(name) ? {} : { status: entry.status }),
    members: { Type: entry.fault === "caller" ? "User" : "Server", ...(reason === undefined ? {} : { Reason: reason }), ...details },
  };
}

const WITHOUT_SHAPE: ReadonlySet<string> = new Set([
  "AccessDeniedException",
  "ExpiredTokenException",
  "IncompleteSignatureException",
  "InvalidSignatureException",
  "MissingAuthenticationTokenException",
  "NotImplemented",
  "UnknownOperationException",
  "UnrecognizedClientException",
]);

function hasShape(name: string): boolean {
  return !WITHOUT_SHAPE.has(name);
}
