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
  NotOwned: "usage",
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
  const refused = systemRefusal(error);
  if (refused) return refused;
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new CommandFailure("failed", text, "This is a defect in Lambent; please report it with the lines above.");
}

/** What the system said of a file: names, rights and room are the person's to mend, wherever it was met. */
function systemRefusal(error: unknown): CommandFailure | undefined {
  if (!(error instanceof Error) || !("syscall" in error) || !("code" in error) || !("path" in error)) return undefined;
  const { code, path } = error;
  if (typeof code !== "string" || typeof path !== "string") return undefined;
  const why = Object.hasOwn(REFUSALS, code) ? REFUSALS[code] : undefined;
  return new CommandFailure("failed", `${path} ${why?.[0] ?? `cannot be used: ${code}`}.`, why?.[1] ?? "Mend that, or name another place.");
}

const REFUSALS: Readonly<Record<string, readonly [string, string]>> = {
  ENOENT: ["does not exist, or cannot be made there", "Check the name."],
  EACCES: ["may not be read or written by this user", "Change its rights, or name another place."],
  EPERM: ["may not be changed by this user", "Change its rights, or name another place."],
  EROFS: ["is on a file system that is read-only", "Name another place."],
  ENOSPC: ["cannot be written: the disk is full", "Make room, or name another place."],
  ENOTDIR: ["is not a folder, or what it lies in is none", "Check the name."],
  EISDIR: ["is a folder", "Name a file."],
  EEXIST: ["is there already", "Name another place."],
  ENAMETOOLONG: ["is too long a name", "Choose a shorter one."],
  ELOOP: ["is a link that leads back to itself", "Mend the link."],
};

/** Exit name of a code of the catalogue, for errors that came over the wire. */
export function exitOfCode(code: ErrorCode): ExitName {
  return EXIT_OF_CODE[code] ?? "failed";
}
