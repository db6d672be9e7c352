/**
 * XML as a tree of elements, read strictly and in time linear in its bytes (P8). Of XML 1.0 it has what documents of
 * data use: elements, attributes, text, CDATA, comments, the five named references and numeric ones. A DOCTYPE, and so
 * every entity of a document's own, and processing instructions are refused. Namespace prefixes are dropped.
 */
import { isUtf8 } from "node:buffer";
import { LambentError } from "../../base/index.ts";
import { DEPTH_MAX, XML_ATTRIBUTES_MAX, XML_ELEMENTS_MAX } from "../bounds.ts";

export interface XmlElement {
  /** Without prefix. */
  readonly name: string;
  /** By name without prefix; declarations of namespaces are not among them. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** All character data directly inside, joined. */
  readonly text: string;
}

interface OpenElement extends XmlElement {
  readonly tag: string;
  readonly children: OpenElement[];
  text: string;
}

const NO_ATTRIBUTES: ReadonlyMap<string, string> = new Map();
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;
const DECLARATION =
  /^<\?xml\s+version\s*=\s*(["'])1\.[01]\1(?:\s+encoding\s*=\s*(["'])([A-Za-z][\w.-]*)\2)?(?:\s+standalone\s*=\s*(["'])(?:yes|no)\4)?\s*\?>/;
/** Characters in which the declaration has to end. */
const DECLARATION_CHARS_MAX = 256;
const ENCODINGS: ReadonlySet<string> = new Set(["utf-8", "utf8", "us-ascii"]);
const NAME = /[\p{L}_:][\p{L}\p{M}\p{N}_:.\-\u00b7]*/uy;
/** Nearly every name, without the cost of Unicode's classes. */
const ASCII_NAME = /[A-Za-z_:][A-Za-z0-9_:.-]*/y;
const SPACE = /\s*/y;
const QUOTED = /\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/y;
const REFERENCE = /&(?:#x([0-9A-Fa-f]{1,6})|#([0-9]{1,7})|(lt|gt|amp|quot|apos));/y;
const NAMED: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };
const BLANK = /^\s*$/;

/** What S3's API knows as malformed XML. */
export function malformedXml(message: string): LambentError {
  return new LambentError("MalformedRequest", message, { what: "xml" });
}

/** @throws LambentError MalformedRequest, which names what is wrong and repeats nothing of the document but names */
export function parseXml(body: Buffer): XmlElement {
  if (!isUtf8(body)) throw malformedXml("The XML document is not UTF-8.");
  const text = body.toString("utf8");
  if (FORBIDDEN.test(text)) throw malformedXml("The XML document has a control character.");
  return new Parser(text.includes("\r") ? text.replaceAll(/\r\n?/g, "\n") : text).document();
}

