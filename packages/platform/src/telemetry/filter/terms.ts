import { LambentError } from "../../base/index.ts";

/** Decides whether one message is wanted. */
export type Matcher = (message: string) => boolean;

interface Terms {
  readonly required: string[];
  readonly optional: string[];
  readonly excluded: string[];
}

/**
 * Patterns over plain text: all of `a b` and `"quoted text"`, any of `?a ?b`, none of `-a`. Terms are found anywhere
 * in the message, upper and lower case told apart. As in CloudWatch Logs, `?` terms beside others decide nothing.
 */
export function compileTerms(pattern: string): Matcher {
  const { required, optional, excluded } = readTerms(pattern);
  const anyOf = required.length === 0 && excluded.length === 0 ? optional : [];
  return (message) =>
    required.every((term) => message.includes(term)) &&
    !excluded.some((term) => message.includes(term)) &&
    (anyOf.length === 0 || anyOf.some((term) => message.includes(term)));
}

function readTerms(pattern: string): Terms {
  const terms: Terms = { required: [], optional: [], excluded: [] };
  for (let at = 0; at < pattern.length;) {
    if (/\s/.test(pattern.charAt(at))) {
      at++;
      continue;
    }
    const sign = pattern.charAt(at);
    const start = sign === "?" || sign === "-" ? at + 1 : at;
    const { term, end } = readTerm(pattern, start);
    (sign === "?" ? terms.optional : sign === "-" ? terms.excluded : terms.required).push(term);
    at = end;
  }
  return terms;
}

function readTerm(pattern: string, start: number): { readonly term: string; readonly end: number } {
  if (pattern.charAt(start) === '"') return readQuoted(pattern, start);
  let end = start;
  while (end < pattern.length && !/\s/.test(pattern.charAt(end))) end++;
  const term = pattern.slice(start, end);
  if (term === "")
    throw new LambentError("InvalidParameter", `The filter pattern has "${pattern.charAt(start - 1)}" without a term behind it.`);
  if (term.startsWith("%"))
    throw new LambentError("InvalidParameter", `The filter pattern has the regular expression ${term}; use terms or a JSON pattern.`);
  return { term, end };
}

/** Reads a quoted string from its opening quote on; `\"` and `\\` stand for the character behind the backslash. */
export function readQuoted(pattern: string, start: number): { readonly term: string; readonly end: number } {
  let term = "";
  for (let at = start + 1; at < pattern.length; at++) {
    const character = pattern.charAt(at);
    if (character === '"') return { term, end: at + 1 };
    const escaped = character === "\\" && /["\\]/.test(pattern.charAt(at + 1));
    term += escaped ? pattern.charAt(++at) : character;
  }
  throw new LambentError("InvalidParameter", `The filter pattern has a quote at character ${start + 1} that is not closed.`);
}
