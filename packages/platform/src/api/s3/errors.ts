/** Errors in S3's words. Which of them a code becomes depends, where one code stands for several, on its `details.what`. */
import { type ErrorCode, type ErrorDetails, LambentError } from "../../base/index.ts";
import { DEFAULT_REGION } from "../../model/index.ts";
import type { WireError } from "../../wire/index.ts";
import type { ErrorName } from "../query-errors.ts";
import { configurationErrors, configurationFaults } from "./configuration-errors.ts";

/** What S3 calls an `InvalidParameter`, by `details.what`. */
const FAULTS = {
  ...configurationFaults,
  body: { name: "MissingRequestBodyError", status: 400 },
  digest: { name: "InvalidDigest", status: 400 },
  encoding: { name: "InvalidArgument", status: 400 },
  entityTooLarge: { name: "EntityTooLarge", status: 400 },
  entityTooSmall: { name: "EntityTooSmall", status: 400 },
  form: { name: "MalformedPOSTRequest", status: 400 },
  keyTooLong: { name: "KeyTooLongError", status: 400 },
  metadata: { name: "MetadataTooLarge", status: 400 },
  partNumber: { name: "InvalidPartNumber", status: 416 },
  policy: { name: "InvalidPolicyDocument", status: 400 },
  range: { name: "InvalidRange", status: 416 },
  storageClass: { name: "InvalidStorageClass", status: 400 },
  tagCount: { name: "BadRequest", status: 400 },
  uri: { name: "InvalidURI", status: 400 },
} as const satisfies Record<string, ErrorName>;

/** What is not there, by `details.what`, with the member that `details.name` fills. */
const ABSENT: Readonly<Record<string, ErrorName & { readonly message: string; readonly member: string }>> = {
  bucket: { name: "NoSuchBucket", status: 404, message: "The specified bucket does not exist", member: "BucketName" },
  key: { name: "NoSuchKey", status: 404, message: "The specified key does not exist.", member: "Key" },
  version: { name: "NoSuchVersion", status: 404, message: "The specified version does not exist.", member: "Key" },
  upload: {
    name: "NoSuchUpload",
    status: 404,
    message: "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
    member: "UploadId",
  },
};

/** What S3 calls an `IncompleteSignature`, by `details.what`. */
const SIGNATURE_FAULTS: Readonly<Record<string, ErrorName & { readonly message?: string }>> = {
  header: { name: "MissingSecurityHeader", status: 400 },
  query: { name: "AuthorizationQueryParametersError", status: 400 },
  // Clients sign again with Version 4 where they are told so in these words.
  version: {
    name: "InvalidRequest",
    status: 400,
    message: "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
  },
};

const NAMES: Readonly<Partial<Record<ErrorCode, ErrorName>>> = {
  RequestTooLarge: { name: "EntityTooLarge", status: 400 },
  UnknownOperation: { name: "MethodNotAllowed", status: 405 },
  NotImplemented: { name: "NotImplemented", status: 501 },
  Conflict: { name: "OperationAborted", status: 409 },
  IllegalState: { name: "InvalidRequest", status: 400 },
  UnsupportedOperation: { name: "InvalidRequest", status: 400 },
  UnknownCredentials: { name: "InvalidAccessKeyId", status: 403 },
  SignatureMismatch: { name: "SignatureDoesNotMatch", status: 403 },
  ExpiredCredentials: { name: "ExpiredToken", status: 400 },
  AccessDenied: { name: "AccessDenied", status: 403 },
  MissingCredentials: { name: "AccessDenied", status: 403 },
  HostRefused: { name: "AccessDenied", status: 403 },
  MalformedPolicy: { name: "MalformedPolicy", status: 400 },
  PolicyTooLong: { name: "PolicyTooLarge", status: 400 },
  Throttled: { name: "SlowDown", status: 503 },
  InFlightBytesExceeded: { name: "SlowDown", status: 503 },
  StorageBusy: { name: "SlowDown", status: 503 },
  StorageStopped: { name: "ServiceUnavailable", status: 503 },
  ShuttingDown: { name: "ServiceUnavailable", status: 503 },
  InvalidBucketName: { name: "InvalidBucketName", status: 400 },
  BucketNotEmpty: { name: "BucketNotEmpty", status: 409 },
  IncompleteBody: { name: "IncompleteBody", status: 400 },
  NotModified: { name: "NotModified", status: 304 },
  RangeNotSatisfiable: { name: "InvalidRange", status: 416 },
  InvalidPart: { name: "InvalidPart", status: 400 },
  InvalidPartOrder: { name: "InvalidPartOrder", status: 400 },
  PartTooSmall: { name: "EntityTooSmall", status: 400 },
  StorageFull: { name: "StorageFull", status: 507 },
};

/** What an `InvalidParameter` of S3 is about. */
export type Fault = keyof typeof FAULTS;

/** A refusal that S3 has a name of its own for. Further details: `memberDetail`, `headerDetail`. */
export function invalid(what: Fault, message: string, details: ErrorDetails = {}): LambentError {
  return new LambentError("InvalidParameter", message, { what, ...details });
}

