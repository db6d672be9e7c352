/** Files of a folder on this machine, with all below it. */
import type { Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

export interface LocalFile {
  readonly path: string;
  /** From the folder, with slashes. */
  readonly relative: string;
  readonly bytes: number;
}

/** What of a folder is no file: neither sent nor silently left out. */
export interface LeftOut {
  readonly path: string;
  readonly why: string;
}

/**
 * Every file, folder by folder in the order of names. Links to files are the files; links to folders may lead in circles, and sockets and devices
 * have no end: those are told.
 */
export async function* walkFiles(folder: string, onLeftOut: (what: LeftOut) => void, base = ""): AsyncGenerator<LocalFile> {
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries.sort((left, right) => (left.name < right.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    const relative = base + entry.name;
    if (entry.isDirectory()) yield* walkFiles(path, onLeftOut, `${relative}/`);
    else {
      const found = await regularFile(entry, path);
      if (typeof found === "string") onLeftOut({ path, why: found });
      else yield { path, relative, bytes: found.size };
    }
  }
}

/** What is known of the file, or what it is instead. */
async function regularFile(entry: Dirent, path: string): Promise<{ readonly size: number } | string> {
  try {
    const found = await stat(path);
    if (found.isFile()) return found;
    return found.isDirectory() ? "is a link to a folder" : "is no file";
  } catch (error) {
    if (entry.isSymbolicLink() && (error as NodeJS.ErrnoException).code === "ENOENT") return "is a link to nothing";
    throw error;
  }
}
