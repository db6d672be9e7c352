/** Finds the named bounds of the engine (P7): constants at the top of a module whose names end in _MAX or _MIN. */
import { child, docBefore, isNode, nameOf, type Node, type SourceFile } from "./source-tree.ts";

export interface Bound {
  readonly name: string;
  /** The number, or undefined when it is not a number known from the file alone. */
  readonly value: number | undefined;
  /** First sentence of its doc comment, or undefined when it has none. */
  readonly meaning: string | undefined;
  /** Its doc comment has `@limit`: people meet it. */
  readonly isLimit: boolean;
  readonly path: string;
}

/** The bounds one file declares, in its order. */
export function boundsOf(file: SourceFile): readonly Bound[] {
  const known = new Map<string, number>();
  const bounds: Bound[] = [];
  for (const statement of (file.program["body"] as Node[]) ?? []) {
    const declaration = statement.type === "ExportNamedDeclaration" ? child(statement, "declaration") : statement;
    if (declaration?.type !== "VariableDeclaration") continue;
    for (const declarator of (declaration["declarations"] as unknown[]).filter(isNode)) {
      const name = nameOf(child(declarator, "id"));
      if (name === undefined) continue;
      const value = evaluate(child(declarator, "init"), known);
      if (value !== undefined) known.set(name, value);
      const doc = docBefore(file, statement.start);
      const meaning = doc?.replace(/(?<=[.!?])\s.*$/u, "");
      const isLimit = doc?.includes("@limit") === true;
      if (/_(MAX|MIN)$/u.test(name)) bounds.push({ name, value, meaning, isLimit, path: file.path });
    }
  }
  return bounds;
}

const OPERATORS: Readonly<Record<string, (left: number, right: number) => number>> = {
  "+": (left, right) => left + right,
  "-": (left, right) => left - right,
  "*": (left, right) => left * right,
  "/": (left, right) => left / right,
  "**": (left, right) => left ** right,
  "<<": (left, right) => left << right,
};

function evaluate(node: Node | undefined, known: ReadonlyMap<string, number>): number | undefined {
  if (node?.type === "Literal" && typeof node["value"] === "number") return node["value"];
  const name = nameOf(node);
  if (name !== undefined) return known.get(name);
  if (node?.type !== "BinaryExpression") return undefined;
  const left = evaluate(child(node, "left"), known);
  const right = evaluate(child(node, "right"), known);
  return left === undefined || right === undefined ? undefined : OPERATORS[String(node["operator"])]?.(left, right);
}
