import { LambentError } from "../../base/index.ts";
import { compileJsonPattern } from "./json-pattern.ts";
import { compileTerms, type Matcher } from "./terms.ts";

/** Characters of a filter pattern, as CloudWatch Logs allows. */
export const FILTER_PATTERN_CHARACTERS_MAX = 1_024;

/**
 * Compiles a filter pattern of CloudWatch Logs: terms, or a JSON pattern in braces. An empty one matches everything.
 * Throws `InvalidParameter` that says what is wrong with it.
 *
 * @see CloudWatch Logs user guide, Filter pattern syntax
 */
export function compileFilterPattern(pattern: string): Matcher {
  if (pattern.length > FILTER_PATTERN_CHARACTERS_MAX) {
    throw new LambentError(
      "InvalidParameter",
      `The filter pattern has ${pattern.length} characters; ${FILTER_PATTERN_CHARACTERS_MAX} are allowed.`,
    );
  }
  const trimmed = pattern.trim();
  if (trimmed.startsWith("{")) return compileJsonPattern(trimmed);
  if (trimmed.startsWith("["))
    throw new LambentError("InvalidParameter", "Filter patterns in [brackets] are not supported; use terms or a JSON pattern.");
  return compileTerms(trimmed);
}
