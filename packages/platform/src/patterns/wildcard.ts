import { refused } from "./refused.ts";

/** Reads a text in which `*` stands for any characters, `\*` for a star and `\\` for a backslash. */
export function readWildcard(pattern: string): (text: string) => boolean {
  const pieces = piecesOf(pattern);
  const [first = "", ...others] = pieces;
  const last = others.pop();
  if (last === undefined) return (text) => text === first;
  return (text) => {
    if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
    // The leftmost place of each piece leaves most room for those behind it, so none has to be tried again.
    let at = first.length;
    const end = text.length - last.length;
    for (const piece of others) {
      const found = text.indexOf(piece, at);
      if (found < 0 || found + piece.length > end) return false;
      at = found + piece.length;
    }
    return true;
  };
}

/** The literal texts between the stars: one more than there are stars. */
function piecesOf(pattern: string): string[] {
  const pieces = [""];
  let afterStar = false;
  for (let at = 0; at < pattern.length; at += 1) {
    const star = pattern[at] === "*";
    if (star && afterStar) throw refused(`Consecutive wildcard characters at pos ${at - 1}`);
    afterStar = star;
    if (star) {
      pieces.push("");
      continue;
    }
    if (pattern[at] === "\\") {
      at += 1;
      if (pattern[at] !== "*" && pattern[at] !== "\\") throw refused(`Invalid escape character at pos ${at - 1}`);
    }
    pieces.push((pieces.pop() ?? "") + (pattern[at] ?? ""));
  }
  return pieces;
}
