import { elementsOf, isJsonObject, isPrimitive, type Primitive } from "./json.ts";
import { meets, type Shape } from "./shape.ts";

/** What is asked of one field: one of its values meets one matcher, or it may be absent. */
export interface Leaf {
  readonly path: readonly string[];
  readonly matchers: readonly Shape[];
  readonly allowsAbsence: boolean;
}

/** What is asked of one object. */
export interface PatternNode {
  readonly children: ReadonlyMap<string, PatternNode>;
  readonly leaves: ReadonlyMap<string, readonly Leaf[]>;
}

/** One way a pattern can be met: all of its leaves have to be. */
export class Alternative {
  readonly leaves: readonly Leaf[];
  #root: PatternNode | undefined;

  constructor(leaves: readonly Leaf[]) {
    this.leaves = leaves;
  }

  /** The same by the objects they are asked of. Made when it is first asked: in a set of many patterns most never are. */
  get root(): PatternNode {
    this.#root ??= treeOf(this.leaves);
    return this.#root;
  }
}

/** A pattern that can be asked. */
export class CompiledPattern {
  /** What `PatternSet` puts together with the alternatives of other patterns. */
  readonly alternatives: readonly Alternative[];

  constructor(alternatives: readonly Alternative[]) {
    this.alternatives = alternatives;
  }

  /**
   * True when `event` meets every condition. Where the event has an array, one of its elements has to meet all that is
   * asked below it; only `{"exists": false}` looks at all of them.
   */
  matches(event: unknown): boolean {
    return this.alternatives.some((alternative) => meetsAlternative(alternative, event));
  }
}

/** Whether `event` meets all conditions of one alternative. */
export function meetsAlternative(alternative: Alternative, event: unknown): boolean {
  return meetsNode(alternative.root, event, new Whole(event));
}

/** The whole event, of which absence is asked: the same for each element of an array, so it is looked for once. */
class Whole {
  readonly #event: unknown;
  readonly #absent = new Map<Leaf, boolean>();

  constructor(event: unknown) {
    this.#event = event;
  }

  lacks(leaf: Leaf): boolean {
    const known = this.#absent.get(leaf) ?? !hasValueAt(this.#event, leaf.path, 0);
    this.#absent.set(leaf, known);
    return known;
  }
}

function meetsNode(node: PatternNode, value: unknown, whole: Whole): boolean {
  const elements = Array.isArray(value) ? elementsOf(value) : [];
  if (elements.length > 0) return elements.some((element) => meetsNode(node, element, whole));
  for (const [key, leaves] of node.leaves) {
    const field = fieldOf(value, key);
    if (!leaves.every((leaf) => meetsLeaf(leaf, field, whole))) return false;
  }
  for (const [key, child] of node.children) if (!meetsNode(child, fieldOf(value, key), whole)) return false;
  return true;
}

function fieldOf(value: unknown, key: string): unknown {
  return isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

function meetsLeaf(leaf: Leaf, field: unknown, whole: Whole): boolean {
  if (someValue(field, (value) => meetsOne(leaf, value))) return true;
  return leaf.allowsAbsence && whole.lacks(leaf);
}

/** Whether a value is one of those a leaf asks for. */
export function meetsOne(leaf: Leaf, value: Primitive): boolean {
  for (const matcher of leaf.matchers) if (meets(matcher, value)) return true;
  return false;
}

/** Values are what is neither an object nor an array; arrays in arrays are looked into. */
function someValue(field: unknown, holds: (value: Primitive) => boolean): boolean {
  if (Array.isArray(field)) return elementsOf(field).some((element) => isPrimitive(element) && holds(element));
  return isPrimitive(field) && holds(field);
}

function hasValueAt(value: unknown, path: readonly string[], depth: number): boolean {
  if (Array.isArray(value)) return elementsOf(value).some((element) => hasValueAt(element, path, depth));
  const key = path[depth];
  return key === undefined ? isPrimitive(value) : hasValueAt(fieldOf(value, key), path, depth + 1);
}

interface GrowingNode extends PatternNode {
  readonly children: Map<string, GrowingNode>;
  readonly leaves: Map<string, Leaf[]>;
}

/** Leaves with the beginning of their paths in common meet in one node, so that they look at the same element of an array. */
function treeOf(leaves: readonly Leaf[]): PatternNode {
  const root: GrowingNode = { children: new Map(), leaves: new Map() };
  for (const leaf of leaves) {
    let node = root;
    for (const key of leaf.path.slice(0, -1)) {
      const known = node.children.get(key) ?? { children: new Map(), leaves: new Map() };
      node.children.set(key, known);
      node = known;
    }
    const last = leaf.path.at(-1) ?? "";
    node.leaves.set(last, [...(node.leaves.get(last) ?? []), leaf]);
  }
  return root;
}
