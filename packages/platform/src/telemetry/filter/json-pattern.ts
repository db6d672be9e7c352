import { LambentError } from "../../base/index.ts";
import { tokenise, type Token } from "./json-tokens.ts";
import type { Matcher } from "./terms.ts";

/** What a condition is asked of: the parsed event. */
type Condition = (event: unknown) => boolean;
type Comparison = "=" | "!=" | "<" | "<=" | ">" | ">=";

const COMPARISONS: ReadonlySet<string> = new Set<Comparison>(["=", "!=", "<", "<=", ">", ">="]);
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/**
 * Patterns over JSON events: `{ ($.level = "ERROR" || $.ms >= 100) && $.user.id != "a*" }`, with `IS TRUE`,
 * `IS FALSE`, `IS NULL` and `NOT EXISTS`. `*` in a string stands for any text. An event that is not JSON never matches.
 */
export function compileJsonPattern(pattern: string): Matcher {
  const inner = /^\{([\s\S]*)\}$/.exec(pattern.trim())?.[1];
  if (inner === undefined) throw invalid('begins with "{" and does not end with "}"');
  const condition = new Parser(tokenise(inner)).parse();
  return (message) => {
    const event = parseEvent(message);
    return event !== undefined && condition(event);
  };
}

function parseEvent(message: string): unknown {
  if (!message.trimStart().startsWith("{")) return undefined;
  try {
    return JSON.parse(message);
  } catch {
    return undefined;
  }
}

/** Recursive descent; depth is bounded by the pattern's length, which is bounded by whoever takes it. */
class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  parse(): Condition {
    const condition = this.#anyOf();
    const rest = this.#tokens[this.#at];
    if (rest) throw invalid(`goes on with "${rest.text}" where it should end`);
    return condition;
  }

  #anyOf(): Condition {
    const conditions = [this.#allOf()];
    while (this.#take("||")) conditions.push(this.#allOf());
    return (event) => conditions.some((condition) => condition(event));
  }

  #allOf(): Condition {
    const conditions = [this.#one()];
    while (this.#take("&&")) conditions.push(this.#one());
    return (event) => conditions.every((condition) => condition(event));
  }

  #one(): Condition {
    if (!this.#take("(")) return this.#test();
    const condition = this.#anyOf();
    if (!this.#take(")")) throw invalid('has a "(" that is not closed');
    return condition;
  }

  #test(): Condition {
    const selector = this.#tokens[this.#at++];
    if (selector?.kind !== "selector")
      throw invalid(`has ${selector ? `"${selector.text}"` : "nothing"} where a selector such as $.level should be`);
    const operator = this.#tokens[this.#at++];
    if (operator?.kind === "word") return this.#keyword(selector.path, operator.text);
    if (operator?.kind !== "symbol" || !COMPARISONS.has(operator.text)) throw invalid(`has no comparison behind ${selector.text}`);
    const value = this.#tokens[this.#at++];
    if (value?.kind !== "string" && value?.kind !== "word") throw invalid(`has no value behind ${selector.text} ${operator.text}`);
    return comparison(selector.path, operator.text as Comparison, value);
  }

  #keyword(path: readonly (string | number)[], word: string): Condition {
    const second = this.#tokens[this.#at++]?.text.toUpperCase();
    switch (`${word.toUpperCase()} ${second ?? ""}`) {
      case "IS TRUE":
        return (event) => select(event, path) === true;
      case "IS FALSE":
        return (event) => select(event, path) === false;
      case "IS NULL":
        return (event) => select(event, path) === null;
      case "NOT EXISTS":
        return (event) => select(event, path) === undefined;
      default:
        throw invalid(`has "${word}" where =, !=, <, <=, >, >=, IS or NOT EXISTS should be`);
    }
  }

  #take(symbol: string): boolean {
    const token = this.#tokens[this.#at];
    if (token?.kind !== "symbol" || token.text !== symbol) return false;
    this.#at++;
    return true;
  }
}

function comparison(
  path: readonly (string | number)[],
  operator: Comparison,
  value: Extract<Token, { kind: "string" | "word" }>,
): Condition {
  if (value.kind === "word" && NUMBER.test(value.text)) {
    const number = Number(value.text);
    return (event) => compareNumber(select(event, path), operator, number);
  }
  if (operator !== "=" && operator !== "!=") throw invalid(`compares with ${operator} to "${value.text}", which is no number`);
  const matches = wildcard(value.text);
  return (event) => {
    const found = select(event, path);
    if (typeof found !== "string" && typeof found !== "number" && typeof found !== "boolean") return false;
    return matches(String(found)) === (operator === "=");
  };
}

function compareNumber(found: unknown, operator: Comparison, number: number): boolean {
  if (typeof found !== "number") return false;
  switch (operator) {
    case "=":
      return found === number;
    case "!=":
      return found !== number;
    case "<":
      return found < number;
    case "<=":
      return found <= number;
    case ">":
      return found > number;
    case ">=":
      return found >= number;
  }
}

/** Text with `*` for any text, matched piece by piece from the left: linear, whatever the pattern. */
function wildcard(text: string): (value: string) => boolean {
  const pieces = text.split("*");
  if (pieces.length === 1) return (value) => value === text;
  const first = pieces[0] ?? "";
  const last = pieces.at(-1) ?? "";
  return (value) => {
    if (value.length < first.length + last.length || !value.startsWith(first) || !value.endsWith(last)) return false;
    let at = first.length;
    for (const piece of pieces.slice(1, -1)) {
      const found = value.indexOf(piece, at);
      if (found < 0) return false;
      at = found + piece.length;
    }
    return at <= value.length - last.length;
  };
}

function select(event: unknown, path: readonly (string | number)[]): unknown {
  let value = event;
  for (const step of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}

function invalid(what: string): LambentError {
  return new LambentError("InvalidParameter", `The JSON filter pattern ${what}.`);
}
