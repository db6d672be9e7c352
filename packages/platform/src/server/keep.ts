import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SecureRandom } from "../base/index.ts";
import { ephemeralSecrets, openSecrets, type Secrets } from "../security/index.ts";
import {
  type BlobFolder,
  type Blobs,
  type BodyFiles,
  DATA_FOLDER_NAMES,
  type EmbeddedStore,
  lockDataFolder,
  openBlobs,
  openBodyFiles,
  openMemoryStore,
  openSqliteStore,
  type Store,
} from "../storage/index.ts";
import { openMemoryBlobs } from "./memory-blobs.ts";

/** Where a server's files lie. Instances, code and logs share one file system, so that placing code is a rename. */
export interface Folders {
  /** Undefined when nothing is kept: the others are temporary then. */
  readonly data: { readonly path: string; readonly storeFile: string; readonly blobs: string } | undefined;
  /** Bodies of objects. */
  readonly objects: string;
  readonly slots: string;
  readonly code: string;
  readonly trees: string;
  readonly logs: string;
  /** What was found out about the machine's Pythons. */
  readonly memoryFile: string | undefined;
  /** Unlocks the data folder, or removes the temporary one. */
  release(): Promise<void>;
}

/** What a server keeps. */
export interface Keep {
  readonly store: Store;
  readonly blobs: Blobs;
  /** Bodies of objects: files also where nothing else is kept. */
  readonly bodies: BodyFiles;
  readonly secrets: Secrets;
  readonly dataFolder: string | undefined;
  /** The same store and blobs with what looking after files of this machine needs; undefined when nothing is kept. */
  readonly embedded: { readonly store: EmbeddedStore; readonly storeFile: string; readonly blobs: BlobFolder } | undefined;
  close(): Promise<void>;
}

/** Locks the data folder, or makes a temporary one where only code, instances and logs lie. */
export async function openFolders(dataFolder: string | undefined): Promise<Folders> {
  if (dataFolder === undefined) return temporaryFolders();
  const folder = await lockDataFolder(dataFolder);
  const { path, storeFile, blobs, objects, slots, logs } = folder;
  return {
    data: { path, storeFile, blobs },
    objects,
    slots,
    logs,
    ...codeFolders(path),
    memoryFile: join(path, DATA_FOLDER_NAMES.pythons),
    release: () => folder.release(),
  };
}

function temporaryFolders(): Folders {
  const folder = mkdtempSync(join(tmpdir(), "lambent-memory-"));
  const at = (name: string): string => {
    mkdirSync(join(folder, name), { recursive: true });
    return join(folder, name);
  };
  return {
    data: undefined,
    objects: at("objects"),
    slots: at("slots"),
    logs: at("logs"),
    ...codeFolders(folder),
    memoryFile: undefined,
    release() {
      rmSync(folder, { recursive: true, force: true });
      return Promise.resolve();
    },
  };
}

function codeFolders(folder: string): { readonly code: string; readonly trees: string } {
  return { code: join(folder, DATA_FOLDER_NAMES.code), trees: join(folder, DATA_FOLDER_NAMES.trees) };
}

/** Opens store, blobs and secrets of a locked data folder, or makes them in memory. */
export async function openKeep({ data, objects }: Folders, secureRandom: SecureRandom): Promise<Keep> {
  if (data === undefined) {
    const store = openMemoryStore();
    const secrets = ephemeralSecrets(secureRandom);
    const bodies = await openBodyFiles(objects);
    return { store, blobs: openMemoryBlobs(), bodies, secrets, dataFolder: undefined, embedded: undefined, close: () => store.close() };
  }
  const secrets = openSecrets(data.path, secureRandom);
  const store = await openSqliteStore({ file: data.storeFile });
  const blobs = await openBlobs(data.blobs, secureRandom);
  const bodies = await openBodyFiles(objects);
  const embedded = { store, storeFile: data.storeFile, blobs };
  return { store, blobs, bodies, secrets, dataFolder: data.path, embedded, close: () => store.close() };
}
