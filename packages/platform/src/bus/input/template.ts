/**
 * Input templates: JSON with `<variables>` in it. Where one stands decides how its value is written:
 *
 *     {"a": <x>}        as JSON: a string gets quotes, an object stays one; nothing found is ""
 *     {"a": "it is <x>"}   as text within the string: without its quotes, escaped as it was in the event; nothing found is no text
 *
 * An object within a string loses the quotes of its own, so that the string stays one, as EventBridge says it does.
 */
import { bareJson, compactJson, JsonText, LambentError } from "../../base/index.ts";

type Piece =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "variable"; readonly name: string; readonly quoted: boolean };

export type InputTemplate = readonly Piece[];

/** Characters of a template. @limit */
export const INPUT_TEMPLATE_CHARS_MAX = 8_192;

/** Variables that are there without a path of their own. */
export const PREDEFINED = {
  ruleArn: "aws.events.rule-arn",
  ruleName: "aws.events.rule-name",
  ingestionTime: "aws.events.event.ingestion-time",
  event: "aws.events.event",
  eventJson: "aws.events.event.json",
} as const;
const PREDEFINED_NAMES: ReadonlySet<string> = new Set(Object.values(PREDEFINED));

const VARIABLE = /<([A-Za-z0-9_.-]+)>/y;

/**
 * Reads a template whose variables are `names` and the predefined ones.
 *
 * Throws `InvalidParameter` in EventBridge's words for a variable that is not known, for `<aws.events.event.json>` outside
 * of an object, and for a template that would not give JSON.
 */
export function parseInputTemplate(given: string, names: ReadonlySet<string>, targetId: string): InputTemplate {
  const text = given.trim();
  if (text.length > INPUT_TEMPLATE_CHARS_MAX)
    throw invalidTemplate(targetId, `it has ${text.length} characters; at most ${INPUT_TEMPLATE_CHARS_MAX} are allowed.`);
  const pieces = cut(text);
  for (const piece of pieces) {
    if (piece.kind === "literal") continue;
    if (!names.has(piece.name) && !PREDEFINED_NAMES.has(piece.name))
      throw new LambentError("InvalidParameter", `InputTemplate for target ${targetId} contains invalid placeholder ${piece.name}.`);
    if (piece.name === PREDEFINED.eventJson && !text.startsWith("{"))
      throw new LambentError(
        "InvalidParameter",
        `InputTemplate for target ${targetId} contains placeholder ${piece.name} valid only for JSON template.`,
      );
  }
  requireJson(pieces, targetId);
  return text.startsWith('"') ? pieces : pieces.map(compacted);
}

function cut(text: string): Piece[] {
  const pieces: Piece[] = [];
  let [start, quoted] = [0, false];
  const closeLiteral = (end: number): void => {
    if (end > start) pieces.push({ kind: "literal", text: text.slice(start, end) });
  };
  for (let at = 0; at < text.length;) {
    const character = text[at];
    VARIABLE.lastIndex = at;
    const variable = character === "<" ? VARIABLE.exec(text) : null;
    if (variable) {
      closeLiteral(at);
      pieces.push({ kind: "variable", name: variable[1] ?? "", quoted });
      at = VARIABLE.lastIndex;
      start = at;
      continue;
    }
    if (character === '"') quoted = !quoted;
    at += quoted && character === "\\" ? 2 : 1;
  }
  closeLiteral(text.length);
  return pieces;
}

/** Variables stand for values only, and what remains is JSON: one value, or several strings below each other. */
function requireJson(pieces: InputTemplate, targetId: string): void {
  const sample = pieces.map((piece) => (piece.kind === "literal" ? piece.text : piece.quoted ? SAMPLE : "null")).join("");
  if (SAMPLE_IN_KEY.test(sample)) throw invalidTemplate(targetId, "a placeholder stands in an object's key.");
  if (JsonText.parse(sample)) return;
  const lines = sample.split("\n").filter((line) => line.trim() !== "");
  if (lines.length > 0 && lines.every((line) => JsonText.parse(line)?.kind === "string")) return;
  throw invalidTemplate(targetId, "it is not JSON. A text has to stand in quotes.");
}

/** Stands for a variable within a string; of the private characters, so that no template has it by chance. */
const SAMPLE = "\uE000";
const SAMPLE_IN_KEY = /\uE000(?:[^"\\\uE000]|\\.)*"\s*:/;

const invalidTemplate = (targetId: string, reason: string): LambentError =>
  new LambentError("InvalidParameter", `Invalid InputTemplate for target ${targetId} : ${reason}`);

/** Literals begin and end at variables, maybe within a string, so their quotes are counted over all pieces before. */
function compacted(piece: Piece, index: number, pieces: InputTemplate): Piece {
  if (piece.kind === "variable") return piece;
  const before = pieces[index - 1];
  const inString = before?.kind === "variable" && before.quoted;
  return { kind: "literal", text: inString ? compactJson(`"${piece.text}`).slice(1) : compactJson(piece.text) };
}

/** Writes a template with the JSON text of each variable's value; undefined once it is longer than `charsMax`. */
export function writeInput(template: InputTemplate, valueOf: (name: string) => string | undefined, charsMax: number): string | undefined {
  let written = "";
  for (const piece of template) {
    written += piece.kind === "literal" ? piece.text : valueText(valueOf(piece.name), piece.quoted);
    if (written.length > charsMax) return undefined;
  }
  return written;
}

function valueText(value: string | undefined, quoted: boolean): string {
  if (value === undefined) return quoted ? "" : '""';
  return quoted ? bareJson(value) : value;
}
