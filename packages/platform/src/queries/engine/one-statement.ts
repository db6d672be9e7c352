/** What begins a statement that only reads. */
const READS = /^(?:select|with|values)\b/iu;
/** What stands between the words of SQL, from where it begins. */
const BLANK = /(?:\s|--[^\n]*(?:\n|$)|\/\*[\s\S]*?(?:\*\/|$))*/uy;
/** Text in which a semicolon ends nothing: strings, names in quotes, and comments. Whatever is not closed goes on to the end. */
const SHELTERED =
  /'(?:[^']|'')*(?:'|$)|"(?:[^"]|"")*(?:"|$)|`(?:[^`]|``)*(?:`|$)|\[[^\]]*(?:\]|$)|--[^\n]*(?:\n|$)|\/\*[\s\S]*?(?:\*\/|$)/uy;

export type Checked = { readonly kind: "statement"; readonly sql: string } | { readonly kind: "refused"; readonly message: string };

/**
 * Holds a text against what a query may be: one statement that reads. SQLite compiles the first statement of a text and takes no notice of
 * what is behind it; that must not pass silently. What a statement may touch is decided while it is compiled, not here.
 */
export function oneStatement(text: string): Checked {
  const begin = behindBlank(text, 0);
  if (begin === text.length) return { kind: "refused", message: "The query is empty; it has to be a select statement." };
  // For SQLite the text ends there.
  if (text.includes("\0")) return { kind: "refused", message: "The query has a character NUL in it, which SQL has not." };
  if (!READS.test(text.slice(begin)))
    return {
      kind: "refused",
      message: `The query begins with ${JSON.stringify(firstWord(text, begin))}; it has to begin with select, with or values: it only reads.`,
    };
  const end = firstSemicolon(text, begin);
  if (behindBlank(text, end + 1) < text.length)
    return { kind: "refused", message: "There is more behind the query's semicolon; it has to be one statement." };
  return { kind: "statement", sql: text.slice(0, end) };
}

/** The place of the first semicolon that ends a statement, or the text's end. */
function firstSemicolon(text: string, from: number): number {
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === ";") return at;
    SHELTERED.lastIndex = at;
    if (SHELTERED.test(text)) at = SHELTERED.lastIndex - 1;
  }
  return text.length;
}

function behindBlank(text: string, from: number): number {
  BLANK.lastIndex = Math.min(from, text.length);
  BLANK.test(text);
  return BLANK.lastIndex;
}

function firstWord(text: string, from: number): string {
  return /^\S{1,20}/u.exec(text.slice(from))?.[0] ?? "";
}
