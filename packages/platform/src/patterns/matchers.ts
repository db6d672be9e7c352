import { readCidr } from "./cidr.ts";
import { isJsonObject, isPrimitive, type JsonObject } from "./json.ts";
import type { Matcher } from "./match.ts";
import { readNumeric } from "./numeric.ts";
import { refused } from "./refused.ts";
import { readWildcard } from "./wildcard.ts";

/** One entry of a leaf's list. `absent`: no value may be there. */
export type ReadMatcher = Matcher | "absent";

const IGNORE_CASE = "equals-ignore-case";

const MATCH_TYPES: Readonly<Record<string, (value: unknown) => ReadMatcher>> = {
  prefix: (value) => edge(value, "prefix"),
  suffix: (value) => edge(value, "suffix"),
  [IGNORE_CASE]: (value) => ignoringCase(requireText(value, `${IGNORE_CASE} match pattern must be a string`)),
  wildcard: (value) => wildcard(value),
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
  // A number is equal by its value: 300 and 300.0 are one.
  if (isPrimitive(entry)) return (value) => value === entry;
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

function edge(value: unknown, where: Edge): Matcher {
  if (!isJsonObject(value)) return atEdge(requireText(value, `${where} match pattern must be a string`), where);
  const [type, text] = onlyMember(value);
  if (type !== IGNORE_CASE) throw refused(`Unsupported ${where} pattern: ${type}`);
  const matches = atEdge(requireText(text, `${IGNORE_CASE} match pattern must be a string`).toLowerCase(), where);
  return (each) => typeof each === "string" && matches(each.toLowerCase());
}

function atEdge(text: string, where: Edge): Matcher {
  return where === "prefix"
    ? (value) => typeof value === "string" && value.startsWith(text)
    : (value) => typeof value === "string" && value.endsWith(text);
}

function ignoringCase(text: string): Matcher {
  const wanted = text.toLowerCase();
  return (value) => typeof value === "string" && value.toLowerCase() === wanted;
}

function wildcard(value: unknown): Matcher {
  const matches = readWildcard(requireText(value, "wildcard match pattern must be a string"));
  return (each) => typeof each === "string" && matches(each);
}

function exists(value: unknown): ReadMatcher {
  if (typeof value !== "boolean") throw refused("exists match pattern must be either true or false.");
  return value ? () => true : "absent";
}

const ANYTHING_BUT_FORMS = "Value of anything-but must be an array or single string/number value.";

/** Any value that is there and is none of those named. */
function anythingBut(value: unknown): Matcher {
  if (isJsonObject(value)) return anythingButMatching(value);
  if (!Array.isArray(value)) {
    if (typeof value !== "string" && typeof value !== "number") throw refused(ANYTHING_BUT_FORMS);
    return (each) => each !== value;
  }
  if (value.length === 0) throw refused("Empty arrays are not allowed");
  if (!value.every((each) => typeof each === "string" || typeof each === "number"))
    throw refused("Inside anything-but list, start|null|boolean is not supported.");
  if (value.some((each) => typeof each !== typeof value[0]))
    throw refused("Inside anything-but list, either all values are number or string, mixed type is not supported");
  const excluded = new Set<unknown>(value);
  return (each) => !excluded.has(each);
}

function anythingButMatching(value: JsonObject): Matcher {
  const [type, inner] = onlyMember(value);
  const read = isMatchType(type) ? EXCLUDABLE[type] : undefined;
  if (!read) throw refused(`Unsupported anything-but pattern: ${type}`);
  const texts = Array.isArray(inner) ? inner : [inner];
  if (texts.length === 0) throw refused("Empty arrays are not allowed");
  if (isJsonObject(inner)) throw refused(ANYTHING_BUT_FORMS);
  const excluded = texts.map(read);
  return (each) => !excluded.some((matches) => matches(each));
}

const EDGE_TEXT = "prefix/suffix match pattern must be a string";

const EXCLUDABLE: Readonly<Record<string, (text: unknown) => Matcher>> = {
  prefix: (text) => atEdge(requireText(text, EDGE_TEXT), "prefix"),
  suffix: (text) => atEdge(requireText(text, EDGE_TEXT), "suffix"),
  wildcard: (text) => wildcard(text),
  [IGNORE_CASE]: (text) =>
    ignoringCase(requireText(text, `Inside anything-but/${IGNORE_CASE} list, number|start|null|boolean is not supported.`)),
};

function requireText(value: unknown, rule: string): string {
  if (typeof value !== "string") throw refused(rule);
  return value;
}