class Parser {
  readonly #text: string;
  readonly #open: OpenElement[] = [];
  #at = 0;
  #elements = 0;
  #root: OpenElement | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  document(): XmlElement {
    if (this.#text.startsWith("\ufeff")) this.#at = 1;
    this.#declaration();
    while (this.#at < this.#text.length) {
      const found = this.#text.indexOf("<", this.#at);
      const mark = found === -1 ? this.#text.length : found;
      if (mark > this.#at) this.#characters(this.#text.slice(this.#at, mark));
      this.#at = mark;
      if (mark < this.#text.length) this.#markup();
    }
    const unclosed = this.#open.at(-1);
    if (unclosed) throw malformedXml(`The XML document ends inside the element ${shown(unclosed.tag)}.`);
    if (!this.#root) throw malformedXml("The XML document has no element.");
    return this.#root;
  }

  #declaration(): void {
    if (!this.#text.startsWith("<?xml", this.#at)) return;
    const found = DECLARATION.exec(this.#text.slice(this.#at, this.#at + DECLARATION_CHARS_MAX));
    if (!found) throw malformedXml("The XML declaration is malformed.");
    const encoding = found[3] ?? "utf-8";
    if (!ENCODINGS.has(encoding.toLowerCase())) throw malformedXml(`The XML document is declared as ${shown(encoding)}; UTF-8 is read.`);
    this.#at += found[0].length;
  }

  #markup(): void {
    const text = this.#text;
    const next = text[this.#at + 1];
    if (next === "/") this.#endTag();
    else if (next === "?") throw malformedXml("The XML document has a processing instruction.");
    else if (next !== "!") this.#startTag();
    else if (text.startsWith("<!--", this.#at)) this.#comment();
    else if (text.startsWith("<![CDATA[", this.#at)) this.#characterData();
    else throw malformedXml("The XML document has a DOCTYPE or another declaration.");
  }

  #characters(raw: string): void {
    const parent = this.#open.at(-1);
    if (parent) {
      if (raw.includes("]]>")) throw malformedXml("The XML document has ]]> outside CDATA.");
      parent.text += resolve(raw);
    } else if (!BLANK.test(raw)) throw malformedXml("The XML document has text outside its root element.");
  }

  #comment(): void {
    const end = this.#text.indexOf("--", this.#at + 4);
    if (end === -1 || this.#text[end + 2] !== ">") throw malformedXml("A comment of the XML document does not end as one.");
    this.#at = end + 3;
  }

  #characterData(): void {
    const parent = this.#open.at(-1);
    const end = this.#text.indexOf("]]>", this.#at);
    if (!parent || end === -1) throw malformedXml("A CDATA section of the XML document has no end, or stands outside its root.");
    parent.text += this.#text.slice(this.#at + "<![CDATA[".length, end);
    this.#at = end + 3;
  }

  #startTag(): void {
    this.#at += 1;
    const tag = this.#name("an element");
    const parent = this.#open.at(-1);
    if (!parent && this.#root) throw malformedXml("The XML document has more than one root element.");
    this.#elements += 1;
    if (this.#elements > XML_ELEMENTS_MAX) throw malformedXml(`The XML document has more than ${XML_ELEMENTS_MAX} elements.`);
    if (this.#open.length >= DEPTH_MAX) throw malformedXml(`The XML document is nested deeper than ${DEPTH_MAX} levels.`);
    const element: OpenElement = { tag, name: localName(tag), attributes: this.#attributes(tag), children: [], text: "" };
    if (parent) parent.children.push(element);
    else this.#root = element;
    const closed = this.#text[this.#at] === "/";
    if (closed) this.#at += 1;
    else this.#open.push(element);
    this.#tagEnd(tag);
  }

  #endTag(): void {
    this.#at += 2;
    const open = this.#open.pop();
    if (open && this.#text.startsWith(open.tag, this.#at) && this.#text[this.#at + open.tag.length] === ">") {
      this.#at += open.tag.length + 1;
      return;
    }
    const tag = this.#name("the end of an element");
    if (open?.tag !== tag) throw malformedXml(`The XML document has an end of ${shown(tag)} where it is not open.`);
    this.#skipSpace();
    this.#tagEnd(tag);
  }

  /** All up to the end of the tag; none may stand twice. */
  #attributes(tag: string): ReadonlyMap<string, string> {
    let attributes: Map<string, string> | undefined;
    if (this.#text[this.#at] === ">") return NO_ATTRIBUTES;
    let seen: Set<string> | undefined;
    for (let count = 0; ; count += 1) {
      const before = this.#at;
      this.#skipSpace();
      const character = this.#text[this.#at];
      if (character === ">" || character === "/") return attributes ?? NO_ATTRIBUTES;
      const name = this.#at === before ? "" : this.#name("an attribute");
      const value = this.#sticky(QUOTED);
      if (name === "" || !value || seen?.has(name) || count >= XML_ATTRIBUTES_MAX)
        throw malformedXml(`The tag of the element ${shown(tag)} is malformed.`);
      (seen ??= new Set()).add(name);
      if (name === "xmlns" || name.startsWith("xmlns:")) continue;
      attributes ??= new Map();
      attributes.set(localName(name), resolve(value[1] ?? value[2] ?? "").replaceAll(/[\t\n]/g, " "));
    }
  }

  #tagEnd(tag: string): void {
    if (this.#text[this.#at] !== ">") throw malformedXml(`The tag of the element ${shown(tag)} is malformed.`);
    this.#at += 1;
  }

  #name(what: string): string {
    const start = this.#at;
    const plain = this.#sticky(ASCII_NAME)?.[0];
    // NaN, at the end of the text, is not beyond ASCII either.
    if (plain !== undefined && !(this.#text.charCodeAt(this.#at) > 0x7f)) return plain;
    this.#at = start;
    const found = this.#sticky(NAME);
    if (!found) throw malformedXml(`The XML document has ${what} without a name.`);
    return found[0];
  }

  #skipSpace(): void {
    this.#sticky(SPACE);
  }

  #sticky(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found) this.#at = pattern.lastIndex;
    return found ?? undefined;
  }
}

const localName = (name: string): string => name.slice(name.lastIndexOf(":") + 1);
/** A name as messages repeat it. */
const shown = (name: string): string => (name.length <= 64 ? name : `${name.slice(0, 64)}…`);

/** One by one, so that the first wrong one is the last that costs anything. */
function resolve(raw: string): string {
  let resolved = "";
  let from = 0;
  for (let mark = raw.indexOf("&"); mark !== -1; mark = raw.indexOf("&", from)) {
    REFERENCE.lastIndex = mark;
    resolved += raw.slice(from, mark) + characterOf(REFERENCE.exec(raw));
    from = REFERENCE.lastIndex;
  }
  return from === 0 ? raw : resolved + raw.slice(from);
}

function characterOf(reference: RegExpExecArray | null): string {
  const [, hex, decimal, name] = reference ?? [];
  if (name !== undefined) return NAMED[name] ?? "";
  const point = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
  if (!isCharacter(point)) throw malformedXml("The XML document has a reference that is none of XML's own.");
  return String.fromCodePoint(point);
}

function isCharacter(point: number): boolean {
  // NaN, which is none of these, is what there is where there is no reference.
  if (point < 0x20) return point === 0x9 || point === 0xa || point === 0xd;
  return point <= 0xd7ff || (point >= 0xe000 && point <= 0xfffd) || (point >= 0x1_0000 && point <= 0x10_ffff);
}
