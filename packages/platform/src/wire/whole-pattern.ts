/** Patterns of the models as regular expressions that decide in time linear in the text, because the text is a stranger's (P8). */

const SPACED_PRINTABLE = "^[ \\t]*[\\x20-\\x7E]+([ \\t]+[\\x20-\\x7E]+)*[ \\t]*$";
const SPACED_HEADER = "^[ \\t]*[^\\x00-\\x1F:\\x7F]+([ \\t]+[^\\x00-\\x1F:\\x7F]+)*[ \\t]*$";

/**
 * Patterns as the models have them, to patterns of the same language that do not backtrack. In those of EventBridge's
 * connections a space is both a separator and a character of the words, so thirty spaces before a character that does
 * not match take seconds, and every further one doubles it.
 */
export const LINEAR_FORMS: ReadonlyMap<string, string> = new Map([
  [SPACED_PRINTABLE, "\\t*[\\x20-\\x7E][\\t\\x20-\\x7E]*"],
  [SPACED_HEADER, "\\t*[^\\x00-\\x1F:\\x7F][^\\x00-\\x08\\x0A-\\x1F:\\x7F]*"],
]);

/** Patterns are searches in the models; AWS applies them to the whole value. `\p{…}` needs the Unicode flag, which others do not survive. */
export function wholePattern(source: string): RegExp {
  return new RegExp(`^(?:${LINEAR_FORMS.get(source) ?? source})$`, source.includes("\\p{") ? "u" : "");
}
