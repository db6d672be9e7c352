/**
 * Which records of a source a mapping hands to its function. A filter asks the record as the function would get it, but its content
 * (`body`, `data`, `value`) as what it holds: JSON for a pattern of an object, text for a pattern of texts; where the two differ, the
 * record does not match.
 * @see Lambda guide, "Control which events Lambda sends to your function"
 */
import { LambentError } from "../base/index.ts";
import { compilePattern, type CompiledPattern } from "../patterns/index.ts";

/** Filters of one mapping. @limit */
export const FILTERS_MAX = 10;

/** Which member of a record is its content, by the form it is in. */
export const FILTERED_FIELD = { queue: "body", kinesis: "data", kafka: "value", json: "value" } as const;

type Asked = "json" | "text" | "notAsked";

interface Filter {
  readonly pattern: CompiledPattern;
  readonly content: Asked;
}

/** Takes a record by what is said about it, and by its content as text, or does not. */
export type ContentFilter = (about: object, content: string) => boolean;

/** Throws `InvalidPattern` for a filter that is none. Undefined where there are no filters: everything is taken. */
export function compileContentFilters(patterns: readonly string[], field: string): ContentFilter | undefined {
  const filters = patterns.map((text) => compileFilter(text, field));
  if (filters.length === 0) return undefined;
  return (about, content) => {
    const parsed = parsedContent(content);
    return filters.some((filter) => takes(filter, field, about, content, parsed));
  };
}

function compileFilter(text: string, field: string): Filter {
  let pattern: unknown;
  try {
    pattern = JSON.parse(text);
  } catch {
    throw new LambentError("InvalidPattern", "Invalid filter pattern definition.");
  }
  try {
    return { pattern: compilePattern(pattern), content: asked(pattern, field) };
  } catch (error) {
    if (!(error instanceof LambentError)) throw error;
    throw new LambentError("InvalidPattern", `Invalid filter pattern definition. ${error.message}`);
  }
}

function asked(pattern: unknown, field: string): Asked {
  const content: unknown = (pattern as Readonly<Record<string, unknown>>)[field];
  if (content === undefined) return "notAsked";
  return Array.isArray(content) ? "text" : "json";
}

/** What a content holds when it is a JSON object or array; anything else is text. */
function parsedContent(content: string): object | undefined {
  if (!/^\s*[{[]/u.test(content)) return undefined;
  try {
    return JSON.parse(content) as object;
  } catch {
    return undefined;
  }
}

function takes({ pattern, content: wanted }: Filter, field: string, about: object, content: string, parsed: object | undefined): boolean {
  if ((wanted === "json" && !parsed) || (wanted === "text" && parsed)) return false;
  return pattern.matches({ ...about, [field]: wanted === "json" ? parsed : content });
}
