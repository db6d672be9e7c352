/**
 * `lambent backup`: all that a running server keeps, as it was at one moment, in a folder of its own. The store is copied
 * in one read transaction; bodies are kept from being deleted from before that until they are copied, so every body a row
 * of the copy refers to is there; of the objects' files only those are copied. The copy is read whole and verified before it
 * gets its name, except that objects' files are held against their rows while they are copied.
 *
 * Not in it: logs of functions, unpacked code and instances, which are made again or not promised.
 */
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, isAbsolute, join, relative } from "node:path";
import { type Clock, invariant, LambentError, systemSecureRandom } from "../../base/index.ts";
import { type BlobFolder, openBlobs } from "../blobs/blobs.ts";
import type { BlobReferences } from "../blobs/references.ts";
import { isIoError } from "../io-error.ts";
import { SCHEMA_VERSION } from "../sqlite/schema.ts";
import { type EmbeddedStore, openSqliteStore } from "../sqlite/sqlite-store.ts";
import { syncFolder } from "../sync-folder.ts";
import { verifyKept, type VerifyReport } from "../verify/verify.ts";
import type { KeptObjects } from "../verify/verify-objects.ts";
import { copyFileDurably, hashFile } from "./copy-file.ts";
import { copyObjects } from "./copy-objects.ts";
import { BACKUP_FORMAT, type BackupFile, encodeManifest, MANIFEST_BYTES_MAX, MANIFEST_FILE } from "./manifest.ts";

/** Small files of a data folder that are copied where they are. */
const PLAIN_FILES = ["format", "root-key", "cipher-key", "config"];

export interface BackupParts {
  readonly store: EmbeddedStore;
  readonly blobs: BlobFolder;
  readonly references: readonly BlobReferences[];
  /** Without it, objects are not backed up. */
  readonly objects?: KeptObjects | undefined;
  readonly dataFolder: string;
  /** Absolute. Absent, or an empty folder. */
  readonly target: string;
  readonly lambentVersion: string;
  readonly clock: Clock;
}

export interface BackupReport {
  readonly target: string;
  readonly files: number;
  readonly bytes: number;
  readonly cells: number;
  readonly rows: number;
  readonly blobs: number;
  readonly objectFiles: number;
}

/**
 * Takes a backup beside everything that goes on. Throws `BackupFailed` naming what cannot be written, `StorageCorrupt`
 * naming damage in what would be backed up, `StorageBusy` when more is written meanwhile than can wait.
 */
export async function takeBackup(parts: BackupParts): Promise<BackupReport> {
  const { target } = parts;
  const draft = `${target}.lambent-incomplete`;
  try {
    await refuseTarget(parts);
    await rm(draft, { recursive: true, force: true });
    for (const folder of [draft, join(draft, "blobs")]) await mkdir(folder, { mode: 0o700 });
    const report = await fill(parts, draft);
    await rename(draft, target);
    await syncFolder(dirname(target));
    return report;
  } catch (error) {
    await rm(draft, { recursive: true, force: true }).catch(() => undefined);
    if (isIoError(error)) throw new LambentError("BackupFailed", `The backup ${target} cannot be written: ${error.message}.`);
    throw error;
  }
}

async function refuseTarget({ target, dataFolder }: BackupParts): Promise<void> {
  invariant(isAbsolute(target), "the target is an absolute path");
  const inside = relative(dataFolder, target);
  if (inside === "" || (!inside.startsWith("..") && !isAbsolute(inside)))
    throw new LambentError("BackupFailed", `${target} is inside the data folder; choose a folder elsewhere, best on another disk.`);
  if (existsSync(target) && (await readdir(target)).length > 0)
    throw new LambentError("BackupFailed", `${target} is not empty; choose a new folder.`);
}

async function fill(parts: BackupParts, draft: string): Promise<BackupReport> {
  const { store, blobs, dataFolder } = parts;
  const files: BackupFile[] = [];
  const letDelete = blobs.holdDeletes();
  const letRemove = parts.objects?.bodies.holdRemovals();
  let objects: readonly BackupFile[] = [];
  try {
    await store.copyTo(join(draft, "store.db"));
    for (const path of PLAIN_FILES.filter((name) => existsSync(join(dataFolder, name))))
      files.push({ path, ...(await copyFileDurably(join(dataFolder, path), join(draft, path))) });
    files.push(...(await copyBodies(blobs, draft)));
    if (parts.objects) objects = await copyObjects(parts.objects, draft);
  } finally {
    await letDelete();
    await letRemove?.();
  }
  for (const file of objects) files.push(file);
  const report = await verifyCopy(draft, parts.references);
  // Closing keeps quiet about a write that fails, and leaves the log: then the file alone is not what was verified.
  if (existsSync(join(draft, "store.db-wal")))
    throw new LambentError("BackupFailed", `The backup ${parts.target} cannot be written: its store could not be closed.`);
  files.push({ path: "store.db", ...(await hashFile(join(draft, "store.db"))) });
  const manifest = {
    format: BACKUP_FORMAT,
    schema: SCHEMA_VERSION,
    lambent: parts.lambentVersion,
    takenAt: new Date(parts.clock.now()).toISOString(),
    files,
  };
  const text = encodeManifest(manifest);
  if (Buffer.byteLength(text) > MANIFEST_BYTES_MAX)
    throw new LambentError(
      "BackupFailed",
      `The backup ${parts.target} would have ${files.length} files, which is more than a manifest names.`,
    );
  await writeFile(join(draft, MANIFEST_FILE), text, { mode: 0o600, flush: true });
  await syncFolder(draft);
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const { cells, rows, blobs: bodies } = report;
  return { target: parts.target, files: files.length, bytes, cells, rows, blobs: bodies, objectFiles: objects.length };
}

/** A body that joins while this lists is in or not: no row of the copy refers to it. */
async function copyBodies(blobs: BlobFolder, draft: string): Promise<BackupFile[]> {
  const files: BackupFile[] = [];
  const folders = new Set<string>();
  for await (const { digest } of blobs.list()) {
    if (digest === undefined) continue;
    const folder = `blobs/${digest.slice(0, 2)}`;
    if (!folders.has(folder)) await mkdir(join(draft, folder), { mode: 0o700 });
    folders.add(folder);
    const path = `${folder}/${digest}`;
    const copied = await copyFileDurably(blobs.pathOf(digest), join(draft, path));
    if (copied.sha256 !== digest)
      throw new LambentError("StorageCorrupt", `The body ${digest} does not have its checksum; lambent verify names what refers to it.`);
    files.push({ path, ...copied });
  }
  for (const folder of [...folders, "blobs"]) await syncFolder(join(draft, folder));
  return files;
}

/** Reads the copy as a restored server would. Opening it also leaves one file without a log beside it. */
async function verifyCopy(draft: string, references: readonly BlobReferences[]): Promise<VerifyReport> {
  const storeFile = join(draft, "store.db");
  const store = await openSqliteStore({ file: storeFile });
  try {
    const blobs = await openBlobs(join(draft, "blobs"), systemSecureRandom);
    const report = await verifyKept({ store, storeFile, blobs, references, structure: true });
    const [first] = report.faults;
    if (!first) return report;
    throw new LambentError(
      "StorageCorrupt",
      `What would be backed up is damaged: ${first.kind} ${first.name}: ${first.what}${report.faultCount > 1 ? `, and ${report.faultCount - 1} more` : ""}. No backup was made; lambent verify shows all.`,
    );
  } finally {
    await store.close();
    for (const left of ["store.db.lock", "blobs/incoming"]) await rm(join(draft, left), { recursive: true, force: true });
  }
}
