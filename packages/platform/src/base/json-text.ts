/**
 * JSON text as it was written, and where its values stand in it: a part of an event can be handed on without its numbers,
 * the order of its members or its escapes being changed, as reading and writing it anew would.
 */

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

const isSpace = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;

/** A value within JSON text that `JSON.parse` takes; what is inside is looked up when it is first asked for, and kept. */
export class JsonText {
  readonly #text: string;
  readonly #start: number;
  readonly #end: number;
  #members: ReadonlyMap<string, JsonText> | undefined;
  #elements: readonly JsonText[] | undefined;

  private constructor(text: string, start: number, end: number) {
    this.#text = text;
    this.#start = start;
    this.#end = end;
  }

  /** `text` has to be well formed; undefined when it is not. */
  static parse(text: string): JsonText | undefined {
    try {
      JSON.parse(text);
    } catch {
      return undefined;
    }
    return JsonText.#at(text, skipSpace(text, 0));
  }

  static #at(text: string, start: number): JsonText {
    return new JsonText(text, start, valueEnd(text, start));
  }

  /** The value as it was written, without the space around it. */
  get text(): string {
    return this.#text.slice(this.#start, this.#end);
  }

  get kind(): "object" | "array" | "string" | "plain" {
    const first = this.#text.charCodeAt(this.#start);
    return first === OPEN_OBJECT ? "object" : first === OPEN_ARRAY ? "array" : first === QUOTE ? "string" : "plain";
  }

  /** The value itself, made anew at each call. */
  value(): unknown {
    return JSON.parse(this.text);
  }

  /** Members of an object by name, the last where a name stands twice; none for other values. */
  get members(): ReadonlyMap<string, JsonText> {
    return (this.#members ??= this.#readMembers());
  }

  /** Elements of an array; none for other values. */
  get elements(): readonly JsonText[] {
    return (this.#elements ??= this.#readElements());
  }

  #readMembers(): ReadonlyMap<string, JsonText> {
    const members = new Map<string, JsonText>();
    if (this.kind !== "object") return members;
    let at = skipSpace(this.#text, this.#start + 1);
    while (at < this.#end - 1) {
      const nameEnd = stringEnd(this.#text, at);
      const name = JSON.parse(this.#text.slice(at, nameEnd)) as string;
      const value = JsonText.#at(this.#text, skipPast(this.#text, nameEnd, COLON));
      members.set(name, value);
      at = skipPast(this.#text, value.#end, COMMA);
    }
    return members;
  }

  #readElements(): readonly JsonText[] {
    const elements: JsonText[] = [];
    if (this.kind !== "array") return elements;
    let at = skipSpace(this.#text, this.#start + 1);
    while (at < this.#end - 1) {
      const element = JsonText.#at(this.#text, at);
      elements.push(element);
      at = skipPast(this.#text, element.#end, COMMA);
    }
    return elements;
  }
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (isSpace(text.charCodeAt(at))) at += 1;
  return at;
}

/** Behind the mark, if it stands there, and the space around it. */
function skipPast(text: string, from: number, mark: number): number {
  const at = skipSpace(text, from);
  return text.charCodeAt(at) === mark ? skipSpace(text, at + 1) : at;
}

/** Behind the quote that ends the string beginning at `start`. */
function stringEnd(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let escapes = 0;
    while (text.charCodeAt(at - 1 - escapes) === BACKSLASH) escapes += 1;
    if (escapes % 2 === 0) return at + 1;
  }
  return text.length;
}

function valueEnd(text: string, start: number): number {
  const first = text.charCodeAt(start);
  if (first === QUOTE) return stringEnd(text, start);
  if (first === OPEN_OBJECT || first === OPEN_ARRAY) return containerEnd(text, start);
  let at = start;
  while (at < text.length && !endsPlain(text.charCodeAt(at))) at += 1;
  return at;
}

const endsPlain = (code: number): boolean => code === COMMA || code === CLOSE_ARRAY || code === CLOSE_OBJECT || isSpace(code);

/** Counts instead of descending: text from outside may be nested deeper than the stack (P8). */
function containerEnd(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length;) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = stringEnd(text, at);
      continue;
    }
    at += 1;
    if (code === OPEN_OBJECT || code === OPEN_ARRAY) depth += 1;
    else if (code === CLOSE_OBJECT || code === CLOSE_ARRAY) {
      depth -= 1;
      if (depth === 0) return at;
    }
  }
  return text.length;
}

/** How deep objects and arrays are nested in well-formed JSON text. */
export function jsonDepth(text: string): number {
  let [depth, deepest] = [0, 0];
  for (let at = 0; at < text.length;) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = stringEnd(text, at);
      continue;
    }
    if (code === OPEN_OBJECT || code === OPEN_ARRAY) deepest = Math.max(deepest, (depth += 1));
    else if (code === CLOSE_OBJECT || code === CLOSE_ARRAY) depth -= 1;
    at += 1;
  }
  return deepest;
}

/** JSON text without the space between its tokens; strings and numbers stay as they were written. */
export function compactJson(text: string): string {
  return rewritten(text, (string) => string);
}

/** The same without the quotes around its strings: what may stand inside a string itself. */
export function bareJson(text: string): string {
  return rewritten(text, (string) => string.slice(1, -1));
}

function rewritten(text: string, write: (string: string) => string): string {
  let result = "";
  for (let at = 0; at < text.length;) {
    const start = at;
    if (text.charCodeAt(at) === QUOTE) {
      at = stringEnd(text, at);
      result += write(text.slice(start, at));
    } else {
      const quote = text.indexOf('"', at);
      at = quote === -1 ? text.length : quote;
      result += text.slice(start, at).replaceAll(/[ \t\r\n]+/g, "");
    }
  }
  return result;
}
