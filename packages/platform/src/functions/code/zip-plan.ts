import { LambentError } from "../../base/index.ts";
import {
  CODE_ENTRIES_MAX,
  CODE_LINK_BYTES_MAX,
  CODE_NAME_BYTES_MAX,
  CODE_PATH_BYTES_MAX,
  CODE_PATH_DEPTH_MAX,
  CODE_RATIO_FREE_BYTES,
  CODE_RATIO_MAX,
  CODE_UNPACKED_BYTES_MAX,
} from "../rules/limits.ts";

/** One entry as a zip's directory lists it. */
export interface ZipEntry {
  readonly name: Buffer;
  readonly compressedBytes: number;
  readonly unpackedBytes: number;
  readonly crc32: number;
  /** 0 is stored, 8 is deflate. */
  readonly method: number;
  readonly encrypted: boolean;
  /** Unix mode when the zip was made on one, else 0. */
  readonly mode: number;
}

/** One file or link to write, its path checked. */
export interface PlannedFile<Source> {
  readonly path: string;
  readonly kind: "file" | "link";
  readonly executable: boolean;
  readonly source: Source;
}

export interface ZipPlan<Source> {
  /** Every directory, named or implied, parents first. */
  readonly directories: readonly string[];
  readonly files: readonly PlannedFile<Source>[];
  readonly unpackedBytes: number;
}

const FILE_TYPE_MASK = 0o170_000;
const TYPE_DIRECTORY = 0o040_000;
const TYPE_FILE = 0o100_000;
const TYPE_LINK = 0o120_000;
const EXECUTABLE_BITS = 0o111;
const METHODS = new Map([
  [0, "stored"],
  [8, "deflate"],
]);

/**
 * Checks a whole directory of a zip before a byte of it is written and says what to write. Throws `InvalidCode`
 * naming entry and rule. The sizes are those the directory claims; unpacking enforces that they are true.
 */
export function planZip<Source extends ZipEntry>(entries: readonly Source[], zipBytes: number): ZipPlan<Source> {
  if (entries.length === 0) throw new LambentError("InvalidCode", "The zip has no entries; a deployment package holds at least one file.");
  if (entries.length > CODE_ENTRIES_MAX) {
    throw new LambentError("InvalidCode", `The zip has ${entries.length} entries; at most ${CODE_ENTRIES_MAX} are allowed.`);
  }
  const kinds = new Map<string, "directory" | "file" | "link">();
  const files: PlannedFile<Source>[] = [];
  for (const entry of entries) {
    const { path, directory } = checkName(entry.name);
    const kind = kindOf(entry, path, directory);
    if (path === "") continue;
    const before = kinds.get(path);
    if (before !== undefined && !(before === "directory" && kind === "directory")) refuse(path, "is there twice");
    kinds.set(path, kind);
    if (kind !== "directory") files.push({ path, kind, executable: (entry.mode & EXECUTABLE_BITS) !== 0, source: entry });
  }
  if (files.length === 0)
    throw new LambentError("InvalidCode", "The zip holds directories only; a deployment package holds at least one file.");
  return { directories: impliedDirectories(kinds), files, unpackedBytes: checkSizes(entries, zipBytes) };
}

/**
 * Checks where a symbolic link points. Allowed are leading `..` up to the root of the tree, then plain names: as every
 * link keeps this rule and no entry lies below a link, no chain of links leads out. `a/b/../..` is refused although
 * it looks harmless, because `b` may itself be a link to somewhere higher.
 */
export function checkLink(path: string, target: Buffer): string {
  if (target.length === 0 || target.length > CODE_LINK_BYTES_MAX)
    refuse(path, `is a link whose target is not 1 to ${CODE_LINK_BYTES_MAX} bytes long`);
  const text = decodeUtf8(target) ?? refuse(path, "is a link whose target is not UTF-8");
  if (text.includes("\0")) refuse(path, "is a link whose target holds a zero byte");
  if (text.startsWith("/")) refuse(path, "is a link to an absolute path");
  const parts = text.split("/").filter((part) => part !== "" && part !== ".");
  const rising = parts.findIndex((part) => part !== "..");
  const ups = rising === -1 ? parts.length : rising;
  const depth = path.split("/").length - 1;
  if (ups > depth || parts.slice(ups).includes("..")) refuse(path, "is a link that may leave the package");
  return text;
}

/** Ends as `InvalidCode` about one entry. */
export function refuse(path: string, rule: string): never {
  throw new LambentError("InvalidCode", `The zip's entry ${JSON.stringify(path.slice(0, 200))} ${rule}.`);
}

