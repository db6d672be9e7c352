import { jsonWireError } from "../json-errors.ts";

const THROTTLED = { name: "ThrottlingException" } as const;

/** An error as EventBridge Scheduler says it. */
export const schedulerWireError = jsonWireError(
  {
    InvalidParameter: { name: "ValidationException" },
    UnknownOperation: { name: "UnknownOperationException", status: 404 },
    AlreadyExists: { name: "ConflictException" },
    Conflict: { name: "ConflictException" },
    LimitExceeded: { name: "ServiceQuotaExceededException" },
    Throttled: THROTTLED,
    InFlightBytesExceeded: THROTTLED,
    StorageBusy: THROTTLED,
    AccessDenied: { name: "AccessDeniedException", status: 403 },
  },
  { name: "InternalServerException" },
);
