import { LambentError } from "../../base/index.ts";
import { readQuoted } from "./terms.ts";

/** The pieces of a JSON filter pattern. */
export type Token =
  | { readonly kind: "symbol"; readonly text: "(" | ")" | "&&" | "||" | "=" | "!=" | "<" | "<=" | ">" | ">=" }
  | { readonly kind: "selector"; readonly path: readonly (string | number)[]; readonly text: string }
  | { readonly kind: "string"; readonly text: string }
  /** A number, a keyword, or text without quotes. */
  | { readonly kind: "word"; readonly text: string };

const SYMBOL = /^(?:&&|\|\||!=|<=|>=|[()=<>])/;
const WORD = /^[^\s()=<>!&|"]+/;
const SELECTOR_STEP = /^(?:\.([A-Za-z0-9_\-:@]+)|\[(\d{1,9})\]|(?:\.)?\[['"]([^'"\]]+)['"]\])/;

export function tokenise(pattern: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < pattern.length;) {
    const rest = pattern.slice(at);
    const symbol = SYMBOL.exec(rest)?.[0];
    if (/^\s/.test(rest)) {
      at++;
    } else if (symbol !== undefined) {
      tokens.push({ kind: "symbol", text: symbol as Extract<Token, { kind: "symbol" }>["text"] });
      at += symbol.length;
    } else if (rest.startsWith("$")) {
      const selector = readSelector(rest);
      tokens.push(selector);
      at += selector.text.length;
    } else if (rest.startsWith('"')) {
      const { term, end } = readQuoted(pattern, at);
      tokens.push({ kind: "string", text: term });
      at = end;
    } else {
      const word = WORD.exec(rest)?.[0];
      if (word === undefined)
        throw new LambentError("InvalidParameter", `The filter pattern has "${rest.charAt(0)}" where it has no meaning.`);
      tokens.push({ kind: "word", text: word });
      at += word.length;
    }
  }
  return tokens;
}

/** `$.a.b[0]["c d"]`, as the steps to take from the event's root. */
function readSelector(rest: string): Extract<Token, { kind: "selector" }> {
  const path: (string | number)[] = [];
  let length = 1;
  for (let step = SELECTOR_STEP.exec(rest.slice(length)); step; step = SELECTOR_STEP.exec(rest.slice(length))) {
    path.push(step[2] === undefined ? (step[1] ?? step[3] ?? "") : Number(step[2]));
    length += step[0].length;
  }
  if (path.length === 0) throw new LambentError("InvalidParameter", "A selector of a filter pattern is $. and a name, as in $.level.");
  return { kind: "selector", path, text: rest.slice(0, length) };
}
