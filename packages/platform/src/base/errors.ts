import { ERROR_CATALOGUE, type ErrorCode, type ErrorEntry } from "./error-catalogue.ts";

/** Members an error carries beside its message, as the wire shapes name them (`Type`, `Reason`, `retryAfterSeconds`…). */
export type ErrorDetails = Readonly<Record<string, string | number | boolean>>;

/**
 * An ending that the caller is told about. Its code is public interface; the message says what was wrong
 * with which value and which rule. Everything else that is thrown is a bug.
 */
export class LambentError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message);
    this.name = "LambentError";
    this.code = code;
    this.details = details;
  }

  /** What the catalogue says about this code: HTTP status, whose fault, whether a retry can help, what to do next. */
  get entry(): ErrorEntry {
    return ERROR_CATALOGUE[this.code];
  }
}

/** True when `error` is a `LambentError` with one of `codes` (any code when none is named). */
export function isLambentError(error: unknown, ...codes: readonly ErrorCode[]): error is LambentError {
  return error instanceof LambentError && (codes.length === 0 || codes.includes(error.code));
}
