/**
 * awsQuery's way to write nested values as flat pairs: `Tags.member.1.Key=a`. Pairs become a tree by their dots, and
 * the tree is read by the schema.
 */
import { LambentError } from "../../base/index.ts";
import { requireDepth } from "../bounds.ts";
import type { Query } from "../route.ts";
import type { ListShape, MapShape, Member, StructureShape } from "../schema.ts";
import { malformed, parseText } from "./text.ts";

export interface FormNode {
  text: string | undefined;
  readonly children: Map<string, FormNode>;
}

const emptyNode = (): FormNode => ({ text: undefined, children: new Map() });
/** Characters of one name in a form. */
const KEY_CHARS_MAX = 1_024;
const INDEX = /^[1-9]\d{0,5}$/;

/** The tree of a form's pairs. */
export function formTree(form: Query): FormNode {
  const root = emptyNode();
  for (const [key, values] of form) {
    if (key.length > KEY_CHARS_MAX)
      throw new LambentError("MalformedRequest", `A parameter's name has ${key.length} characters; at most ${KEY_CHARS_MAX} are read.`);
    const steps = key.split(".");
    requireDepth(steps.length);
    let node = root;
    for (const step of steps) {
      let child = node.children.get(step);
      if (!child) node.children.set(step, (child = emptyNode()));
      node = child;
    }
    node.text = values.at(-1);
  }
  return root;
}

export function readForm(shape: StructureShape, node: FormNode, prefix = ""): Record<string, unknown> {
  const values: Record<string, unknown> = { __proto__: null };
  for (const member of shape.members) {
    const key = member.xmlName ?? member.name;
    const child = node.children.get(key);
    if (child) values[member.name] = readValue(member, child, `${prefix}${key}`);
  }
  return values;
}

function readValue(member: Member, node: FormNode, path: string): unknown {
  const shape = member.shape;
  switch (shape.kind) {
    case "structure":
      return readForm(shape, node, `${path}.`);
    case "list":
      return readList(member, shape, node, path);
    case "map":
      return readMap(member, shape, node, path);
    default:
      if (node.text === undefined) throw malformed(path, `a ${shape.kind}`, "an object");
      return parseText(member, node.text, path);
  }
}

/** Entries in the order of their numbers, which need not be without gaps. An empty text is an empty list. */
function readList(member: Member, shape: ListShape, node: FormNode, path: string): unknown[] {
  const step = shape.value.xmlName ?? "member";
  const parent = member.xmlFlattened ? node : node.children.get(step);
  const prefix = member.xmlFlattened ? path : `${path}.${step}`;
  if (!parent) return emptyUnlessForeign(node, path, []);
  return numbered(parent, prefix).map(([index, child]) => readValue(shape.value, child, `${prefix}.${index}`));
}

function readMap(member: Member, shape: MapShape, node: FormNode, path: string): Record<string, unknown> {
  const map: Record<string, unknown> = { __proto__: null };
  const parent = member.xmlFlattened ? node : node.children.get("entry");
  const prefix = member.xmlFlattened ? path : `${path}.entry`;
  if (!parent) return emptyUnlessForeign(node, path, map);
  for (const [index, child] of numbered(parent, prefix)) {
    const key = child.children.get(shape.key.xmlName ?? "key")?.text;
    const value = child.children.get(shape.value.xmlName ?? "value");
    if (key === undefined || !value) throw malformed(`${prefix}.${index}`, "a pair of key and value", "incomplete");
    map[key] = readValue(shape.value, value, `${prefix}.${index}`);
  }
  return map;
}

function emptyUnlessForeign<T>(node: FormNode, path: string, empty: T): T {
  if (node.children.size === 0) return empty;
  throw malformed(path, "a list or map", "something else");
}

function numbered(node: FormNode, path: string): [number, FormNode][] {
  return [...node.children]
    .map(([step, child]): [number, FormNode] => {
      if (!INDEX.test(step)) throw malformed(`${path}.${step}`.slice(0, KEY_CHARS_MAX), "numbered from 1", "not a number");
      return [Number(step), child];
    })
    .sort(([left], [right]) => left - right);
}
