import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { isLambentError, LambentError, systemSecureRandom } from "../../base/index.ts";
import { MANIFEST_FILE } from "../backup/manifest.ts";
import { openBlobs } from "../blobs/blobs.ts";
import { openBodyFiles } from "../bodies/bodies.ts";
import type { BodyReferences } from "../bodies/references.ts";
import type { BlobReferences } from "../blobs/references.ts";
import { lockDataFolder } from "../data-folder/data-folder.ts";
import { type EmbeddedStore, openSqliteStore } from "../sqlite/sqlite-store.ts";
import { unopenedReport, verifyKept, type VerifyReport } from "./verify.ts";

/**
 * Verifies the data folder of a stopped server, SQLite's own file included. Throws `NotFound` where there is none,
 * `InvalidParameter` for a backup, which opening would change, `DataFolderLocked` while a server uses it, `DataFolderUnusable` for one of a newer Lambent. A store that is too damaged
 * to open is a report with one fault.
 */
export async function verifyDataFolder(
  path: string,
  references: readonly BlobReferences[],
  bodyReferences: readonly BodyReferences[] = [],
): Promise<VerifyReport> {
  if (!existsSync(join(path, "format"))) throw new LambentError("NotFound", `${resolve(path)} is no data folder: it has no file "format".`);
  if (existsSync(join(path, MANIFEST_FILE)))
    throw new LambentError("InvalidParameter", `${resolve(path)} is a backup, which is left as it was taken: it has a ${MANIFEST_FILE}.`);
  const folder = await lockDataFolder(path);
  try {
    if (!existsSync(folder.storeFile)) return unopenedReport(folder.storeFile, "it is missing; restore a backup.");
    let store: EmbeddedStore;
    try {
      store = await openSqliteStore({ file: folder.storeFile });
    } catch (error) {
      if (isLambentError(error, "StorageCorrupt")) return unopenedReport(folder.storeFile, error.message);
      throw error;
    }
    try {
      const blobs = await openBlobs(folder.blobs, systemSecureRandom);
      const objects = { bodies: await openBodyFiles(folder.objects), references: bodyReferences };
      return await verifyKept({ store, storeFile: folder.storeFile, blobs, references, objects, structure: true });
    } finally {
      await store.close();
    }
  } finally {
    await folder.release();
  }
}
