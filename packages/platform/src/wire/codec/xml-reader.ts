/** Typed values from a tree of XML elements, by the schema. Elements the schema does not have are left out. */
import type { LambentError } from "../../base/index.ts";
import type { ListShape, MapShape, Member } from "../schema.ts";
import { parseText } from "./text.ts";
import { malformedXml, type XmlElement } from "./xml-document.ts";

interface ByPlace {
  readonly elements: ReadonlyMap<string, Member>;
  readonly attributes: ReadonlyMap<string, Member>;
}

const places = new WeakMap<readonly Member[], ByPlace>();

/** The members by the names that their elements and attributes have, without prefixes. */
function byPlace(members: readonly Member[]): ByPlace {
  const known = places.get(members);
  if (known) return known;
  const named = (isAttribute: boolean): ReadonlyMap<string, Member> =>
    new Map(
      members
        .filter(({ xmlAttribute }) => xmlAttribute === isAttribute)
        .map((member) => [(member.xmlName ?? member.name).split(":").at(-1) ?? "", member]),
    );
  const made = { elements: named(false), attributes: named(true) };
  places.set(members, made);
  return made;
}

/** The values of `members` that `element` holds; `path` is what errors call it. */
export function readXmlMembers(members: readonly Member[], element: XmlElement, path: string): Record<string, unknown> {
  requireNoText(element, path);
  const values: Record<string, unknown> = { __proto__: null };
  const { elements, attributes } = byPlace(members);
  for (const [name, member] of attributes) {
    const text = element.attributes.get(name);
    if (text !== undefined) values[member.name] = parseText(member, text, `${path}.${name}`);
  }
  for (const child of element.children) {
    const member = elements.get(child.name);
    if (!member) continue;
    const shape = member.shape;
    if (member.xmlFlattened && shape.kind === "list") {
      const list = (values[member.name] ??= []) as unknown[];
      list.push(readValue(shape.value, child, `${path}.${child.name}.${list.length + 1}`));
    } else if (member.xmlFlattened && shape.kind === "map") {
      readEntry(shape, child, (values[member.name] ??= { __proto__: null }) as Record<string, unknown>, `${path}.${child.name}`);
    } else {
      if (values[member.name] !== undefined) throw malformedXml(`${path} has the element ${child.name} more than once.`);
      values[member.name] = readValue(member, child, `${path}.${child.name}`);
    }
  }
  return values;
}

function readValue(member: Member, element: XmlElement, path: string): unknown {
  const shape = member.shape;
  switch (shape.kind) {
    case "structure":
      return readXmlMembers(shape.members, element, path);
    case "list":
      return readList(shape, element, path);
    case "map":
      return readMap(shape, element, path);
    default:
      if (element.children.length > 0) throw wrong(path, `a ${shape.kind}`, "elements");
      return parseText(member, shape.kind === "string" ? element.text : element.text.trim(), path);
  }
}

function readList(shape: ListShape, element: XmlElement, path: string): unknown[] {
  requireNoText(element, path);
  const step = shape.value.xmlName ?? "member";
  return element.children
    .filter(({ name }) => name === step)
    .map((child, index) => readValue(shape.value, child, `${path}.${step}.${index + 1}`));
}

function readMap(shape: MapShape, element: XmlElement, path: string): Record<string, unknown> {
  requireNoText(element, path);
  const map: Record<string, unknown> = { __proto__: null };
  for (const child of element.children) if (child.name === "entry") readEntry(shape, child, map, `${path}.entry`);
  return map;
}

function readEntry(shape: MapShape, element: XmlElement, into: Record<string, unknown>, path: string): void {
  const key = element.children.find(({ name }) => name === (shape.key.xmlName ?? "key"));
  const value = element.children.find(({ name }) => name === (shape.value.xmlName ?? "value"));
  if (!key || !value) throw wrong(path, "a pair of key and value", "incomplete");
  into[key.text] = readValue(shape.value, value, path);
}

function requireNoText(element: XmlElement, path: string): void {
  if (element.text.trim() !== "") throw wrong(path, "elements", "text");
}

const wrong = (path: string, expected: string, got: string): LambentError => malformedXml(`${path} must be ${expected}; it is ${got}.`);
