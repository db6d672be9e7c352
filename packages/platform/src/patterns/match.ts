import { isJsonObject, isPrimitive, type Primitive } from "./json.ts";

/** Whether a value at the end of a path is one that is asked for. */
export type Matcher = (value: Primitive) => boolean;

/** What is asked of one field: one of its values meets one matcher, or it may be absent. */
export interface Leaf {
  readonly path: readonly string[];
  readonly matchers: readonly Matcher[];
  readonly allowsAbsence: boolean;
}

/** What is asked of one object. */
export interface PatternNode {
  readonly children: ReadonlyMap<string, PatternNode>;
  readonly leaves: ReadonlyMap<string, readonly Leaf[]>;
}

/** A pattern that can be asked. */
export class CompiledPattern {
  readonly #alternatives: readonly PatternNode[];

  constructor(alternatives: readonly PatternNode[]) {
    this.#alternatives = alternatives;
  }

  /**
   * True when `event` meets every condition. Where the event has an array, one of its elements has to meet all that is
   * asked below it; only `{"exists": false}` looks at all of them.
   */
  matches(event: unknown): boolean {
    return this.#alternatives.some((node) => meets(node, event, event));
  }
}

function meets(node: PatternNode, value: unknown, event: unknown): boolean {
  if (Array.isArray(value) && value.length > 0) return value.some((element) => meets(node, element, event));
  for (const [key, leaves] of node.leaves) {
    const field = fieldOf(value, key);
    if (!leaves.every((leaf) => meetsLeaf(leaf, field, event))) return false;
  }
  for (const [key, child] of node.children) if (!meets(child, fieldOf(value, key), event)) return false;
  return true;
}

function fieldOf(value: unknown, key: string): unknown {
  return isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

function meetsLeaf(leaf: Leaf, field: unknown, event: unknown): boolean {
  if (someValue(field, (value) => leaf.matchers.some((matches) => matches(value)))) return true;
  return leaf.allowsAbsence && !hasValueAt(event, leaf.path, 0);
}

/** Values are what is neither an object nor an array; arrays in arrays are looked into. */
function someValue(field: unknown, holds: (value: Primitive) => boolean): boolean {
  if (Array.isArray(field)) return field.some((element) => someValue(element, holds));
  return isPrimitive(field) && holds(field);
}

function hasValueAt(value: unknown, path: readonly string[], depth: number): boolean {
  if (Array.isArray(value)) return value.some((element) => hasValueAt(element, path, depth));
  const key = path[depth];
  return key === undefined ? isPrimitive(value) : hasValueAt(fieldOf(value, key), path, depth + 1);
}
