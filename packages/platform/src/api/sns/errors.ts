import type { LambentError } from "../../base/index.ts";
import type { WireError } from "../../wire/index.ts";
import { queryWireError } from "../query-errors.ts";

/** What of a batch as a whole is wrong, as `InvalidBatch` carries it: the names of SNS's errors. */
export type BatchFault =
  | "EmptyBatchRequestException"
  | "TooManyEntriesInBatchRequestException"
  | "BatchEntryIdsNotDistinctException"
  | "BatchRequestTooLongException"
  | "InvalidBatchEntryIdException";

/** SNS has an error of its own for each limit. */
const LIMITS: Readonly<Record<string, { readonly name: string; readonly status: number }>> = {
  topic: { name: "TopicLimitExceededException", status: 403 },
  subscription: { name: "SubscriptionLimitExceededException", status: 403 },
  filterPolicy: { name: "FilterPolicyLimitExceededException", status: 403 },
  tag: { name: "TagLimitExceededException", status: 400 },
};

const byCode = queryWireError({
  InvalidParameter: { name: "InvalidParameterException", status: 400 },
  MalformedPolicy: { name: "InvalidParameterException", status: 400 },
  NotFound: { name: "NotFoundException", status: 404 },
  AccessDenied: { name: "AuthorizationErrorException", status: 403 },
  Throttled: { name: "ThrottledException", status: 429 },
  InFlightBytesExceeded: { name: "ThrottledException", status: 429 },
  InternalError: { name: "InternalErrorException", status: 500 },
});

/** An error as SNS says it. */
export function snsWireError(error: LambentError): WireError {
  const told = byCode(error);
  switch (error.code) {
    case "InvalidBatch":
      return { ...told, name: String(error.details["fault"]), status: 400 };
    case "LimitExceeded":
      return { ...told, ...(LIMITS[String(error.details["what"])] ?? { name: "ThrottledException", status: 429 }) };
    case "InvalidParameter":
      return error.details["value"] === true ? { ...told, name: "InvalidParameterValueException" } : told;
    case "MalformedPolicy":
      return { ...told, message: `Invalid parameter: Policy Error: ${error.message}` };
    case "NotFound":
      return error.details["resource"] === true ? { ...told, name: "ResourceNotFoundException" } : told;
    default:
      return told;
  }
}
