import { LambentError, type Instant } from "../../base/index.ts";
import { quote } from "../refusals.ts";

/** The policy of a POST form: base64 JSON in, checked conditions out. What is not understood is refused, never skipped. */

/** Forms are read whole before their file; S3 allows 20 KB of them. */
const POLICY_CHARACTERS_MAX = 32_768;
/** Characters of a condition that a message repeats. */
const CONDITION_CHARACTERS_MAX = 200;
/** Conditions of one policy (P7). */
const CONDITIONS_MAX = 200;

export interface PostPolicy {
  readonly expiresAt: Instant;
  readonly conditions: readonly PostCondition[];
}

export type PostCondition =
  | {
      readonly kind: "eq" | "starts-with";
      /** Lower case, without `$`. */
      readonly field: string;
      readonly value: string;
      /** As it was written, for the message. */
      readonly text: string;
    }
  | { readonly kind: "content-length-range"; readonly min: number; readonly max: number };

/** Reads the `policy` field of a form. Throws `InvalidParameter` (`what: "policy"`). */
export function readPostPolicy(base64: string): PostPolicy {
  if (base64.length > POLICY_CHARACTERS_MAX) throw malformed("it is too long");
  const document = parse(Buffer.from(base64, "base64").toString("utf8"));
  if (!isRecord(document)) throw malformed("it is no JSON object");
  const { expiration, conditions, ...others } = document;
  const [stranger] = Object.keys(others);
  if (stranger !== undefined) throw malformed(`it has the unknown member ${quote(stranger)}`);
  if (!Array.isArray(conditions)) throw malformed("it has no list of conditions");
  if (conditions.length > CONDITIONS_MAX) throw malformed(`it has more than ${CONDITIONS_MAX} conditions`);
  return { expiresAt: readExpiration(expiration), conditions: conditions.map((condition: unknown) => readCondition(condition)) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw malformed("it is no JSON");
  }
}

function readExpiration(expiration: unknown): Instant {
  const text = typeof expiration === "string" ? expiration : "";
  const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(instant)) throw malformed("its expiration is not of the form 2026-12-01T12:00:00.000Z");
  return instant;
}

function readCondition(condition: unknown): PostCondition {
  const text = JSON.stringify(condition);
  if (Array.isArray(condition)) return readListCondition(condition, text);
  if (!isRecord(condition)) throw malformed(`the condition ${quote(text, CONDITION_CHARACTERS_MAX)} is neither an object nor a list`);
  const [entry, ...others] = Object.entries(condition);
  if (entry === undefined || others.length > 0)
    throw malformed(`the condition ${quote(text, CONDITION_CHARACTERS_MAX)} does not have exactly one member`);
  const [field, value] = entry;
  if (typeof value !== "string") throw malformed(`the value of ${quote(field)} is no text`);
  return { kind: "eq", field: field.toLowerCase(), value, text: JSON.stringify(["eq", `$${field}`, value]) };
}

function readListCondition(condition: readonly unknown[], text: string): PostCondition {
  const [operator, first, second] = condition;
  const kind = typeof operator === "string" ? operator.toLowerCase() : "";
  if (condition.length === 3 && (kind === "eq" || kind === "starts-with")) {
    if (typeof first !== "string" || !first.startsWith("$") || typeof second !== "string")
      throw malformed(`the condition ${quote(text, CONDITION_CHARACTERS_MAX)} does not compare a $field with a text`);
    return { kind, field: first.slice(1).toLowerCase(), value: second, text };
  }
  if (condition.length === 3 && kind === "content-length-range") {
    const [min, max] = [readBytes(first), readBytes(second)];
    if (min === undefined || max === undefined || min > max)
      throw malformed(`the condition ${quote(text, CONDITION_CHARACTERS_MAX)} is no range of bytes`);
    return { kind, min, max };
  }
  throw malformed(`the condition ${quote(text, CONDITION_CHARACTERS_MAX)} is not known`);
}

function readBytes(value: unknown): number | undefined {
  const number = typeof value === "string" && /^\d{1,16}$/.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function malformed(why: string): LambentError {
  return new LambentError("InvalidParameter", `Invalid Policy: ${why}.`, { what: "policy" });
}
