import { jsonWireError } from "../json-errors.ts";

/** An error as EventBridge says it. */
export const eventsWireError = jsonWireError(
  {
    UnknownOperation: { name: "UnknownOperationException", status: 400 },
    AlreadyExists: { name: "ResourceAlreadyExistsException" },
    LimitExceeded: { name: "LimitExceededException" },
    PolicyTooLong: { name: "PolicyLengthExceededException" },
    InvalidPattern: { name: "InvalidEventPatternException" },
    MalformedPolicy: { name: "ValidationException", status: 400 },
    IllegalState: { name: "IllegalStatusException" },
    ManagedRule: { name: "ManagedRuleException" },
    Conflict: { name: "ConcurrentModificationException" },
    AccessDenied: { name: "AccessDeniedException" },
  },
  { name: "InternalException", status: 500 },
);
