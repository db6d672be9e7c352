/**
 * Wildcard patterns: `*` any run of characters, `?` any one. Matched in linear memory without backtracking over more than the last `*`,
 * because both sides come from outside.
 */

/** Character codes; the wildcards are negative, so that text put in for a policy variable stays literal. */
type Pattern = readonly number[];

const STAR = -1;
const QUESTION = -2;

/** Looks up a policy variable such as `aws:PrincipalTag/team` (lower case), undefined when the request has none. */
export type VariableLookup = (name: string) => string | undefined;

/** The pattern of `text`, or undefined when it holds a variable that has no value: then nothing matches it. */
export function compilePattern(text: string, variables: VariableLookup | undefined): Pattern | undefined {
  const pattern: number[] = [];
  for (let index = 0; index < text.length; index += 1) {
    const end = variables !== undefined && text.startsWith("${", index) ? text.indexOf("}", index) : -1;
    if (end > 0 && variables !== undefined) {
      const value = variableValue(text.slice(index + 2, end), variables);
      if (value === undefined) return undefined;
      pushLiteral(pattern, value);
      index = end;
      continue;
    }
    const character = text.charAt(index);
    pattern.push(character === "*" ? STAR : character === "?" ? QUESTION : text.charCodeAt(index));
  }
  return pattern;
}

/** `${*}`, `${?}` and `${$}` are those characters themselves; `${key, 'default'}` has a default. */
function variableValue(expression: string, variables: VariableLookup): string | undefined {
  if (expression === "*" || expression === "?" || expression === "$") return expression;
  const parts = /^([^,]+?)(?:,\s*'([^']*)')?\s*$/.exec(expression);
  const name = parts?.[1];
  return name === undefined ? undefined : (variables(name.trim().toLowerCase()) ?? parts?.[2]);
}

function pushLiteral(pattern: number[], text: string): void {
  for (let index = 0; index < text.length; index += 1) pattern.push(text.charCodeAt(index));
}

/** True when the whole of `text` matches. Worst case pattern × text steps. */
export function matchesPattern(pattern: Pattern, text: string): boolean {
  let at = 0;
  let position = 0;
  let starAt = -1;
  let starPosition = 0;
  while (position < text.length) {
    const wanted = pattern[at];
    if (wanted === STAR) {
      starAt = at;
      starPosition = position;
      at += 1;
    } else if (wanted === QUESTION || wanted === text.charCodeAt(position)) {
      at += 1;
      position += 1;
    } else if (starAt >= 0) {
      at = starAt + 1;
      starPosition += 1;
      position = starPosition;
    } else {
      return false;
    }
  }
  while (pattern[at] === STAR) at += 1;
  return at === pattern.length;
}

/** `text` with its variables put in and wildcards left as plain characters, or undefined when one has no value. */
export function substitute(text: string, variables: VariableLookup | undefined): string | undefined {
  if (variables === undefined || !text.includes("${")) return text;
  let result = "";
  for (let index = 0; index < text.length; index += 1) {
    const end = text.startsWith("${", index) ? text.indexOf("}", index) : -1;
    if (end < 0) {
      result += text.charAt(index);
      continue;
    }
    const value = variableValue(text.slice(index + 2, end), variables);
    if (value === undefined) return undefined;
    result += value;
    index = end;
  }
  return result;
}
