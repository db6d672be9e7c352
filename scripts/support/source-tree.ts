/** The repository's files as the tests about them see them: parsed once, with paths from the root and forward slashes. */
import { execFileSync } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { type Comment, parseSync } from "oxc-parser";

export const root = join(import.meta.dirname, "..", "..");
export const PLATFORM = "packages/platform/src";

/** Any node of the syntax tree; members are read with the guards of this file. */
export interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [member: string]: unknown;
}

export interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly program: Node;
  readonly comments: readonly Comment[];
}

/** One mention of another module: an import, a re-export, `import()`, an import type, or a URL beside this file. */
export interface ImportSite {
  readonly specifier: string;
  /** True when nothing of it is left at run time. */
  readonly isType: boolean;
  /** True for `new URL(…, import.meta.url)`, which may lead to any file or folder. */
  readonly isUrl: boolean;
  /** True for `import()`, which loads nothing before it runs. */
  readonly isLater: boolean;
  readonly line: number;
}

const parsed = new Map<string, SourceFile>();

/** The parsed files that the globs match, sorted by path. */
export function sourceFiles(...globs: readonly string[]): readonly SourceFile[] {
  const paths = globs.flatMap((glob) => globSync(glob, { cwd: root, exclude: isForeign }));
  return [...new Set(paths)].toSorted().map(sourceFile);
}

/** Folders that hold nothing of ours to read: installed, built, or test input. */
function isForeign(path: string): boolean {
  return /(^|\/)(node_modules|dist|fixtures|golden)(\/|$)/u.test(path);
}

/** One file, parsed. */
export function sourceFile(path: string): SourceFile {
  const known = parsed.get(path);
  if (known) return known;
  const text = readFileSync(join(root, path), "utf8");
  const { program, comments } = parseSync(path, text);
  const file: SourceFile = { path, text, program: program as unknown as Node, comments };
  parsed.set(path, file);
  return file;
}

/** Every node of the file, parents before children. */
export function* nodesOf(file: SourceFile): Generator<Node> {
  const waiting: Node[] = [file.program];
  for (let node = waiting.pop(); node; node = waiting.pop()) {
    yield node;
    waiting.push(...Object.values(node).flat(1).filter(isNode).toReversed());
  }
}

export function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string";
}

/** The member when it is a node. */
export function child(node: Node | undefined, member: string): Node | undefined {
  const value = node?.[member];
  return isNode(value) ? value : undefined;
}

/** The identifier's name, or undefined for anything else. */
export function nameOf(node: Node | undefined): string | undefined {
  return node?.type === "Identifier" ? String(node["name"]) : undefined;
}

/** The string literal's value, or undefined for anything else. */
export function stringOf(node: Node | undefined): string | undefined {
  return node?.type === "Literal" && typeof node["value"] === "string" ? node["value"] : undefined;
}

/** `Date.now` for a member expression of two plain names. */
export function dottedName(node: Node | undefined): string | undefined {
  if (node?.type !== "MemberExpression" || node["computed"] === true) return undefined;
  const object = nameOf(child(node, "object"));
  const property = nameOf(child(node, "property"));
  return object === undefined || property === undefined ? undefined : `${object}.${property}`;
}

/** Line number of an offset, from 1. */
export function lineOf(file: SourceFile, offset: number): number {
  return file.text.slice(0, offset).split("\n").length;
}

/** `path:line`, as editors open it. */
export function placeOf(file: SourceFile, node: Node): string {
  return `${file.path}:${lineOf(file, node.start)}`;
}

/** Text of the doc comment that ends right before `offset`, or undefined. */
export function docBefore(file: SourceFile, offset: number): string | undefined {
  const comment = file.comments.findLast(({ end }) => end <= offset);
  if (comment?.type !== "Block" || !comment.value.startsWith("*")) return undefined;
  if (file.text.slice(comment.end, offset).trim() !== "") return undefined;
  return comment.value
    .replace(/^\s*\*+ ?/gmu, "")
    .replace(/\s+/gu, " ")
    .trim();
}

/** Every other module the file names. */
export function importsOf(file: SourceFile): readonly ImportSite[] {
  const sites: ImportSite[] = [];
  for (const node of nodesOf(file)) {
    const specifier = importedBy(node);
    if (specifier === undefined) continue;
    sites.push({
      specifier,
      isType: isTypeImport(node),
      isUrl: node.type === "NewExpression",
      isLater: node.type === "ImportExpression",
      line: lineOf(file, node.start),
    });
  }
  return sites;
}

function importedBy(node: Node): string | undefined {
  switch (node.type) {
    case "ImportDeclaration":
    case "ExportNamedDeclaration":
    case "ExportAllDeclaration":
    case "ImportExpression":
    case "TSImportType":
      return stringOf(child(node, "source"));
    case "NewExpression": {
      if (nameOf(child(node, "callee")) !== "URL") return undefined;
      const [address, base] = node["arguments"] as Node[];
      const isBeside = base?.type === "MemberExpression" && child(base, "object")?.type === "MetaProperty";
      return isBeside ? stringOf(address) : undefined;
    }
    default:
      return undefined;
  }
}

function isTypeImport(node: Node): boolean {
  if (node.type === "TSImportType" || node["importKind"] === "type" || node["exportKind"] === "type") return true;
  const names = node["specifiers"];
  if (!Array.isArray(names) || names.length === 0) return false;
  return (names as Node[]).every((name) => name["importKind"] === "type" || name["exportKind"] === "type");
}

/** Path that a relative specifier leads to, or undefined for a package. */
export function resolveImport(from: string, specifier: string): string | undefined {
  return specifier.startsWith(".") ? posix.normalize(posix.join(posix.dirname(from), specifier)) : undefined;
}

/** Whether the repository has this file. */
export function hasFile(path: string): boolean {
  return existsSync(join(root, path));
}

/** Text of a file of the repository; a missing one is empty, so that what it lacks is reported line by line. */
export function textOf(path: string): string {
  return hasFile(path) ? readFileSync(join(root, path), "utf8") : "";
}

/** Every file that git has or would take, or all there are where there is no git. */
export function repositoryFiles(): readonly string[] {
  try {
    const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: root, encoding: "utf8" });
    return listed.split("\0").filter((path) => path !== "" && hasFile(path));
  } catch {
    return globSync("**/*.*", { cwd: root, exclude: isForeign });
  }
}