/** The name of a detail that is a member of the error as it is answered: `Key`. */
export const memberDetail = (name: string): string => `member:${name}`;
/** The name of a detail that is a header of the answer: `etag`. */
export const headerDetail = (name: string): string => `header:${name}`;

/** An error as S3 says it. */
export function s3WireError(error: LambentError): WireError {
  const { name, status, message = error.message } = named(error);
  return { name, status, message, fault: error.entry.fault, members: membersOf(error), headers: headersOf(error) };
}

function named(error: LambentError): ErrorName & { readonly message?: string } {
  const { code, details } = error;
  const what = typeof details["what"] === "string" ? details["what"] : "";
  switch (code) {
    case "NotFound":
      return ABSENT[what] ?? absentConfiguration(what);
    case "PreconditionFailed":
      return { name: "PreconditionFailed", status: 412, message: "At least one of the pre-conditions you specified did not hold" };
    case "MalformedRequest":
      return what === "" ? FAULTS.xml : faultOf(what);
    case "InvalidParameter":
    case "InvalidAttributeValue":
      return faultOf(what);
    case "AlreadyExists":
      return details["owned"] === true ? { name: "BucketAlreadyOwnedByYou", status: 409 } : { name: "BucketAlreadyExists", status: 409 };
    case "LimitExceeded":
      return what === "buckets" ? { name: "TooManyBuckets", status: 400 } : FAULTS.request;
    case "ChecksumMismatch":
      return details["digest"] === "sha256" ? { name: "XAmzContentSHA256Mismatch", status: 400 } : { name: "BadDigest", status: 400 };
    case "IsDeleteMarker":
      return { name: "MethodNotAllowed", status: 405, message: "The specified method is not allowed against this resource." };
    case "IncompleteSignature":
      return SIGNATURE_FAULTS[what] ?? { name: "AuthorizationHeaderMalformed", status: 400 };
    case "RequestExpired":
      // Of a link, the time that was given to it is over; of a header, the clocks differ.
      return what === "query"
        ? { name: "AccessDenied", status: 403, message: "Request has expired" }
        : { name: "RequestTimeTooSkewed", status: 403 };
    default:
      return NAMES[code] ?? { name: "InternalError", status: 500 };
  }
}

function faultOf(what: string): ErrorName {
  return Object.hasOwn(FAULTS, what) ? FAULTS[what as Fault] : FAULTS.argument;
}

function absentConfiguration(what: string): ErrorName {
  const document = what.startsWith("configuration:") ? what.slice("configuration:".length) : "";
  return {
    name: (Object.hasOwn(configurationErrors, document) ? configurationErrors[document] : undefined) ?? "NoSuchResource",
    status: 404,
  };
}

/** What S3 calls details that `objects/` gives. */
const DETAILS: Readonly<Record<string, string>> = {
  argument: "ArgumentName",
  condition: "Condition",
  bytes: "Size",
  bytesMax: "MaxSizeAllowed",
  bytesMin: "MinSizeAllowed",
  etag: "ETag",
  partNumber: "PartNumber",
  proposedBytes: "ProposedSize",
  uploadId: "UploadId",
  versionId: "VersionId",
};

/** Details that S3 has a word for, and the name of what is not there. */
function membersOf({ code, details }: LambentError): Record<string, unknown> {
  const known = Object.entries(details).flatMap(([name, value]) => {
    const member = Object.hasOwn(DETAILS, name) ? DETAILS[name] : undefined;
    return member === undefined ? [] : [[member, value] as const];
  });
  const members = { ...Object.fromEntries(known), ...prefixed(details, memberDetail("")) };
  const { what, name } = details;
  // Clients that were told no region sign with a word of their own first, and then with the one they find here.
  if (code === "IncompleteSignature" && what === "region") return { Region: DEFAULT_REGION, ...members };
  if (code !== "NotFound" || name === undefined) return members;
  const isDocument = typeof what === "string" && what.startsWith("configuration:");
  return { [isDocument ? "BucketName" : (ABSENT[String(what)]?.member ?? "Resource")]: name, ...members };
}

/** A delete marker is told in headers: of a key it hides, and where it is asked for itself. */
function headersOf({ code, details }: LambentError): Record<string, string> {
  const headers = prefixed(details, headerDetail(""));
  const { deleteMarker, versionId, modifiedAt } = details;
  if (deleteMarker !== true) return headers;
  if (typeof versionId === "string") headers["x-amz-version-id"] = versionId;
  if (code === "IsDeleteMarker") headers["allow"] = "DELETE";
  if (code === "IsDeleteMarker" && typeof modifiedAt === "number") headers["last-modified"] = new Date(modifiedAt).toUTCString();
  return { "x-amz-delete-marker": "true", ...headers };
}

function prefixed(details: ErrorDetails, prefix: string): Record<string, string> {
  const found = Object.entries(details).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(found.map(([name, value]) => [name.slice(prefix.length), String(value)]));
}
