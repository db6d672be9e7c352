import { DatabaseSync } from "node:sqlite";
import { LambentError } from "../../base/index.ts";

/** SQLITE_BUSY: somebody else has the lock. */
const BUSY = 5;

/**
 * Takes the store for this process, until the returned function is called or the process is gone. The lock is the kernel's, on a
 * file beside the store: it also stands between processes that cannot see each other's ids, as in two containers with one
 * volume, where the data folder's own lock looks like one that was left behind. Throws `DataFolderLocked`.
 */
export function claimStore(file: string): () => void {
  const lock = new DatabaseSync(`${file}.lock`);
  try {
    // Nothing is ever written to it: the lock is all there is.
    lock.exec("pragma journal_mode=off; pragma locking_mode=exclusive; begin exclusive");
  } catch (error) {
    lock.close();
    if (error instanceof Error && "errcode" in error && (Number(error.errcode) & 0xff) === BUSY)
      throw new LambentError(
        "DataFolderLocked",
        `The store ${file} is used by another process, perhaps in another container; a data folder is for one server.`,
      );
    throw error;
  }
  return () => lock.close();
}
