import { isLambentError, LambentError } from "../../base/index.ts";
import type { WireError } from "../../wire/index.ts";
import { jsonWireError } from "../json-errors.ts";
import type { Operation, OperationTable } from "../operation.ts";

const INTERNAL = { name: "InternalFailure", status: 500 } as const;
/** What a shard that takes no more at the moment is said by; clients wait and repeat. */
const THROUGHPUT = { name: "ProvisionedThroughputExceededException" } as const;

const byCode = jsonWireError(
  {
    InvalidParameter: { name: "ValidationException", status: 400 },
    RequestTooLarge: { name: "ValidationException", status: 400 },
    MalformedPolicy: { name: "InvalidArgumentException" },
    IllegalState: { name: "InvalidArgumentException" },
    OffsetOutOfRange: { name: "InvalidArgumentException" },
    UnknownOperation: { name: "UnknownOperationException", status: 400 },
    AlreadyExists: { name: "ResourceInUseException" },
    Conflict: { name: "ResourceInUseException" },
    LimitExceeded: { name: "LimitExceededException" },
    ExpiredIterator: { name: "ExpiredIteratorException" },
    ExpiredPageToken: { name: "ExpiredNextTokenException" },
    Throttled: THROUGHPUT,
    StorageBusy: THROUGHPUT,
    InFlightBytesExceeded: THROUGHPUT,
    AccessDenied: { name: "AccessDeniedException", status: 400 },
  },
  INTERNAL,
);

/** An error as Kinesis says it. */
export function kinesisWireError(error: LambentError): WireError {
  if (error.code === "InvalidParameter" && error.details["argument"] === true)
    return { name: "InvalidArgumentException", message: error.message, fault: error.entry.fault };
  return byCode(error);
}

/** Something that an operation finds wrong with what it is asked; Kinesis calls what its schema forbids otherwise. */
export function invalidArgument(message: string): LambentError {
  return new LambentError("InvalidParameter", message, { argument: true });
}

/** `operations`, whose refusals of values are those of arguments: what the schema forbids was refused before they were called. */
export function withArguments<Table extends OperationTable>(operations: Table): Table {
  const wrapped = Object.entries(operations).map(([name, operation]): [string, Operation<never, unknown>] => [
    name,
    async (input, context) => {
      try {
        return await operation(input, context);
      } catch (error) {
        if (isLambentError(error, "InvalidParameter") && error.details["schema"] !== true)
          throw new LambentError("InvalidParameter", error.message, { ...error.details, argument: true });
        throw error;
      }
    },
  ]);
  return Object.fromEntries(wrapped) as Table;
}

/** What Kinesis tells in the words of its schema, although it depends on more than that. */
export function invalidValue(message: string): LambentError {
  return new LambentError("InvalidParameter", message, { schema: true });
}
