import { BlockList, isIP } from "node:net";
import { compilePattern, matchesPattern, substitute, type VariableLookup } from "./pattern.ts";

export interface Condition {
  readonly quantifier: "ForAllValues" | "ForAnyValue" | undefined;
  /** For example `StringLike`; without quantifier and `IfExists`. */
  readonly operator: string;
  readonly ifExists: boolean;
  /** Lower case: condition keys are compared without case. */
  readonly key: string;
  readonly values: readonly string[];
}

/** Condition keys of a request, lower case, each with its values. */
export type ContextValues = ReadonlyMap<string, readonly string[]>;

/** True when request value `actual` fits policy value `wanted`. */
type Comparison = (actual: string, wanted: string, variables: VariableLookup | undefined) => boolean;

interface Operator {
  readonly compare: Comparison;
  /** `Not…`: holds when no policy value fits, and when the key is absent. */
  readonly negated: boolean;
}

const text =
  (same: (actual: string, wanted: string) => boolean): Comparison =>
  (actual, wanted, variables) => {
    const value = substitute(wanted, variables);
    return value !== undefined && same(actual, value);
  };

const like: Comparison = (actual, wanted, variables) => {
  const pattern = compilePattern(wanted, variables);
  return pattern !== undefined && matchesPattern(pattern, actual);
};

/** ARNs part by part, so that a wildcard does not reach over a colon; the sixth part is the rest. */
const arnLike: Comparison = (actual, wanted, variables) => {
  const actualParts = arnParts(actual);
  const wantedParts = arnParts(wanted);
  if (actualParts === undefined || wantedParts === undefined) return false;
  return wantedParts.every((part, index) => like(actualParts[index] ?? "", part, variables));
};

function arnParts(arn: string): string[] | undefined {
  // A variable holds colons too (`${aws:PrincipalAccount}`); they do not separate parts.
  const parts: string[] = [""];
  let inVariable = false;
  for (let index = 0; index < arn.length; index += 1) {
    const character = arn.charAt(index);
    if (character === "$" && arn.charAt(index + 1) === "{") inVariable = true;
    if (character === "}") inVariable = false;
    if (character === ":" && !inVariable && parts.length < 6) parts.push("");
    else parts[parts.length - 1] += character;
  }
  return parts.length === 6 ? parts : undefined;
}

const numeric =
  (holds: (actual: number, wanted: number) => boolean): Comparison =>
  (actual, wanted) => {
    const [a, b] = [parseNumber(actual), parseNumber(wanted)];
    return a !== undefined && b !== undefined && holds(a, b);
  };

function parseNumber(value: string): number | undefined {
  return /^[+-]?\d+(\.\d+)?([eE][+-]?\d{1,3})?$/.test(value) ? Number(value) : undefined;
}

const date =
  (holds: (actual: number, wanted: number) => boolean): Comparison =>
  (actual, wanted) => {
    const [a, b] = [parseInstant(actual), parseInstant(wanted)];
    return a !== undefined && b !== undefined && holds(a, b);
  };

/** ISO 8601 as policies write it, or seconds since 1970. */
function parseInstant(value: string): number | undefined {
  if (/^\d{1,12}(\.\d+)?$/.test(value)) return Number(value) * 1_000;
  if (!/^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?$/.test(value)) return undefined;
  const instant = Date.parse(/T.*[^Z\d:.+-]|T[\d:.]+$/.test(value) ? `${value}Z` : value);
  return Number.isNaN(instant) ? undefined : instant;
}

const ipAddress: Comparison = (actual, wanted) => {
  const [network = "", bits] = wanted.split("/", 2);
  const family = isIP(network);
  if (family === 0 || isIP(actual) === 0) return false;
  const full = family === 4 ? 32 : 128;
  const prefix = bits === undefined ? full : /^\d{1,3}$/.test(bits) ? Number(bits) : -1;
  if (prefix < 0 || prefix > full) return false;
  const list = new BlockList();
  list.addSubnet(network, prefix, family === 4 ? "ipv4" : "ipv6");
  return list.check(actual, isIP(actual) === 4 ? "ipv4" : "ipv6");
};

const equal = (a: number, b: number): boolean => a === b;
const plain = (compare: Comparison): Operator => ({ compare, negated: false });
const not = (compare: Comparison): Operator => ({ compare, negated: true });

const sameText = text((actual, wanted) => actual === wanted);
const sameTextAnyCase = text((actual, wanted) => actual.toLowerCase() === wanted.toLowerCase());

const OPERATORS: ReadonlyMap<string, Operator> = new Map(
  Object.entries({
    StringEquals: plain(sameText),
    StringNotEquals: not(sameText),
    StringEqualsIgnoreCase: plain(sameTextAnyCase),
    StringNotEqualsIgnoreCase: not(sameTextAnyCase),
    StringLike: plain(like),
    StringNotLike: not(like),
    NumericEquals: plain(numeric(equal)),
    NumericNotEquals: not(numeric(equal)),
    NumericLessThan: plain(numeric((a, b) => a < b)),
    NumericLessThanEquals: plain(numeric((a, b) => a <= b)),
    NumericGreaterThan: plain(numeric((a, b) => a > b)),
    NumericGreaterThanEquals: plain(numeric((a, b) => a >= b)),
    DateEquals: plain(date(equal)),
    DateNotEquals: not(date(equal)),
    DateLessThan: plain(date((a, b) => a < b)),
    DateLessThanEquals: plain(date((a, b) => a <= b)),
    DateGreaterThan: plain(date((a, b) => a > b)),
    DateGreaterThanEquals: plain(date((a, b) => a >= b)),
    Bool: plain(sameTextAnyCase),
    IpAddress: plain(ipAddress),
    NotIpAddress: not(ipAddress),
    ArnEquals: plain(arnLike),
    ArnLike: plain(arnLike),
    ArnNotEquals: not(arnLike),
    ArnNotLike: not(arnLike),
  }),
);

/** True for the operators conditions may use, without quantifier and `IfExists`. */
export function isConditionOperator(name: string): boolean {
  return name === "Null" || OPERATORS.has(name);
}

/** Whether one condition holds for a request. */
export function conditionHolds(condition: Condition, context: ContextValues, variables: VariableLookup | undefined): boolean {
  const actual = context.get(condition.key) ?? [];
  if (condition.operator === "Null") return condition.values.some((value) => (value.toLowerCase() === "true") === (actual.length === 0));
  const operator = OPERATORS.get(condition.operator);
  if (operator === undefined) return false;
  const fits = (value: string): boolean =>
    condition.values.some((wanted) => operator.compare(value, wanted, variables)) !== operator.negated;
  if (actual.length === 0) {
    if (condition.ifExists || condition.quantifier === "ForAllValues") return true;
    return condition.quantifier === undefined && operator.negated;
  }
  switch (condition.quantifier) {
    case "ForAllValues":
      return actual.every(fits);
    case "ForAnyValue":
      return actual.some(fits);
    case undefined:
      return operator.negated ? actual.every(fits) : actual.some(fits);
  }
}
