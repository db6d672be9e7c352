import { mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { invariant } from "../base/index.ts";

/**
 * The folders of instances: `<slots>/<id>/{var,tmp,etc}`. `var` holds `task` (code) and `opt` (layers), which are
 * renamed in after the start; it is what gets bound, because a bind of `task` itself would keep the old folder.
 */
export interface Slot {
  readonly id: string;
  readonly folder: string;
  readonly varFolder: string;
  readonly tmpFolder: string;
}

/** An instance id: it names folders, cgroups and host names. */
const SLOT_ID = /^[a-z0-9][a-z0-9-]{0,35}$/;

/** Entries of `/tmp` that are counted at most; a folder with more is reported as full (P7). */
export const TMP_WALK_ENTRIES_MAX = 100_000;

/** Makes the folders of one instance; everything but `tmp` belongs to the platform. */
export function makeSlot(slotsFolder: string, id: string): Slot {
  invariant(SLOT_ID.test(id), `instance id ${JSON.stringify(id)} is not [a-z0-9-]{1,36}`);
  const folder = join(slotsFolder, id);
  const slot = { id, folder, varFolder: join(folder, "var"), tmpFolder: join(folder, "tmp") };
  mkdirSync(folder, { mode: 0o755 });
  mkdirSync(slot.varFolder, { mode: 0o755 });
  mkdirSync(slot.tmpFolder, { mode: 0o700 });
  // Empty folders, so that the paths exist before code is placed; a rename onto an empty folder replaces it.
  mkdirSync(join(slot.varFolder, "task"), { mode: 0o755 });
  mkdirSync(join(slot.varFolder, "opt"), { mode: 0o755 });
  symlinkSync("../tmp", join(slot.varFolder, "tmp"));
  return slot;
}

export async function placeTree(slot: Slot, tree: string, at: "task" | "opt"): Promise<void> {
  await rename(tree, join(slot.varFolder, at));
}

export async function removeSlot(slot: Slot): Promise<void> {
  await rm(slot.folder, { recursive: true, force: true, maxRetries: 3 });
}

/** Slot folders that exist: at open, those of a server that ended without removing them. */
export function leftoverSlots(slotsFolder: string): string[] {
  return readdirSync(slotsFolder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && SLOT_ID.test(entry.name))
    .map((entry) => join(slotsFolder, entry.name));
}

/** Bytes of disk below `folder`, links not followed; `Infinity` past the entry bound. Vanishing files count nothing. */
export async function bytesBelow(folder: string): Promise<number> {
  const waiting = [folder];
  let bytes = 0;
  let entries = 0;
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const found = await readdir(next, { withFileTypes: true }).catch(() => []);
    entries += found.length;
    if (entries > TMP_WALK_ENTRIES_MAX) return Infinity;
    for (const entry of found) {
      const path = join(next, entry.name);
      if (entry.isDirectory()) waiting.push(path);
      else if (entry.isFile())
        bytes += await stat(path).then(
          (info) => info.blocks * 512,
          () => 0,
        );
    }
  }
  return bytes;
}
