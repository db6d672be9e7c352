/**
 * The data folder: one server's whole state. Owns its layout and its lock; refuses a folder that is somebody else's,
 * of a newer format, or on a file system that cannot keep a write-ahead log.
 */
import { mkdir, readdir, readFile, rename, stat, statfs, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { LambentError } from "../../base/index.ts";
import { isIoError } from "../io-error.ts";
import { makeFolders } from "../make-folders.ts";
import { syncFolder } from "../sync-folder.ts";
import { mountedFileSystem, unusableFileSystem } from "./file-systems.ts";
import { takeLock } from "./lock.ts";
import { DATA_FOLDER_NAMES } from "./names.ts";

/** The layout's version; a folder of a newer one is refused. */
const DATA_FOLDER_FORMAT = 1;
const FORMAT_LINE = /^lambent data folder ([1-9][0-9]{0,5})\n?$/;

/** Paths inside a locked data folder. All of its folders exist. */
export interface DataFolder {
  readonly path: string;
  readonly storeFile: string;
  readonly blobs: string;
  /** Bodies of objects. */
  readonly objects: string;
  /** Instances' directories, on the file system of the code trees, so that assignment is a rename. */
  readonly slots: string;
  readonly tmp: string;
  readonly logs: string;
  readonly rootKeyFile: string;
  readonly configFile: string;
  /** Gives the lock back; the last thing a server does. */
  release(): Promise<void>;
}

/**
 * Takes the data folder at `path`, making it when absent, until `release`.
 *
 * Throws `DataFolderLocked` naming the other server's process id, or `DataFolderUnusable` saying why and what to do.
 */
export async function lockDataFolder(path: string): Promise<DataFolder> {
  const folder = resolve(path);
  try {
    await makeFolders(folder, 0o700);
    await refuseFileSystem(folder);
    const isNew = await inspectFormat(folder);
    const release = await takeLock(folder);
    try {
      if (isNew) await writeFormat(folder);
      return { ...(await layOut(folder)), release };
    } catch (error) {
      await release();
      throw error;
    }
  } catch (error) {
    if (isIoError(error)) throw new LambentError("DataFolderUnusable", `The data folder ${folder} cannot be used: ${error.message}.`);
    throw error;
  }
}

/** The file is absent or whole, at whatever moment the first start is killed. */
async function writeFormat(folder: string): Promise<void> {
  const draft = join(folder, DATA_FOLDER_NAMES.formatDraft);
  await writeFile(draft, `lambent data folder ${DATA_FOLDER_FORMAT}\n`, { mode: 0o600, flush: true });
  await rename(draft, join(folder, DATA_FOLDER_NAMES.format));
}

async function layOut(folder: string): Promise<Omit<DataFolder, "release">> {
  const { store, blobs, objects, slots, tmp, logs, rootKey, config } = DATA_FOLDER_NAMES;
  const at = (name: string): string => join(folder, name);
  for (const name of [blobs, objects, slots, tmp, logs]) await mkdir(at(name), { recursive: true, mode: 0o700 });
  await syncFolder(folder);
  return {
    path: folder,
    storeFile: at(store),
    blobs: at(blobs),
    objects: at(objects),
    slots: at(slots),
    tmp: at(tmp),
    logs: at(logs),
    rootKeyFile: at(rootKey),
    configFile: at(config),
  };
}

async function refuseFileSystem(folder: string): Promise<void> {
  if (process.platform !== "linux") return;
  const name = unusableFileSystem((await statfs(folder)).type, await mountedFileSystem((await stat(folder)).dev));
  if (name === undefined) return;
  throw new LambentError(
    "DataFolderUnusable",
    `The data folder ${folder} is on ${name}, where a write-ahead log is not safe; choose a folder on a local disk, for example --data ~/.lambent.`,
  );
}

/** True for a new folder. One with other things in it is somebody's home or project: nothing is put there. */
async function inspectFormat(folder: string): Promise<boolean> {
  const text = await readFile(join(folder, DATA_FOLDER_NAMES.format), "utf8").catch(() => undefined);
  if (text === undefined) {
    // Set-up makes `python` (boto3 for Python functions) before the first start.
    const ours = new Set<string>([DATA_FOLDER_NAMES.lock, "python", DATA_FOLDER_NAMES.formatDraft]);
    const others = (await readdir(folder)).filter((name) => !ours.has(name) && !name.startsWith("lock."));
    if (others.length === 0) return true;
    throw new LambentError(
      "DataFolderUnusable",
      `${folder} is not empty and is no Lambent data folder (it has no file "format"); choose another --data.`,
    );
  }
  const version = Number(FORMAT_LINE.exec(text)?.[1] ?? Number.NaN);
  if (version <= DATA_FOLDER_FORMAT) return false;
  const found = Number.isNaN(version)
    ? "an unreadable format file"
    : `format ${version}, and this Lambent reads up to ${DATA_FOLDER_FORMAT}`;
  throw new LambentError("DataFolderUnusable", `The data folder ${folder} has ${found}; use the Lambent that wrote it, or another --data.`);
}
