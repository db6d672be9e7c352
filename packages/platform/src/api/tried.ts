import { isLambentError, type LambentError } from "../base/index.ts";

/** What `make` makes, or the refusal it throws: entries of a batch are refused each by itself. */
export function tried<T>(make: () => T): T | LambentError {
  try {
    return make();
  } catch (error) {
    if (isLambentError(error)) return error;
    throw error;
  }
}
