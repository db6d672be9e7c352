import { readdirSync, realpathSync, statSync } from "node:fs";
import { join, matchesGlob } from "node:path";
import { CommandFailure } from "../errors.ts";

/** One file of a package. */
export interface PackFile {
  /** Inside the zip, with `/`. */
  readonly name: string;
  /** On disk; exactly one of `path` and `bytes` is there. */
  readonly source: { readonly kind: "path"; readonly path: string } | { readonly kind: "bytes"; readonly bytes: Buffer };
  readonly executable: boolean;
}

/** Files of one package; more is a wrong folder, not a function (P7). */
export const PACK_FILES_MAX = 50_000;
/** Lambda's bound for unpacked code. */
export const PACK_BYTES_MAX = 250 * 1024 * 1024;
/** Folders within each other (P7). */
export const DEPTH_MAX = 64;

/** Never code: version control, caches, virtual environments, our own data, secrets of the shell. */
const LEFT_OUT = new Set([
  ".git",
  ".hg",
  ".svn",
  ".lambent",
  ".DS_Store",
  "__pycache__",
  ".venv",
  "venv",
  ".pytest_cache",
  ".env",
  ".idea",
  ".vscode",
]);

export interface WalkOptions {
  /** Patterns of names to leave out, as `exclude` of lambent.yaml has them. */
  readonly exclude?: readonly string[];
  /** Only names that match one of these, when given. */
  readonly only?: readonly string[];
}

/**
 * Every file below `folder`, ordered by name. Links are followed and packed as what they lead to; a link into its
 * own ancestors is not a way on.
 */
export function walk(folder: string, options: WalkOptions = {}): PackFile[] {
  const files: PackFile[] = [];
  let bytes = 0;
  const visit = (directory: string, prefix: string, ancestors: readonly string[]): void => {
    const real = realpathSync(directory);
    if (ancestors.includes(real)) return;
    if (ancestors.length >= DEPTH_MAX) throw tooDeep(directory);
    for (const entry of readdirSync(directory).toSorted()) {
      if (LEFT_OUT.has(entry) || entry.endsWith(".pyc")) continue;
      const name = prefix + entry;
      if (options.exclude?.some((pattern) => matchesGlob(name, pattern))) continue;
      const path = join(directory, entry);
      const found = statSync(path, { throwIfNoEntry: false });
      if (found?.isDirectory()) visit(path, `${name}/`, [...ancestors, real]);
      if (!found?.isFile() || (options.only && !options.only.some((pattern) => matchesGlob(name, pattern)))) continue;
      bytes += found.size;
      if (files.length >= PACK_FILES_MAX || bytes > PACK_BYTES_MAX) throw tooMuch(folder, files.length, bytes);
      files.push({ name, source: { kind: "path", path }, executable: (found.mode & 0o100) !== 0 });
    }
  };
  visit(folder, "", []);
  return files;
}

function tooDeep(directory: string): CommandFailure {
  return new CommandFailure(
    "usage",
    `${directory} is too deep for a function: over ${DEPTH_MAX} folders within each other.`,
    "Name the function's own folder, or leave it out with `exclude` in lambent.yaml.",
  );
}

function tooMuch(folder: string, files: number, bytes: number): CommandFailure {
  return new CommandFailure(
    "usage",
    `${folder} is too large for a function: over ${files} files and ${bytes} bytes; ${PACK_FILES_MAX} files and ${PACK_BYTES_MAX} bytes are allowed.`,
    "Name the function's own folder, or leave files out with `exclude` in lambent.yaml.",
  );
}
