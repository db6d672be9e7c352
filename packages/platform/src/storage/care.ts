/**
 * Looking after what is kept: verify, backup, restore, sweeping. Used seldom, so the modules are loaded when they are: a start of
 * the server does not wait for them.
 */
import type { BackupParts, BackupReport } from "./backup/backup.ts";
import type { RestoreReport } from "./backup/restore.ts";
import type { BlobReferences } from "./blobs/references.ts";
import type { BodyReferences } from "./bodies/references.ts";
import type { SweepParts } from "./blobs/sweep.ts";
import type { VerifyParts, VerifyReport } from "./verify/verify.ts";

/** Reads everything a running server keeps and reports what is not as it was written. A cell that is damaged is stopped by it. */
export async function verifyKept(parts: VerifyParts): Promise<VerifyReport> {
  return (await import("./verify/verify.ts")).verifyKept(parts);
}

/**
 * The same for the data folder of a stopped server. Throws `NotFound` where there is none, `DataFolderLocked` while a server uses
 * it, `DataFolderUnusable` for one of a newer Lambent. A store that is too damaged to open is a report with one fault.
 */
export async function verifyDataFolder(
  path: string,
  references: readonly BlobReferences[],
  bodyReferences?: readonly BodyReferences[],
): Promise<VerifyReport> {
  return (await import("./verify/verify-folder.ts")).verifyDataFolder(path, references, bodyReferences);
}

/**
 * Takes a backup beside everything that goes on. Throws `BackupFailed` naming what cannot be written, `StorageCorrupt` naming
 * damage in what would be backed up, `StorageBusy` when more is written meanwhile than can wait.
 */
export async function takeBackup(parts: BackupParts): Promise<BackupReport> {
  return (await import("./backup/backup.ts")).takeBackup(parts);
}

/**
 * Makes a data folder from a backup. Throws `BackupFailed` when the folder is not empty, or the backup is incomplete, damaged or
 * of a newer Lambent; the folder then holds nothing a server would start on.
 */
export async function restoreBackup(backup: string, dataFolder: string): Promise<RestoreReport> {
  return (await import("./backup/restore.ts")).restoreBackup(backup, dataFolder);
}

/** Removes bodies no row refers to that are old enough, and returns how many went. */
export async function sweepBlobs(parts: SweepParts): Promise<number> {
  return (await import("./blobs/sweep.ts")).sweepBlobs(parts);
}
