import { createHash, type Hash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { LambentError } from "../../base/index.ts";
import { bodyPath } from "../bodies/bodies.ts";
import { differenceOf, eachBodyReference, nameOf, type RowReference, whoRefers } from "../bodies/references.ts";
import { openSqliteStore } from "../sqlite/sqlite-store.ts";
import { syncFolder } from "../sync-folder.ts";
import type { KeptObjects } from "../verify/verify-objects.ts";
import { writeContent } from "./copy-file.ts";
import type { BackupFile } from "./manifest.ts";

/** Copies the files that rows of the copied store refer to. Throws `StorageCorrupt` for one that is not what its row says. */
export async function copyObjects({ bodies, references }: KeptObjects, draft: string): Promise<BackupFile[]> {
  if (references.length === 0) return [];
  const files: BackupFile[] = [];
  const folders = new Set<string>();
  const store = await openSqliteStore({ file: join(draft, "store.db") });
  try {
    for await (const reference of eachBodyReference(store, references)) {
      const path = `objects/${bodyPath(reference.owner, reference.file)}`;
      const target = join(draft, path);
      if (existsSync(target)) continue;
      await mkdir(dirname(target), { recursive: true, mode: 0o700 });
      for (let folder = dirname(target); folder !== draft && !folders.has(folder); folder = dirname(folder)) folders.add(folder);
      files.push({ path, ...(await copyObject(reference, await bodies.read(reference.owner, reference.file), target)) });
    }
  } finally {
    await store.close();
    await rm(join(draft, "store.db.lock"), { force: true });
  }
  for (const folder of folders) await syncFolder(folder);
  return files;
}

async function copyObject(reference: RowReference, source: Readable | undefined, target: string) {
  const md5 = createHash("md5");
  const copied = source && (await copyContent(source, target, md5));
  const what = differenceOf(reference, copied && { bytes: copied.bytes, md5: md5.digest("hex") });
  if (what === undefined && copied) return copied;
  throw new LambentError(
    "StorageCorrupt",
    `What would be backed up is damaged: object ${nameOf(reference)}: ${what}, and ${whoRefers(reference)}. No backup was made; lambent verify shows all.`,
  );
}

async function copyContent(source: Readable, target: string, md5: Hash) {
  try {
    return await writeContent(target, source as AsyncIterable<Buffer>, (chunk) => md5.update(chunk));
  } finally {
    // Where the target could not even be made, nothing of it was read, and it would stay open.
    source.destroy();
  }
}
