/**
 * Filter policies: which messages of a topic a subscription gets, by their attributes or by their body. Pure. The language is that of
 * event patterns with SNS's bounds, without wildcards, and for attributes without nesting.
 * @see SNS developer guide, "Message filtering"
 */
import { isLambentError, jsonDepth } from "../base/index.ts";
import { compilePattern, type CompiledPattern } from "../patterns/index.ts";
import type { ParcelAttribute } from "../outbox/index.ts";
import { invalid } from "./refused.ts";

export type FilterScope = "MessageAttributes" | "MessageBody";

/** What a filter is asked about. Its body is read once, however many filters are asked about the same one. */
export interface FilteredMessage {
  readonly body: string;
  readonly attributes: Readonly<Record<string, ParcelAttribute>>;
}

/** True for messages that the subscription gets. */
export type MessageFilter = (message: FilteredMessage) => boolean;

/** Bytes of a filter policy. @limit */
export const FILTER_POLICY_BYTES_MAX = 262_144;
/** Names a filter policy asks for; in one of the body, those at its top. @limit */
export const FILTER_POLICY_KEYS_MAX = 5;
/** Combinations of the values of a filter policy; in one of the body, each list counts as often as it is deep. @limit */
export const FILTER_POLICY_COMBINATIONS_MAX = 150;
/** Numbers in a filter policy lie between this and its negative. @limit */
const FILTER_NUMBER_MAX = 1_000_000_000;
/** A body that is nested deeper matches no filter. @limit */
export const FILTERED_BODY_DEPTH_MAX = 200;

const OR = "$or";

type Json = Readonly<Record<string, unknown>>;

/** Compiles a filter policy; undefined for one that asks for nothing. Throws `InvalidParameter`. */
export function compileFilter(text: string, scope: FilterScope): MessageFilter | undefined {
  if (Buffer.byteLength(text) > FILTER_POLICY_BYTES_MAX)
    throw refused(`Filter policy must not be larger than ${FILTER_POLICY_BYTES_MAX} bytes`);
  const policy = parsed(text);
  if (!isObject(policy)) throw refused("Filter policy must be a JSON object");
  if (Object.keys(policy).length === 0) return undefined;
  const names = new Set<string>();
  topNames(policy, names);
  if (names.size > FILTER_POLICY_KEYS_MAX) throw refused(`Filter policy can not have more than ${FILTER_POLICY_KEYS_MAX} keys`);
  if (combinationsOf(policy, scope, 1) > FILTER_POLICY_COMBINATIONS_MAX) throw refused("Filter policy is too complex");
  const pattern = patternOf(policy);
  return scope === "MessageAttributes"
    ? ({ attributes }) => pattern.matches(asked(attributes, names))
    : (message) => {
        const value = bodyOf(message);
        return value !== undefined && pattern.matches(value);
      };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw refused("failed to parse JSON.");
  }
}

function patternOf(policy: Json): CompiledPattern {
  try {
    return compilePattern(policy);
  } catch (error) {
    if (isLambentError(error, "InvalidPattern")) throw refused(error.message.replace("Event pattern is not valid. Reason: ", ""));
    throw error;
  }
}

function topNames(policy: Json, names: Set<string>): void {
  for (const [name, value] of Object.entries(policy)) {
    if (isAlternatives(name, value)) for (const each of value) topNames(each, names);
    else names.add(name);
  }
}

/** Counts, and refuses on the way what event patterns have and filter policies do not. */
function combinationsOf(policy: Json, scope: FilterScope, depth: number): number {
  if (depth > FILTER_POLICY_COMBINATIONS_MAX) throw refused("Filter policy is too complex");
  let product = 1;
  for (const [name, value] of Object.entries(policy)) {
    if (isAlternatives(name, value)) product *= value.reduce((sum, each) => sum + combinationsOf(each, scope, depth), 0);
    else if (Array.isArray(value)) {
      for (const entry of value) checkEntry(entry);
      product *= Math.max(value.length, 1) * depth;
    } else if (isObject(value) && scope === "MessageBody") product *= combinationsOf(value, scope, depth + 1);
    else if (isObject(value)) throw refused("Filter policy scope MessageAttributes does not support nested filter policy");
    else throw refused(`"${name.slice(0, 100)}" must be an object or an array`);
  }
  return product;
}

function isAlternatives(name: string, value: unknown): value is readonly Json[] {
  return name === OR && Array.isArray(value) && value.length > 1 && value.every(isObject);
}

function checkEntry(entry: unknown): void {
  if (typeof entry === "number") checkNumber(entry);
  if (!isObject(entry)) return;
  const operators = [...Object.entries(entry), ...(isObject(entry["anything-but"]) ? Object.entries(entry["anything-but"]) : [])];
  for (const [operator, value] of operators) {
    if (operator === "wildcard") throw refused("Unrecognized match type wildcard");
    if (Array.isArray(value)) for (const each of value) if (typeof each === "number") checkNumber(each);
  }
}

function checkNumber(value: number): void {
  if (Math.abs(value) > FILTER_NUMBER_MAX) throw refused("Value must be between -1.0E9 and 1.0E9, inclusive");
}

/** The attributes that are asked for, as values: those of other types count as absent. */
function asked(attributes: FilteredMessage["attributes"], names: ReadonlySet<string>): Json {
  const values: Record<string, unknown> = { __proto__: null } as unknown as Record<string, unknown>;
  for (const name of names) {
    const attribute = Object.hasOwn(attributes, name) ? attributes[name] : undefined;
    const value = attribute && attributeValue(attribute);
    if (value !== undefined) values[name] = value;
  }
  return values;
}

function attributeValue({ type, value }: ParcelAttribute): unknown {
  if (typeof value !== "string") return undefined;
  if (type === "String") return value;
  if (type === "Number") return Number(value);
  return type === "String.Array" ? arrayOf(value) : undefined;
}

/** Arrays of texts, numbers, true, false and null; anything else has no value a policy could ask for. */
function arrayOf(text: string): unknown {
  try {
    const values: unknown = JSON.parse(text);
    return Array.isArray(values) ? values.filter((each) => each === null || typeof each !== "object") : undefined;
  } catch {
    return undefined;
  }
}

const bodies = new WeakMap<FilteredMessage, { readonly value: Json | undefined }>();

function bodyOf(message: FilteredMessage): Json | undefined {
  const known = bodies.get(message);
  if (known) return known.value;
  const value = bodyObject(message.body);
  bodies.set(message, { value });
  return value;
}

/** What is matched goes down as deep as the body is. */
function bodyObject(body: string): Json | undefined {
  if (!/^\s*\{/u.test(body)) return undefined;
  try {
    const value: unknown = JSON.parse(body);
    return isObject(value) && jsonDepth(body) <= FILTERED_BODY_DEPTH_MAX ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function refused(why: string) {
  return invalid(`FilterPolicy: ${why}`);
}
