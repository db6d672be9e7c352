/**
 * Reads an event pattern and makes a matcher of it. Pure: a pattern is refused whole, or matches as AWS documents it.
 *
 * Keeps P8: whatever is handed in, the outcome is a matcher or an `InvalidPattern` that names the rule in AWS's words.
 * Deliberately does not: match one event against many rules at once (pattern-set.ts).
 */
import { isJsonObject, type JsonObject } from "./json.ts";
import { Alternative, CompiledPattern, type Leaf } from "./match.ts";
import { isMatchType, readMatcher } from "./matchers.ts";
import { refused } from "./refused.ts";

/** Ways a pattern can be met by all of its `$or` together. @limit */
export const PATTERN_ALTERNATIVES_MAX = 1_000;
/** Objects inside each other in a pattern. @limit */
export const PATTERN_DEPTH_MAX = 100;

const OR = "$or";

/** Compiles a pattern given as JSON text. Throws `InvalidPattern`. */
export function parsePattern(text: string): CompiledPattern {
  let pattern: unknown;
  try {
    pattern = JSON.parse(text);
  } catch (error) {
    throw refused(error instanceof SyntaxError ? error.message : "it is no JSON");
  }
  return compilePattern(pattern);
}

/** Compiles a pattern. Throws `InvalidPattern`. */
export function compilePattern(pattern: unknown): CompiledPattern {
  if (!isJsonObject(pattern)) throw refused("Filter is not an object");
  return new CompiledPattern(alternativesOf(pattern, []).map((leaves) => new Alternative(leaves)));
}

/** Each way an object of the pattern can be met, as all leaves that have to be met together then. */
function alternativesOf(pattern: JsonObject, path: readonly string[]): Leaf[][] {
  if (path.length > PATTERN_DEPTH_MAX) throw refused(`Objects are nested deeper than ${PATTERN_DEPTH_MAX} levels`);
  const keys = Object.keys(pattern);
  if (keys.length === 0) throw refused("Empty objects are not allowed");
  let alternatives: Leaf[][] = [[]];
  for (const key of keys) alternatives = combined(alternatives, alternativesOfField(key, pattern[key], path));
  return alternatives;
}

function alternativesOfField(key: string, value: unknown, path: readonly string[]): Leaf[][] {
  if (key === OR && isAlternatives(value)) return value.flatMap((each) => alternativesOf(each, path));
  const below = [...path, key];
  if (isJsonObject(value)) return alternativesOf(value, below);
  if (Array.isArray(value)) return [[leafOf(value, below)]];
  throw refused(`"${key}" must be an object or an array`);
}

/** Other values of a field that happens to be called `$or` are a field's. */
function isAlternatives(value: unknown): value is readonly JsonObject[] {
  if (!Array.isArray(value) || value.length < 2) return false;
  return value.every((each) => isJsonObject(each) && Object.keys(each).length > 0 && !Object.keys(each).some(isMatchType));
}

function combined(left: readonly Leaf[][], right: readonly Leaf[][]): Leaf[][] {
  const count = left.length * right.length;
  if (count > PATTERN_ALTERNATIVES_MAX)
    throw refused(`Your rule has exceeded the limit of ${PATTERN_ALTERNATIVES_MAX} rule match conditions from all $or array combinations`);
  return left.flatMap((first) => right.map((second) => [...first, ...second]));
}

function leafOf(values: readonly unknown[], path: readonly string[]): Leaf {
  if (values.length === 0) throw refused("Empty arrays are not allowed");
  const matchers = values.map(readMatcher);
  return {
    path,
    allowsAbsence: matchers.some((matcher) => matcher === "absent"),
    matchers: matchers.filter((matcher) => matcher !== "absent"),
  };
}
