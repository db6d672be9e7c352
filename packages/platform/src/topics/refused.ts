import { LambentError } from "../base/index.ts";

/** A value that breaks a rule, in SNS's words for it. */
export function invalid(what: string): LambentError {
  return new LambentError("InvalidParameter", `Invalid parameter: ${what}`);
}

/** SNS has an error of its own for each limit. */
export function limit(what: "topic" | "subscription" | "filterPolicy" | "tag", message: string): LambentError {
  return new LambentError("LimitExceeded", message, { what });
}
