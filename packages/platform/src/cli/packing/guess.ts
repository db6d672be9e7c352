import { basename, extname } from "node:path";
import { CommandFailure } from "../errors.ts";

/** What a function's code says of itself. */
export interface Guess {
  readonly runtime: string;
  /** `file.export`. */
  readonly handler: string;
  /** The file the handler is in, relative to the folder. */
  readonly entry: string;
  readonly style: "lambda" | "web";
}

/** How a folder is looked into: its names, and the text of one file. */
export interface CodeView {
  readonly names: readonly string[];
  read(name: string): string;
}

/** Runtimes of code that names none. Both exist at AWS too, so a deployment there needs no other name. */
export const DEFAULT_NODE = "nodejs22.x";
export const DEFAULT_PYTHON = "python3.12";
export const CUSTOM_RUNTIME = "provided.al2023";

const NODE_ENDINGS = [".mjs", ".js", ".cjs", ".ts", ".mts", ".cts"];
const ENTRY_STEMS = ["index", "src/index", "handler", "src/handler", "app", "main", "lambda_function", "src/app", "src/main"];
const NODE_EXPORTS = ["handler", "httpHandler", "default"];
const PYTHON_EXPORTS = ["lambda_handler", "handler", "main"];

/**
 * Guesses runtime and handler. What is given is kept; only what is missing is looked for, and what cannot be told
 * is refused with the option that says it.
 */
export function guess(view: CodeView, given: { readonly runtime?: string | undefined; readonly handler?: string | undefined }): Guess {
  if (given.runtime?.startsWith("provided") || (!given.runtime && !given.handler && view.names.includes("bootstrap"))) {
    return { runtime: given.runtime ?? CUSTOM_RUNTIME, handler: given.handler ?? "bootstrap", entry: "bootstrap", style: "lambda" };
  }
  const entry = given.handler ? entryOfHandler(view, given.handler) : findEntry(view, given.runtime);
  const python = entry.endsWith(".py");
  const text = view.read(entry);
  const name = given.handler ? (given.handler.split(".").pop() ?? "") : exportOf(entry, text, python);
  const stem = entry.slice(0, -extname(entry).length);
  if (!given.handler) refuseUnnameable(entry, stem);
  return {
    runtime: given.runtime ?? (python ? DEFAULT_PYTHON : DEFAULT_NODE),
    handler: given.handler ?? `${stem}.${name}`,
    entry,
    style: name === "httpHandler" ? "web" : "lambda",
  };
}

/** A handler is file.export, to AWS and here: a dot ends the file's name, and white space is refused. */
function refuseUnnameable(entry: string, stem: string): void {
  const found = basename(stem).includes(".") ? "a dot" : /\s/u.test(stem) ? "white space" : undefined;
  if (found === undefined) return;
  const better = basename(stem).replaceAll(/[.\s]+/gu, "-") + extname(entry);
  throw new CommandFailure(
    "usage",
    `No handler can name ${JSON.stringify(entry)}: a handler is file.export, and the file's name has ${found}.`,
    `Rename the file, for example to ${better}`,
  );
}

/** As the runtimes read it: Node's file ends at the first dot of the last name, Python's module at the last. */
function entryOfHandler(view: CodeView, handler: string): string {
  const last = handler.lastIndexOf("/") + 1;
  const dot = handler.indexOf(".", last);
  const stem = dot < 0 ? "" : handler.slice(0, dot);
  const module = handler.slice(0, Math.max(handler.lastIndexOf("."), 0)).replaceAll(".", "/");
  const candidates = [...NODE_ENDINGS.map((ending) => stem + ending), `${module}.py`];
  const found = candidates.find((name) => view.names.includes(name));
  if (found && stem !== "") return found;
  throw new CommandFailure(
    "usage",
    `The handler is ${handler}; there is no file ${stem || "(before the dot)"} with an ending like .mjs, .ts or .py.`,
    "Give it as file.export: --handler index.handler",
  );
}

function findEntry(view: CodeView, runtime: string | undefined): string {
  const endings = runtime?.startsWith("python") ? [".py"] : runtime ? NODE_ENDINGS : [...NODE_ENDINGS, ".py"];
  const named = ENTRY_STEMS.flatMap((stem) => endings.map((ending) => stem + ending)).filter((name) => view.names.includes(name));
  if (named[0]) return named[0];
  const top = view.names.filter(
    (name) => !name.includes("/") && endings.includes(extname(name)) && !/\.(test|spec|config)\.[a-z]+$|\.d\.[mc]?ts$|^test_/u.test(name),
  );
  if (top.length === 1 && top[0]) return top[0];
  if (top.length > 0)
    throw new CommandFailure(
      "usage",
      `The handler could not be guessed; several files could be it: ${top.slice(0, 5).join(", ")}.`,
      "Name it: --handler file.export",
    );
  throw new CommandFailure(
    "usage",
    `There is no code in it: no file with ${endings.join(", ")} at its top, and none named bootstrap.`,
    "Give the folder or the file that holds the handler; `lambent init` writes a new one.",
  );
}

function exportOf(entry: string, text: string, python: boolean): string {
  const names = python ? PYTHON_EXPORTS : NODE_EXPORTS;
  const found = names.find((name) => (python ? definesInPython(text, name) : exportsFromNode(text, name)));
  if (found) return found;
  throw new CommandFailure(
    "usage",
    `${basename(entry)} ${python ? "defines" : "exports"} none of ${names.join(", ")}.`,
    `Name the function to call: --handler ${basename(entry, extname(entry))}.yourFunction`,
  );
}

function definesInPython(text: string, name: string): boolean {
  return new RegExp(String.raw`^(async\s+)?def\s+${name}\s*\(|^${name}\s*=`, "mu").test(text);
}

function exportsFromNode(text: string, name: string): boolean {
  if (name === "default") return /(?:^|[;}])\s*export\s+default\b/mu.test(text);
  const forms = [
    String.raw`(?:^|[;}])\s*export\s+(?:const|let|var|(?:async\s+)?function\*?)\s+${name}\b`,
    String.raw`(?:^|[;}])\s*export\s*\{[^}]*\b${name}\b[^}]*\}`,
    String.raw`\bexports\.${name}\s*=`,
    String.raw`\bmodule\.exports\s*=\s*\{[^}]*\b${name}\b`,
  ];
  return forms.some((form) => new RegExp(form, "mu").test(text));
}
