import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SecureRandom } from "../base/index.ts";
import { ephemeralSecrets, openSecrets, type Secrets } from "../security/index.ts";
import { type Blobs, lockDataFolder, openBlobs, openMemoryStore, openSqliteStore, type Store } from "../storage/index.ts";
import { openMemoryBlobs } from "./memory-blobs.ts";

/** What a server keeps and where; `release` gives it all back. */
export interface Keep {
  readonly store: Store;
  readonly blobs: Blobs;
  readonly secrets: Secrets;
  /** Undefined when nothing is kept. */
  readonly dataFolder: string | undefined;
  /** Instances, code and logs lie on one file system, so that placing code is a rename. */
  readonly slots: string;
  readonly code: string;
  readonly trees: string;
  readonly logs: string;
  release(): Promise<void>;
}

/** Locks and opens the data folder, or makes a temporary one where only code and instances lie. */
export async function openKeep(dataFolder: string | undefined, secureRandom: SecureRandom): Promise<Keep> {
  return dataFolder === undefined ? openEphemeral(secureRandom) : await openFolder(dataFolder, secureRandom);
}

async function openFolder(path: string, secureRandom: SecureRandom): Promise<Keep> {
  const folder = await lockDataFolder(path);
  try {
    const secrets = openSecrets(folder.path, secureRandom);
    const store = await openSqliteStore({ file: folder.storeFile });
    const blobs = await openBlobs(folder.blobs, secureRandom);
    return {
      store,
      blobs,
      secrets,
      dataFolder: folder.path,
      slots: folder.slots,
      ...codeFolders(folder.path),
      logs: folder.logs,
      async release() {
        await store.close();
        await folder.release();
      },
    };
  } catch (error) {
    await folder.release();
    throw error;
  }
}

function openEphemeral(secureRandom: SecureRandom): Keep {
  const folder = mkdtempSync(join(tmpdir(), "lambent-memory-"));
  const store = openMemoryStore();
  const at = (name: string): string => {
    mkdirSync(join(folder, name), { recursive: true });
    return join(folder, name);
  };
  return {
    store,
    blobs: openMemoryBlobs(),
    secrets: ephemeralSecrets(secureRandom),
    dataFolder: undefined,
    slots: at("slots"),
    ...codeFolders(folder),
    logs: at("logs"),
    async release() {
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function codeFolders(folder: string): { readonly code: string; readonly trees: string } {
  return { code: join(folder, "code"), trees: join(folder, "trees") };
}
