/**
 * `lambent restore`: a backup becomes the data folder of a server that is to be started. Every file is held against the
 * manifest while it is copied. The file `format`, without which no server takes a folder, comes last.
 */
import { existsSync } from "node:fs";
import { mkdir, open, readdir, rename, rm, rmdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { LambentError } from "../../base/index.ts";
import { lockDataFolder } from "../data-folder/data-folder.ts";
import { DATA_FOLDER_NAMES } from "../data-folder/names.ts";
import { isIoError } from "../io-error.ts";
import { makeFolders } from "../make-folders.ts";
import { syncFolder } from "../sync-folder.ts";
import { copyFileDurably } from "./copy-file.ts";
import { decodeManifest, type Manifest, MANIFEST_BYTES_MAX, MANIFEST_FILE } from "./manifest.ts";

/** Where files wait until all are there; what a killed restore left of it is no obstacle for the next. */
const DRAFT_FOLDER = DATA_FOLDER_NAMES.restoring;
/** What may be in the folder: set-up puts Python packages there before the first start. */
const ALLOWED = new Set<string>(["python", DRAFT_FOLDER]);

export interface RestoreReport {
  readonly folder: string;
  readonly files: number;
  readonly bytes: number;
  readonly takenAt: string;
  readonly lambent: string;
}

/**
 * Makes `dataFolder` from `backup`. Throws `BackupFailed` when the folder is not empty, or the backup is incomplete,
 * damaged or of a newer Lambent; the folder then holds nothing a server would start on.
 */
export async function restoreBackup(backup: string, dataFolder: string): Promise<RestoreReport> {
  const from = resolve(backup);
  const folder = resolve(dataFolder);
  const draft = join(folder, DRAFT_FOLDER);
  const wasThere = existsSync(folder);
  try {
    const manifest = decodeManifest(await readManifest(from));
    await refuseFolder(folder);
    await rm(draft, { recursive: true, force: true });
    await makeFolders(draft, 0o700);
    await copyAll(from, draft, manifest);
    await place(draft, folder);
    // Takes the folder as a server would: a file system that cannot keep it is refused now, and all folders are made.
    await (await lockDataFolder(folder)).release();
    const bytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0);
    return { folder, files: manifest.files.length, bytes, takenAt: manifest.takenAt, lambent: manifest.lambent };
  } catch (error) {
    // What else goes wrong here is not what is told.
    await rm(draft, { recursive: true, force: true }).catch(() => undefined);
    if (!wasThere) await rmdir(folder).catch(() => undefined);
    if (isIoError(error)) throw new LambentError("BackupFailed", `${from} cannot be restored to ${folder}: ${error.message}.`);
    throw error;
  }
}

async function readManifest(backup: string): Promise<string> {
  const file = await open(join(backup, MANIFEST_FILE), "r").catch((error: unknown) => {
    if (isIoError(error) && error.code === "ENOENT")
      throw new LambentError("BackupFailed", `${backup} is no backup, or one that was not finished: it has no ${MANIFEST_FILE}.`);
    throw error;
  });
  try {
    const { size } = await file.stat();
    if (size > MANIFEST_BYTES_MAX)
      throw new LambentError("BackupFailed", `${MANIFEST_FILE} has ${size} bytes; at most ${MANIFEST_BYTES_MAX} are read.`);
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
}

async function refuseFolder(folder: string): Promise<void> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (isIoError(error) && error.code === "ENOENT") return [];
    throw error;
  });
  const stray = names.find((name) => !ALLOWED.has(name));
  if (stray === undefined) return;
  throw new LambentError(
    "BackupFailed",
    `${folder} is not empty (it has ${stray}); restore into a new folder, or empty this one first: lambent reset --data ${folder}`,
  );
}

async function copyAll(backup: string, draft: string, manifest: Manifest): Promise<void> {
  const folders = new Set([draft]);
  /** With all above it. */
  const make = async (path: string): Promise<void> => {
    if (folders.has(path)) return;
    await make(dirname(path));
    await mkdir(path, { mode: 0o700 });
    folders.add(path);
  };
  await make(join(draft, "blobs"));
  for (const { path, bytes, sha256 } of manifest.files) {
    const target = join(draft, path);
    await make(dirname(target));
    const copied = await copyFileDurably(join(backup, path), target);
    if (copied.bytes !== bytes || copied.sha256 !== sha256)
      throw new LambentError(
        "BackupFailed",
        `The backup's file ${path} is damaged: it does not have the length and checksum the manifest names.`,
      );
  }
  for (const folder of folders) await syncFolder(folder);
}

async function place(draft: string, folder: string): Promise<void> {
  const names = (await readdir(draft)).filter((name) => name !== "format");
  for (const name of names) await rename(join(draft, name), join(folder, name));
  // A power cut may keep any of the names above and lose others: the last one is not written before they are on the disk.
  await syncFolder(folder);
  await rename(join(draft, "format"), join(folder, "format"));
  await rm(draft, { recursive: true });
  await syncFolder(folder);
  await syncFolder(dirname(folder));
}