function checkName(raw: Buffer): { readonly path: string; readonly directory: boolean } {
  const shown = raw.subarray(0, 200).toString("latin1");
  const name = decodeUtf8(raw) ?? refuse(shown, "has a name that is not UTF-8");
  if (raw.length === 0) refuse(name, "has no name");
  if (raw.length > CODE_PATH_BYTES_MAX) refuse(name, `has a name of ${raw.length} bytes; at most ${CODE_PATH_BYTES_MAX} are allowed`);
  if (name.includes("\0")) refuse(name, "has a zero byte in its name");
  if (name.includes("\\")) refuse(name, "has a backslash in its name; paths in a zip use /");
  if (name.startsWith("/") || /^[A-Za-z]:/.test(name)) refuse(name, "is an absolute path");
  const directory = name.endsWith("/");
  const parts = (directory ? name.slice(0, -1) : name).split("/").filter((part) => part !== ".");
  if (parts.includes("..")) refuse(name, "leaves the package by ..");
  if (parts.includes("")) refuse(name, "has an empty component in its path");
  if (parts.length > CODE_PATH_DEPTH_MAX) refuse(name, `is ${parts.length} levels deep; at most ${CODE_PATH_DEPTH_MAX} are allowed`);
  if (parts.some((part) => Buffer.byteLength(part) > CODE_NAME_BYTES_MAX))
    refuse(name, `has a component of more than ${CODE_NAME_BYTES_MAX} bytes`);
  if (parts.length === 0 && !directory) refuse(name, "names the package itself");
  return { path: parts.join("/"), directory };
}

function kindOf(entry: ZipEntry, path: string, directory: boolean): "directory" | "file" | "link" {
  const type = entry.mode & FILE_TYPE_MASK;
  if (type !== 0 && type !== TYPE_DIRECTORY && type !== TYPE_FILE && type !== TYPE_LINK)
    refuse(path, "is neither file, directory nor link");
  if (directory ? type !== 0 && type !== TYPE_DIRECTORY : type === TYPE_DIRECTORY) {
    refuse(path, "has a name and a mode that disagree whether it is a directory");
  }
  if (directory) {
    if (entry.unpackedBytes > 0) refuse(path, "is a directory with content");
    return "directory";
  }
  if (entry.encrypted) refuse(path, "is encrypted");
  if (!METHODS.has(entry.method)) refuse(path, `is packed with method ${entry.method}; stored and deflate are allowed`);
  if (type !== TYPE_LINK) return "file";
  if (entry.unpackedBytes > CODE_LINK_BYTES_MAX) refuse(path, `is a link whose target is not 1 to ${CODE_LINK_BYTES_MAX} bytes long`);
  return "link";
}

/** Every ancestor of every path, parents first; none of them may be a file or a link. */
function impliedDirectories(kinds: ReadonlyMap<string, "directory" | "file" | "link">): string[] {
  const directories = new Set<string>();
  for (const [path, kind] of kinds) {
    const parts = path.split("/");
    const below = kind === "directory" ? parts.length : parts.length - 1;
    for (let depth = 1; depth <= below; depth++) {
      const ancestor = parts.slice(0, depth).join("/");
      const known = kinds.get(ancestor);
      if (known === "file" || known === "link") refuse(path, `lies below ${JSON.stringify(ancestor)}, which is a ${known}`);
      directories.add(ancestor);
    }
  }
  return [...directories];
}

function checkSizes(entries: readonly ZipEntry[], zipBytes: number): number {
  let compressed = 0;
  let unpacked = 0;
  for (const entry of entries) {
    compressed += entry.compressedBytes;
    unpacked += entry.unpackedBytes;
  }
  // More packed bytes than there are means that entries share them: the way a small zip becomes petabytes.
  if (compressed > zipBytes) throw new LambentError("InvalidCode", "The zip's entries overlap: together they are longer than the zip.");
  if (unpacked > CODE_UNPACKED_BYTES_MAX) {
    throw new LambentError("InvalidCode", `The zip unpacks to ${unpacked} bytes; at most ${CODE_UNPACKED_BYTES_MAX} are allowed.`);
  }
  if (unpacked > CODE_RATIO_FREE_BYTES && unpacked > zipBytes * CODE_RATIO_MAX) {
    throw new LambentError(
      "InvalidCode",
      `The zip of ${zipBytes} bytes unpacks to ${unpacked}; beyond ${CODE_RATIO_FREE_BYTES} bytes at most ${CODE_RATIO_MAX} for each are allowed.`,
    );
  }
  return unpacked;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decodeUtf8(bytes: Buffer): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}
