/** Event patterns as people write them: JSON, or in short the type of the events. */
import { isLambentError } from "../base/index.ts";
import { parsePattern } from "../patterns/index.ts";
import { digestOf, guessedName, permissionId } from "./guessed-names.ts";

/** What may be in a short form: the letters of types, and `*` for any part. */
const SHORT = /^[\p{L}\p{N}_.:/ *-]{1,256}$/u;

/** `order.placed`, `order.*`: events of these types, as a pattern; undefined for what is no short form. */
export function shortPattern(text: string): string | undefined {
  if (!SHORT.test(text)) return undefined;
  const stars = text.split("*").length - 1;
  const type = stars === 0 ? text : stars === 1 && text.endsWith("*") && text !== "*" ? { prefix: text.slice(0, -1) } : { wildcard: text };
  return JSON.stringify({ "detail-type": [type] });
}

/** What is wrong with an event pattern, JSON text; undefined when nothing is. */
export function patternFault(pattern: string): string | undefined {
  try {
    parsePattern(pattern);
    return undefined;
  } catch (error) {
    if (isLambentError(error)) return error.message;
    throw error;
  }
}

/** The name of a function's rule that has none: the same pattern gives the same one, another pattern another. */
export function guessedRuleName(functionName: string, pattern: string): string {
  const type = onlyType(pattern);
  return guessedName(functionName, type ?? "", type === undefined || /[^\p{ASCII}]|[: /]/u.test(type) ? digestOf(pattern) : "");
}

/** The name of a function's schedule that has none: `hello-every-5-minutes`, `hello-cron-0-3`. */
export function guessedScheduleName(functionName: string, expression: string): string {
  const [, kind = "", inside = ""] = /^(\w+)\((.*)\)$/u.exec(expression) ?? [];
  if (kind === "rate") return guessedName(functionName, `every-${inside}`, "");
  const fields = inside.replaceAll("*", "x").replaceAll("?", "x").split(" ");
  while (fields.at(-1) === "x") fields.pop();
  const plain = fields.join("-");
  return guessedName(functionName, `${kind}-${plain}`, /^[\w.-]*$/u.test(plain) ? "" : digestOf(expression));
}

/** The id of the statement by which a function lets a rule call it: letters, digits, - and _. */
export function rulePermissionId(busName: string, ruleName: string): string {
  return permissionId(`rule-${busName === "default" ? "" : `${busName}-`}${ruleName}`);
}

/** The events' type, when a pattern asks for nothing else. */
function onlyType(pattern: string): string | undefined {
  const asked: unknown = JSON.parse(pattern);
  const members = Object.entries(asked as object);
  const [[name, values] = []] = members;
  if (members.length !== 1 || name !== "detail-type" || !Array.isArray(values) || values.length !== 1) return undefined;
  const [value] = values as readonly unknown[];
  if (typeof value === "string") return value;
  const prefix: unknown = typeof value === "object" && value !== null && "prefix" in value ? value.prefix : undefined;
  return typeof prefix === "string" ? `${prefix.replace(/[^A-Za-z0-9]+$/u, "")}-any` : undefined;
}
