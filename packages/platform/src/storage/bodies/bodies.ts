/**
 * Bodies of objects as files by name: `<folder>/<owner>/<first 2 characters>/<file>`, each owner's in a folder of its own. What
 * `write`, `link` and `remove` did is on the disk when they resolve (P1).
 *
 * It does not know who refers to a file, and never looks for files that nobody refers to: owners say so in the commits of their
 * cells, before a file gets its name. A file that is being written has none; what a crash left of those goes at open.
 *
 * Names that begin alike are made in one folder, and those that are made there at once share its fsync.
 */
import { constants } from "node:fs";
import { copyFile, link, mkdir, open, readdir, rename, rm, unlink, type FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { failpoint, invariant, LambentError } from "../../base/index.ts";
import { FolderSyncs } from "../folder-syncs.ts";
import { isIoError } from "../io-error.ts";
import { syncFolder } from "../sync-folder.ts";
import { type Source, writeNewFile } from "../write-file.ts";

/** Where files are written, so that a rename never crosses file systems. No owner is called so. */
const INCOMING_FOLDER = ".incoming";
/** Where files go that are removed while removals are held. */
const REMOVED_FOLDER = ".removed";
const NAME_FORM = /^[A-Za-z0-9_-]{2,128}$/;
const READ_BYTES = 256 * 1024;
/** What systems say that do not link: other file systems, files with too many links, links that are forbidden. */
const REFUSED_LINKS: ReadonlySet<string> = new Set(["EPERM", "EMLINK", "EXDEV", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"]);

/** Names a file. Owner and file have 2 to 128 letters, digits, `-` and `_`. */
export interface BodyName {
  readonly owner: string;
  readonly file: string;
}

/** Bytes from the first, `start`, to the last, `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface BodyFiles {
  /**
   * Writes a new file. A name is given once: it is not looked whether there is one. Chunks are left alone until it resolves.
   * Throws `StorageFull` where there is no room, `StorageStopped` for what else the disk refuses, and what `source` throws;
   * then there is no file, except where only its name could not be kept.
   */
  write(owner: string, file: string, source: Source): Promise<void>;
  /**
   * Opens a file, or a range of it, before it resolves: a removal does not disturb what is read then. Undefined when it is absent.
   * Whoever does not read to the end destroys the stream.
   */
  read(owner: string, file: string, range?: ByteRange): Promise<Readable | undefined>;
  /** Gives a file another name, as a file of its own: no byte is written unless links are refused here. Throws `NotFound` when it is absent. */
  link(from: BodyName, to: BodyName): Promise<void>;
  /** Removes a file; absent ones too. */
  remove(owner: string, file: string): Promise<void>;
  /** Removes all files of an owner, of whom nothing is written any more. */
  removeOwner(owner: string): Promise<void>;
  /** From now on removed files can be read until the returned function is called: whoever copies files finds all that were there. */
  holdRemovals(): () => Promise<void>;
  /** All files, an owner's together. Undefined under names that no file has. */
  list(): AsyncGenerator<{ readonly path: string; readonly body: BodyName | undefined }>;
}

/** What is asked of the system and fails in ways that a test has to make up. */
export interface SystemCalls {
  readonly open: typeof open;
  readonly link: typeof link;
  readonly syncFolder: typeof syncFolder;
}

interface Hold {
  readonly folder: string;
  holders: number;
}

/** Opens the files below `folder`, making it when absent and removing what a crash left half written. */
export async function openBodyFiles(folder: string, calls: Partial<SystemCalls> = {}): Promise<BodyFiles> {
  for (const name of [INCOMING_FOLDER, REMOVED_FOLDER]) {
    await mkdir(join(folder, name), { recursive: true, mode: 0o700 });
    for (const left of await readdir(join(folder, name))) await rm(join(folder, name, left), { recursive: true, force: true });
  }
  return new FolderBodies(folder, { open, link, syncFolder, ...calls });
}

class FolderBodies implements BodyFiles {
  readonly #folder: string;
  readonly #calls: SystemCalls;
  readonly #syncs: FolderSyncs;
  #hold: Hold | undefined;
  #holds = 0;

  constructor(folder: string, calls: SystemCalls) {
    this.#folder = folder;
    this.#calls = calls;
    this.#syncs = new FolderSyncs("the name of an object's file", calls.syncFolder);
  }

  async write(owner: string, file: string, source: Source): Promise<void> {
    const path = this.#pathOf(owner, file);
    this.#syncs.refuseOnceFailed();
    const draft = this.#draftOf(owner, file);
    await writeNewFile(draft, source, { onDiskError: refused, openFile: this.#calls.open });
    failpoint("body.written");
    await this.#place(draft, path);
  }

  async read(owner: string, file: string, range?: ByteRange): Promise<Readable | undefined> {
    return onDisk(async () => {
      const opened =
        (await openIfThere(this.#pathOf(owner, file))) ?? (this.#hold && (await openIfThere(heldPath(this.#hold, owner, file))));
      return opened?.createReadStream({ highWaterMark: READ_BYTES, ...range });
    });
  }

  async link(from: BodyName, to: BodyName): Promise<void> {
    const [source, target] = [this.#pathOf(from.owner, from.file), this.#pathOf(to.owner, to.file)];
    this.#syncs.refuseOnceFailed();
    try {
      await this.#makeFolder(dirname(target));
      await this.#calls.link(source, target);
    } catch (error) {
      if (!isIoError(error)) throw error;
      if (error.code === "ENOENT") throw new LambentError("NotFound", `There is no file ${from.owner}/${from.file}.`, { what: "file" });
      if (!REFUSED_LINKS.has(error.code)) throw refused(error);
      return this.#copy(source, to, target);
    }
    await onDisk(() => this.#syncs.sync(dirname(target)));
  }

  async remove(owner: string, file: string): Promise<void> {
    const path = this.#pathOf(owner, file);
    this.#syncs.refuseOnceFailed();
    await onDisk(async () => {
      await this.#take(owner, file);
      // Also where it was absent: an earlier process may have removed it a moment before it was killed.
      await unlessAbsent(this.#syncs.sync(dirname(path)));
    });
  }

  async removeOwner(owner: string): Promise<void> {
    const folder = this.#ownerFolder(owner);
    this.#syncs.refuseOnceFailed();
    await onDisk(async () => {
      if (this.#hold) for await (const { file } of this.#filesOf(owner)) if (NAME_FORM.test(file)) await this.#take(owner, file);
      await rm(folder, { recursive: true, force: true });
      await this.#syncs.sync(this.#folder);
    });
  }

  holdRemovals(): () => Promise<void> {
    // Each time a folder of its own: letting go removes nothing of those who hold again meanwhile.
    const hold = (this.#hold ??= { folder: join(this.#folder, REMOVED_FOLDER, String(++this.#holds)), holders: 0 });
    hold.holders++;
    return async () => {
      if (--hold.holders > 0) return;
      if (this.#hold === hold) this.#hold = undefined;
      await onDisk(() => rm(hold.folder, { recursive: true, force: true }));
    };
  }

  async *list(): AsyncGenerator<{ readonly path: string; readonly body: BodyName | undefined }> {
    for (const owner of await readdir(this.#folder)) {
      if (owner === INCOMING_FOLDER || owner === REMOVED_FOLDER) continue;
      if (!NAME_FORM.test(owner)) yield { path: owner, body: undefined };
      else
        for await (const { path, file } of this.#filesOf(owner))
          yield { path, body: NAME_FORM.test(file) && path === bodyPath(owner, file) ? { owner, file } : undefined };
    }
  }

  async *#filesOf(owner: string): AsyncGenerator<{ readonly path: string; readonly file: string }> {
    const folder = this.#ownerFolder(owner);
    for (const prefix of await readdirIfThere(folder))
      for (const file of await readdirIfThere(join(folder, prefix))) yield { path: `${owner}/${prefix}/${file}`, file };
  }

  /** Gives a file that is durable its name. */
  async #place(draft: string, path: string): Promise<void> {
    const folder = dirname(path);
    try {
      await this.#makeFolder(folder);
      await rename(draft, path);
    } catch (error) {
      await rm(draft, { force: true }).catch(() => undefined);
      throw refused(error);
    }
    failpoint("body.named");
    await onDisk(() => this.#syncs.sync(folder));
  }

  /** Makes the folder of a file, and its owner's. */
  async #makeFolder(folder: string): Promise<void> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await this.#syncs.named(dirname(folder));
    await this.#syncs.named(folder);
  }

  async #copy(source: string, { owner, file }: BodyName, target: string): Promise<void> {
    const draft = this.#draftOf(owner, file);
    try {
      await copyFile(source, draft, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
      await syncFile(await this.#calls.open(draft, "r+"));
    } catch (error) {
      await rm(draft, { force: true }).catch(() => undefined);
      throw refused(error);
    }
    await this.#place(draft, target);
  }

  /** Takes a file out of its folder; while removals are held, to where it can still be read. */
  async #take(owner: string, file: string): Promise<void> {
    const path = this.#pathOf(owner, file);
    const hold = this.#hold;
    if (hold) {
      await mkdir(hold.folder, { recursive: true, mode: 0o700 });
      await unlessAbsent(rename(path, heldPath(hold, owner, file)));
    }
    // Let go meanwhile, the folder to move it to may have been gone.
    if (!hold || hold !== this.#hold) await unlessAbsent(unlink(path));
  }

  #draftOf(owner: string, file: string): string {
    return join(this.#folder, INCOMING_FOLDER, `${owner}.${file}`);
  }

  #ownerFolder(owner: string): string {
    invariant(NAME_FORM.test(owner), `${owner} is no owner of files`);
    return join(this.#folder, owner);
  }

  #pathOf(owner: string, file: string): string {
    invariant(NAME_FORM.test(owner) && NAME_FORM.test(file), `${owner}/${file} names no file`);
    return join(this.#folder, bodyPath(owner, file));
  }
}

/** Where a file is below the folder of all, with `/`. */
export function bodyPath(owner: string, file: string): string {
  return `${owner}/${file.slice(0, 2)}/${file}`;
}

function heldPath({ folder }: Hold, owner: string, file: string): string {
  return join(folder, `${owner}.${file}`);
}

async function syncFile(file: FileHandle): Promise<void> {
  try {
    await file.datasync();
  } finally {
    await file.close();
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  return unlessAbsent(open(path, "r"));
}

async function readdirIfThere(path: string): Promise<string[]> {
  return (await unlessAbsent(readdir(path))) ?? [];
}

async function unlessAbsent<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isIoError(error) && (error.code === "ENOENT" || error.code === "ENOTDIR")) return undefined;
    throw error;
  }
}

async function onDisk<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw refused(error);
  }
}

/** What the system said, as it is told. */
function refused(error: unknown): unknown {
  if (!isIoError(error)) return error;
  if (error.code === "ENOSPC" || error.code === "EDQUOT")
    return new LambentError("StorageFull", `There is no room on the disk for this body: ${error.message}.`);
  return new LambentError("StorageStopped", `The disk refused a body: ${error.message}.`);
}
