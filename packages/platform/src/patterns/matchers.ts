import { readCidr } from "./cidr.ts";
import { isJsonObject, isPrimitive, type JsonObject } from "./json.ts";
import { readNumeric } from "./numeric.ts";
import { refused } from "./refused.ts";
import type { Case, ExclusionShape, Shape, TextShape } from "./shape.ts";
import { readLiterals } from "./wildcard.ts";

/** One entry of a leaf's list. `absent`: no value may be there. */
export type ReadMatcher = Shape | "absent";

const IGNORE_CASE = "equals-ignore-case";

const MATCH_TYPES: Readonly<Record<string, (value: unknown) => ReadMatcher>> = {
  prefix: (value) => edge(value, "prefix"),
  suffix: (value) => edge(value, "suffix"),
  [IGNORE_CASE]: (value) => ignoringCase(requireText(value, `${IGNORE_CASE} match pattern must be a string`)),
  wildcard,
  "anything-but": anythingBut,
  numeric: readNumeric,
  exists,
  cidr: readCidr,
};

/** Names that stand for a way to match where an object is an entry of a list. */
export function isMatchType(name: string): boolean {
  return Object.hasOwn(MATCH_TYPES, name);
}

/** Reads one entry of a leaf's list. Throws `InvalidPattern`. */
export function readMatcher(entry: unknown): ReadMatcher {
  if (isPrimitive(entry)) return { kind: "equal", value: entry };
  if (!isJsonObject(entry)) throw refused("Match value must be String, number, true, false, or null");
  const [type, value] = onlyMember(entry);
  const read = isMatchType(type) ? MATCH_TYPES[type] : undefined;
  if (!read) throw refused(`Unrecognized match type ${type}`);
  return read(value);
}

function onlyMember(entry: JsonObject): readonly [string, unknown] {
  const [first, ...others] = Object.entries(entry);
  if (!first || others.length > 0) throw refused("Only one key allowed in match expression");
  return first;
}

type Edge = "prefix" | "suffix";

function edge(value: unknown, where: Edge): TextShape {
  if (!isJsonObject(value)) return atEdge(requireText(value, `${where} match pattern must be a string`), where, "exact");
  const [type, text] = onlyMember(value);
  if (type !== IGNORE_CASE) throw refused(`Unsupported ${where} pattern: ${type}`);
  return atEdge(requireText(text, `${IGNORE_CASE} match pattern must be a string`).toLowerCase(), where, "ignored");
}

function atEdge(text: string, where: Edge, comparison: Case): TextShape {
  return { kind: where, text, case: comparison };
}

function ignoringCase(text: string): TextShape {
  return { kind: "whole", text: text.toLowerCase(), case: "ignored" };
}

function wildcard(value: unknown): TextShape {
  return { kind: "wildcard", literals: readLiterals(requireText(value, "wildcard match pattern must be a string")) };
}

function exists(value: unknown): ReadMatcher {
  if (typeof value !== "boolean") throw refused("exists match pattern must be either true or false.");
  return value ? { kind: "present" } : "absent";
}

const ANYTHING_BUT_FORMS = "Value of anything-but must be an array or single string/number value.";

/** Any value that is there and is none of those named. */
function anythingBut(value: unknown): ExclusionShape {
  if (isJsonObject(value)) return anythingButMatching(value);
  if (!Array.isArray(value)) {
    if (typeof value !== "string" && typeof value !== "number") throw refused(ANYTHING_BUT_FORMS);
    return { kind: "not-equal", values: new Set([value]) };
  }
  if (value.length === 0) throw refused("Empty arrays are not allowed");
  if (!value.every((each) => typeof each === "string" || typeof each === "number"))
    throw refused("Inside anything-but list, start|null|boolean is not supported.");
  if (value.some((each) => typeof each !== typeof value[0]))
    throw refused("Inside anything-but list, either all values are number or string, mixed type is not supported");
  return { kind: "not-equal", values: new Set(value) };
}

function anythingButMatching(value: JsonObject): ExclusionShape {
  const [type, inner] = onlyMember(value);
  const read = isMatchType(type) ? EXCLUDABLE[type] : undefined;
  if (!read) throw refused(`Unsupported anything-but pattern: ${type}`);
  const texts = Array.isArray(inner) ? inner : [inner];
  if (texts.length === 0) throw refused("Empty arrays are not allowed");
  if (isJsonObject(inner)) throw refused(ANYTHING_BUT_FORMS);
  return { kind: "not-like", texts: texts.map(read) };
}

const EDGE_TEXT = "prefix/suffix match pattern must be a string";

const EXCLUDABLE: Readonly<Record<string, (text: unknown) => TextShape>> = {
  prefix: (text) => atEdge(requireText(text, EDGE_TEXT), "prefix", "exact"),
  suffix: (text) => atEdge(requireText(text, EDGE_TEXT), "suffix", "exact"),
  wildcard,
  [IGNORE_CASE]: (text) =>
    ignoringCase(requireText(text, `Inside anything-but/${IGNORE_CASE} list, number|start|null|boolean is not supported.`)),
};

function requireText(value: unknown, rule: string): string {
  if (typeof value !== "string") throw refused(rule);
  return value;
}
