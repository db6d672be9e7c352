import { refused } from "./refused.ts";

/** Whether a text has the literals in their order: the first at its beginning, the last at its end. */
export function hasLiterals(text: string, literals: readonly string[]): boolean {
  const first = literals[0] ?? "";
  if (literals.length === 1) return text === first;
  const last = literals.at(-1) ?? "";
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  // The leftmost place of each literal leaves most room for those behind it, so none has to be tried again.
  let at = first.length;
  const end = text.length - last.length;
  for (let which = 1; which < literals.length - 1; which += 1) {
    const literal = literals[which] ?? "";
    const found = text.indexOf(literal, at);
    if (found < 0 || found + literal.length > end) return false;
    at = found + literal.length;
  }
  return true;
}

/**
 * Reads a text in which `*` stands for any characters, `\*` for a star and `\\` for a backslash: the literal texts between the
 * stars, one more than there are stars.
 */
export function readLiterals(pattern: string): string[] {
  const literals = [""];
  let afterStar = false;
  for (let at = 0; at < pattern.length; at += 1) {
    const star = pattern[at] === "*";
    if (star && afterStar) throw refused(`Consecutive wildcard characters at pos ${at - 1}`);
    afterStar = star;
    if (star) {
      literals.push("");
      continue;
    }
    if (pattern[at] === "\\") {
      at += 1;
      if (pattern[at] !== "*" && pattern[at] !== "\\") throw refused(`Invalid escape character at pos ${at - 1}`);
    }
    literals.push((literals.pop() ?? "") + (pattern[at] ?? ""));
  }
  return literals;
}
