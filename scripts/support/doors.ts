/** What a folder's index.ts lets out, followed to the declarations behind it. */
import {
  child,
  docBefore,
  hasFile,
  isNode,
  nameOf,
  type Node,
  resolveImport,
  type SourceFile,
  sourceFile,
  stringOf,
} from "./source-tree.ts";

/** Statements of a door that are not named re-exports. */
export function nonExports(door: SourceFile): readonly Node[] {
  return statementsOf(door).filter((statement) => statement.type !== "ExportNamedDeclaration" || !child(statement, "source"));
}

export interface ExportedFunction {
  readonly name: string;
  readonly path: string;
  readonly doc: string | undefined;
}

/** The functions among what a door exports, with their doc comments. */
export function exportedFunctions(door: SourceFile): readonly ExportedFunction[] {
  return statementsOf(door).flatMap((statement) => {
    const names = statement.type === "ExportNamedDeclaration" ? (statement["specifiers"] as unknown[]).filter(isNode) : [];
    return names.flatMap((name) => findFunction(door, nameOf(child(name, "exported")) ?? "") ?? []);
  });
}

/** The function that `file` exports under `name`, followed through re-exports; undefined when that is no function. */
function findFunction(file: SourceFile, name: string): ExportedFunction | undefined {
  for (const statement of statementsOf(file)) {
    const declaration = statement.type === "ExportNamedDeclaration" ? child(statement, "declaration") : statement;
    if (declaration && declaresFunction(declaration, name)) return { name, path: file.path, doc: docBefore(file, statement.start) };
    const behind = reExport(file, statement, name);
    if (behind) return findFunction(sourceFile(behind.path), behind.name);
  }
  return undefined;
}

function reExport(file: SourceFile, statement: Node, name: string): { path: string; name: string } | undefined {
  if (statement.type !== "ExportNamedDeclaration") return undefined;
  const path = resolveImport(file.path, stringOf(child(statement, "source")) ?? "");
  const specifier = (statement["specifiers"] as unknown[]).filter(isNode).find((each) => nameOf(child(each, "exported")) === name);
  const local = nameOf(child(specifier, "local"));
  return path !== undefined && local !== undefined && hasFile(path) ? { path, name: local } : undefined;
}

function declaresFunction(declaration: Node, name: string): boolean {
  if (declaration.type === "FunctionDeclaration" || declaration.type === "TSDeclareFunction")
    return nameOf(child(declaration, "id")) === name;
  if (declaration.type !== "VariableDeclaration") return false;
  return (declaration["declarations"] as unknown[])
    .filter(isNode)
    .some((each) => nameOf(child(each, "id")) === name && /Function/u.test(child(each, "init")?.type ?? ""));
}

function statementsOf(file: SourceFile): readonly Node[] {
  return (file.program["body"] as unknown[]).filter(isNode);
}
