/** XML as the answers of awsQuery and restXml have it: nested elements; lists and maps wrapped unless flattened. */
import type { ListShape, MapShape, Member, StructureShape } from "../schema.ts";
import { formatText } from "./text.ts";

type Values = Readonly<Record<string, unknown>>;

// White space other than a space would be normalised by the reader, so it is written as references.
const SPECIAL = /[&<>"\t\r\n\u0085\u2028]/g;
const REFERENCES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
// XML 1.0 has no way at all to write these.
const UNWRITABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

// Most texts have none of the above, nor halves of characters; some have marks only, as the tags of objects have.
const NOT_PLAIN = /[&<>"\u0000-\u001f\u0085\u2028\ud800-\udfff\ufffe\uffff]/;
const MORE_THAN_MARKS = /[\u0000-\u001f\u0085\u2028\ud800-\udfff\ufffe\uffff]/;

export function escapeXml(text: string): string {
  if (!NOT_PLAIN.test(text)) return text;
  if (!MORE_THAN_MARKS.test(text))
    return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
  return text
    .toWellFormed()
    .replaceAll(UNWRITABLE, "\ufffd")
    .replaceAll(SPECIAL, (character) => REFERENCES[character] ?? `&#x${character.charCodeAt(0).toString(16)};`);
}

/** The elements of a structure's members, without one around them. */
export function writeXmlMembers(members: readonly Member[], values: Values): string {
  let xml = "";
  for (const member of members) {
    if (member.xmlAttribute) continue;
    const value = values[member.name];
    if (value !== undefined && value !== null) xml += writeElement(member, member.xmlName ?? member.name, value);
  }
  return xml;
}

/** A structure as an element; `namespace` is the whole document's, for its root. */
export function writeXmlElement(tag: string, members: readonly Member[], values: Values, namespace?: string): string {
  const declared = namespace === undefined ? "" : ` xmlns="${escapeXml(namespace)}"`;
  return `<${tag}${declared}${writeAttributes(members, values)}>${writeXmlMembers(members, values)}</${tag}>`;
}

function writeAttributes(members: readonly Member[], values: Values): string {
  let xml = "";
  for (const member of members) {
    const value = member.xmlAttribute ? values[member.name] : undefined;
    if (value !== undefined && value !== null)
      xml += ` ${member.xmlName ?? member.name}="${escapeXml(formatText(member, value, "date-time"))}"`;
  }
  return xml;
}

function writeElement(member: Member, tag: string, value: unknown): string {
  const shape = member.shape;
  switch (shape.kind) {
    case "structure":
      return writeStructure(member, shape, tag, value as Values);
    case "list":
      return writeList(member, shape, tag, value as Iterable<unknown>);
    case "map":
      return writeMap(member, shape, tag, value as Values);
    default:
      return `<${tag}>${escapeXml(formatText(member, value, "date-time"))}</${tag}>`;
  }
}

function writeStructure(member: Member, shape: StructureShape, tag: string, values: Values): string {
  const namespace = member.xmlNamespace;
  const declared = namespace ? ` xmlns:${namespace.prefix}="${escapeXml(namespace.uri)}"` : "";
  return `<${tag}${declared}${writeAttributes(shape.members, values)}>${writeXmlMembers(shape.members, values)}</${tag}>`;
}

function writeList(member: Member, shape: ListShape, tag: string, values: Iterable<unknown>): string {
  const step = member.xmlFlattened ? tag : (shape.value.xmlName ?? "member");
  let xml = "";
  for (const value of values) if (value !== undefined && value !== null) xml += writeElement(shape.value, step, value);
  return member.xmlFlattened ? xml : `<${tag}>${xml}</${tag}>`;
}

function writeMap(member: Member, shape: MapShape, tag: string, values: Values): string {
  const step = member.xmlFlattened ? tag : "entry";
  const key = shape.key.xmlName ?? "key";
  let xml = "";
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined || value === null) continue;
    xml += `<${step}><${key}>${escapeXml(name)}</${key}>${writeElement(shape.value, shape.value.xmlName ?? "value", value)}</${step}>`;
  }
  return member.xmlFlattened ? xml : `<${tag}>${xml}</${tag}>`;
}
