import { isLambentError, type ErrorCode } from "../base/index.ts";
import type { ExitName } from "./exit-codes.ts";

export { EXIT_CODES, type ExitName } from "./exit-codes.ts";

/** How a command ends when it cannot do what was asked: one line on what was wrong, one on what to do. */
export class CommandFailure extends Error {
  readonly exit: ExitName;
  readonly next: string;

  constructor(exit: ExitName, what: string, next: string) {
    super(what);
    this.name = "CommandFailure";
    this.exit = exit;
    this.next = next;
  }
}

const EXIT_OF_CODE: Partial<Record<ErrorCode, ExitName>> = {
  InvalidParameter: "usage",
  MalformedRequest: "usage",
  NotFound: "notFound",
  MissingCredentials: "refused",
  UnknownCredentials: "refused",
  SignatureMismatch: "refused",
  IncompleteSignature: "refused",
  ExpiredCredentials: "refused",
  RequestExpired: "refused",
  AccessDenied: "refused",
  HostRefused: "refused",
  Conflict: "tryAgain",
  Throttled: "tryAgain",
  InFlightBytesExceeded: "tryAgain",
  FunctionNotReady: "tryAgain",
  StorageBusy: "tryAgain",
  ShuttingDown: "tryAgain",
};

/** Turns whatever was thrown into the two lines; what nobody foresaw keeps its stack for the report. */
export function describeFailure(error: unknown): CommandFailure {
  if (error instanceof CommandFailure) return error;
  if (isLambentError(error)) return new CommandFailure(EXIT_OF_CODE[error.code] ?? "failed", error.message, error.entry.next);
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new CommandFailure("failed", text, "This is a defect in Lambent; please report it with the lines above.");
}

/** Exit name of a code of the catalogue, for errors that came over the wire. */
export function exitOfCode(code: ErrorCode): ExitName {
  return EXIT_OF_CODE[code] ?? "failed";
}
