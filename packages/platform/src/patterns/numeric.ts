import { refused } from "./refused.ts";
import type { RangeShape, Shape } from "./shape.ts";

/** Numbers that ranges speak of lie between this and its negative. */
const NUMBER_MAX = 5_000_000_000;

/** Reads `["=", 5]`, `[">", 0]` or `[">=", 0, "<", 10]`. */
export function readNumeric(value: unknown): Shape {
  if (!Array.isArray(value)) throw refused("Value of numeric must be an array.");
  if (value.length === 0) throw refused("Invalid member in numeric match: ]");
  const [operator, operand, second, top, ...rest] = value as readonly unknown[];
  if (typeof operator !== "string") throw refused(`Invalid member in numeric match: ${shown(operator)}`);
  const bound = requireNumber(operand, operator);
  switch (operator) {
    case "=":
      if (value.length > 2) throw refused("Too many terms in numeric range expression");
      return { kind: "equal", value: bound };
    case "<":
    case "<=":
      if (value.length > 2) throw refused("Too many terms in numeric range expression");
      return range(-NUMBER_MAX, highest(operator, bound));
    case ">":
    case ">=":
      break;
    default:
      throw refused(`Unrecognized numeric range operator: ${operator}`);
  }
  const low = operator === ">" ? nextAbove(bound) : bound;
  if (value.length === 2) return range(low, NUMBER_MAX);
  if (typeof second !== "string") throw refused("Bad value in numeric range: " + shown(second));
  if (second !== "<" && second !== "<=") throw refused(`Bad numeric range operator: ${second}`);
  const end = requireNumber(top, second);
  if (rest.length > 0) throw refused("Too many terms in numeric range expression");
  if (bound >= end) throw refused("Bottom must be less than top");
  return range(low, highest(second, end));
}

function requireNumber(value: unknown, operator: string): number {
  if (typeof value !== "number") throw refused(`Value of ${operator} must be numeric`);
  if (Math.abs(value) > NUMBER_MAX) throw refused("Value must be between -5.0E9 and 5.0E9, inclusive");
  return value;
}

function range(low: number, high: number): RangeShape {
  return { kind: "range", low, high };
}

/** The highest number that is below a bound, or the bound. */
function highest(operator: "<" | "<=", bound: number): number {
  return operator === "<" ? -nextAbove(-bound) : bound;
}

const BITS = new DataView(new ArrayBuffer(8));

/** The next number there is: `> 5` and `>= 5.000000000000001` are the same. */
function nextAbove(value: number): number {
  if (value === 0) return Number.MIN_VALUE;
  BITS.setFloat64(0, value);
  BITS.setBigInt64(0, BITS.getBigInt64(0) + (value > 0 ? 1n : -1n));
  return BITS.getFloat64(0);
}

const shown = (value: unknown): string => JSON.stringify(value)?.slice(0, 100) ?? String(value);
