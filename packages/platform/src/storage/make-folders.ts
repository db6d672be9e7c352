import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { isIoError } from "./io-error.ts";
import { syncFolder } from "./sync-folder.ts";

/**
 * Makes `path` with all above it that is missing, from the nearest that is there, and syncs their names. Throws what the
 * system says of the first that cannot be made.
 *
 * Instead of Node's `recursive`, which never ends where a parent is there and says that it is not: below /proc.
 */
export async function makeFolders(path: string, mode = 0o777): Promise<void> {
  const missing: string[] = [];
  for (let at = path; !(await isThere(at)) && at !== dirname(at); at = dirname(at)) missing.push(at);
  for (const folder of missing.toReversed()) {
    await mkdir(folder, { mode }).catch((error: unknown) => {
      if (!isIoError(error) || error.code !== "EEXIST") throw error;
    });
    await syncFolder(dirname(folder)).catch((error: unknown) => {
      // A folder may be closed to reading and open to making others in it; then it cannot be synced.
      if (!isIoError(error) || error.code !== "EACCES") throw error;
    });
  }
}

/** Throws when that cannot be told: a name that is too long, a parent that is a file or closed. */
async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isIoError(error) && error.code === "ENOENT") return false;
    throw error;
  }
}
