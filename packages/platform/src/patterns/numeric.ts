import type { Matcher } from "./match.ts";
import { refused } from "./refused.ts";

/** Numbers that ranges speak of lie between this and its negative. */
const NUMBER_MAX = 5_000_000_000;

/** Reads `["=", 5]`, `[">", 0]` or `[">=", 0, "<", 10]`. */
export function readNumeric(value: unknown): Matcher {
  if (!Array.isArray(value)) throw refused("Value of numeric must be an array.");
  if (value.length === 0) throw refused("Invalid member in numeric match: ]");
  const [operator, operand, second, top, ...rest] = value as readonly unknown[];
  if (typeof operator !== "string") throw refused(`Invalid member in numeric match: ${shown(operator)}`);
  const bound = requireNumber(operand, operator);
  switch (operator) {
    case "=":
      if (value.length > 2) throw refused("Too many terms in numeric range expression");
      return (each) => each === bound;
    case "<":
    case "<=":
      if (value.length > 2) throw refused("Too many terms in numeric range expression");
      return inRange((each) => isBelow(each, operator, bound));
    case ">":
    case ">=":
      break;
    default:
      throw refused(`Unrecognized numeric range operator: ${operator}`);
  }
  if (value.length === 2) return inRange((each) => isAbove(each, operator, bound));
  if (typeof second !== "string") throw refused("Bad value in numeric range: " + shown(second));
  if (second !== "<" && second !== "<=") throw refused(`Bad numeric range operator: ${second}`);
  const end = requireNumber(top, second);
  if (rest.length > 0) throw refused("Too many terms in numeric range expression");
  if (bound >= end) throw refused("Bottom must be less than top");
  return inRange((each) => isAbove(each, operator, bound) && isBelow(each, second, end));
}

function requireNumber(value: unknown, operator: string): number {
  if (typeof value !== "number") throw refused(`Value of ${operator} must be numeric`);
  if (Math.abs(value) > NUMBER_MAX) throw refused("Value must be between -5.0E9 and 5.0E9, inclusive");
  return value;
}

function inRange(holds: (value: number) => boolean): Matcher {
  return (value) => typeof value === "number" && Math.abs(value) <= NUMBER_MAX && holds(value);
}

const isBelow = (value: number, operator: "<" | "<=", bound: number): boolean => (operator === "<" ? value < bound : value <= bound);
const isAbove = (value: number, operator: ">" | ">=", bound: number): boolean => (operator === ">" ? value > bound : value >= bound);
const shown = (value: unknown): string => JSON.stringify(value)?.slice(0, 100) ?? String(value);
