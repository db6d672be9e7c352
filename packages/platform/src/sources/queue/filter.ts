/**
 * Which messages a mapping hands to its function. A filter asks the record as the function would get it, but `body` as what it
 * holds: JSON for a pattern of an object, text for a pattern of texts; where the two differ, the message does not match.
 * @see Lambda guide, "Using event filtering with an Amazon SQS event source"
 */
import { compilePattern, type CompiledPattern } from "../../patterns/index.ts";
import { LambentError } from "../../base/index.ts";
import type { QueueRecordShape } from "./event.ts";

/** Filters of one mapping. @limit */
export const FILTERS_MAX = 10;

type AskedBody = "json" | "text" | "notAsked";

interface Filter {
  readonly pattern: CompiledPattern;
  readonly body: AskedBody;
}

/** Takes a message's record, or does not. Without filters every message is taken. */
export type MessageFilter = (record: QueueRecordShape) => boolean;

/** Throws `InvalidPattern` for a filter that is none. */
export function compileFilters(patterns: readonly string[]): MessageFilter {
  const filters = patterns.map(compileFilter);
  if (filters.length === 0) return () => true;
  return (record) => {
    const body = parsedBody(record.body);
    return filters.some((filter) => takes(filter, record, body));
  };
}

function compileFilter(text: string): Filter {
  let pattern: unknown;
  try {
    pattern = JSON.parse(text);
  } catch {
    throw new LambentError("InvalidPattern", "Invalid filter pattern definition.");
  }
  try {
    return { pattern: compilePattern(pattern), body: askedBody(pattern) };
  } catch (error) {
    if (!(error instanceof LambentError)) throw error;
    throw new LambentError("InvalidPattern", `Invalid filter pattern definition. ${error.message}`);
  }
}

function askedBody(pattern: unknown): AskedBody {
  const body: unknown = (pattern as { readonly body?: unknown }).body;
  if (body === undefined) return "notAsked";
  return Array.isArray(body) ? "text" : "json";
}

/** What a body holds when it is a JSON object or array; anything else is text. */
function parsedBody(body: string): object | undefined {
  if (!/^\s*[{[]/u.test(body)) return undefined;
  try {
    return JSON.parse(body) as object;
  } catch {
    return undefined;
  }
}

function takes({ pattern, body }: Filter, record: QueueRecordShape, parsed: object | undefined): boolean {
  if ((body === "json" && !parsed) || (body === "text" && parsed)) return false;
  return pattern.matches(body === "json" ? { ...record, body: parsed } : record);
}
