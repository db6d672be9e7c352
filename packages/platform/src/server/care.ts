import { readdirSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { VerifyDataResponse } from "../api/index.ts";
import { type Clock, LambentError } from "../base/index.ts";
import {
  type BackupReport,
  type BodyReferences,
  DATA_FOLDER_NAMES,
  restoreBackup,
  type RestoreReport,
  startSweeping,
  takeBackup,
  verifyDataFolder,
  verifyKept,
  type VerifyReport,
} from "../storage/index.ts";
import { BLOB_REFERENCES } from "./blob-references.ts";
import type { Keep } from "./keep.ts";
import { platformVersion } from "./version.ts";

/** Looking after the data folder while the server runs: one look or copy at a time. */
export interface Care {
  verify(): Promise<VerifyReport>;
  /** `target` is absolute, on this machine. */
  backup(target: string): Promise<BackupReport>;
  close(): Promise<void>;
}

/** Begins sweeping, and verifies and backs up when asked. Both throw `InvalidParameter` where nothing is kept, `Conflict` while one is under way. */
export function openCare({ embedded, bodies, dataFolder }: Keep, clock: Clock, onTrouble: (error: unknown) => void): Care {
  if (!embedded || dataFolder === undefined) return { verify: nothingKept, backup: nothingKept, close: () => Promise.resolve() };
  const stopSweeping = startSweeping({ ...embedded, references: BLOB_REFERENCES, clock }, onTrouble);
  let underWay = false;
  const alone = async <T>(work: () => Promise<T>): Promise<T> => {
    if (underWay) throw new LambentError("Conflict", "A backup or a verify is under way; repeat when it is done.");
    underWay = true;
    return work().finally(() => (underWay = false));
  };
  const parts = { ...embedded, references: BLOB_REFERENCES, dataFolder, clock, lambentVersion: platformVersion() };
  const objects = async () => ({ bodies, references: await bodyReferences() });
  return {
    verify: () => alone(async () => verifyKept({ ...parts, objects: await objects(), structure: false })),
    backup: (target) => alone(async () => takeBackup({ ...parts, objects: await objects(), target })),
    close: stopSweeping,
  };
}

/** Verifies the data folder of a stopped server; see `storage`'s `verifyDataFolder`. Answers as a running server does. */
export async function verifyStoppedFolder(path: string): Promise<VerifyDataResponse> {
  const report = await verifyDataFolder(path, BLOB_REFERENCES, await bodyReferences());
  // A start of the server does not wait for the API's modules.
  const { verifyShape } = await import("../api/index.ts");
  return verifyShape(report);
}

/** Every part whose rows refer to files of objects. A start of the server does not wait for them. */
async function bodyReferences(): Promise<readonly BodyReferences[]> {
  const { OBJECT_BODIES } = await import("../objects/index.ts");
  return [OBJECT_BODIES];
}

/** Makes a data folder from a backup; see `storage`'s `restoreBackup`. */
export function restoreDataFolder(backup: string, dataFolder: string): Promise<RestoreReport> {
  return restoreBackup(backup, dataFolder);
}

/** Removes all that servers put into a folder, and the folder when nothing else is in it. Nobody may be using it. */
export function emptyDataFolder(folder: string): void {
  for (const name of Object.values(DATA_FOLDER_NAMES)) rmSync(join(folder, name), { recursive: true, force: true });
  if (readdirSync(folder).length === 0) rmdirSync(folder);
}

async function nothingKept(): Promise<never> {
  throw new LambentError("InvalidParameter", "This server keeps everything in memory: there is nothing to verify or back up.");
}
