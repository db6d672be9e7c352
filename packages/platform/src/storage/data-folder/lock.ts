import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { LambentError } from "../../base/index.ts";
import { isIoError } from "../io-error.ts";

/** A lock that changes hands again and again while it is looked at is given up on. */
const ATTEMPTS_MAX = 8;

const HOLDER_FORM = /^([1-9][0-9]{0,9}) ([0-9]{0,20})\n$/;

let drafts = 0;

/** Who holds a folder: a process id alone may be another process by now, with its start time it is not. */
interface Holder {
  readonly pid: number;
  /** As the kernel counts it; empty where it does not tell. */
  readonly startedAt: string;
}

/**
 * Takes the folder's lock or throws `DataFolderLocked` naming the holder's process id. A lock whose process is gone
 * is taken over. Resolves with the function that gives it back.
 */
export async function takeLock(folder: string): Promise<() => Promise<void>> {
  const text = format({ pid: process.pid, startedAt: await startTimeOf(process.pid) });
  await acquire(folder, "lock", text);
  return () => release(join(folder, "lock"), text);
}

/**
 * Puts our text at `name`, unless a live process' text is there.
 *
 * Replacing a dead one's is a right that one process has: who holds the claim named after the dead text. It looks
 * again once it has it, because another may have had the claim, replaced the lock and given the claim back since.
 * A claim is a lock itself: should its holder die, it is taken over the same way.
 */
async function acquire(folder: string, name: string, text: string): Promise<void> {
  const path = join(folder, name);
  const draft = join(folder, `lock.draft.${process.pid}.${++drafts}`);
  await writeFile(draft, text, { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      if (await linked(draft, path)) return;
      const holder = await readHolder(path);
      if (holder === undefined) continue;
      if (await isAlive(holder)) throw locked(folder, holder);
      if (await replaced(folder, path, draft, holder, text)) return;
    }
  } finally {
    await rm(draft, { force: true });
  }
  throw new LambentError("DataFolderLocked", `Several servers try to use ${folder} at once; start one.`);
}

async function replaced(folder: string, path: string, draft: string, dead: Holder, text: string): Promise<boolean> {
  const claim = `lock.after.${dead.pid}.${dead.startedAt}`;
  await acquire(folder, claim, text);
  try {
    const current = await readHolder(path);
    if (current === undefined || format(current) !== format(dead)) return false;
    await rename(draft, path);
    return true;
  } finally {
    await release(join(folder, claim), text);
  }
}

function locked(folder: string, holder: Holder): LambentError {
  return new LambentError("DataFolderLocked", `The data folder ${folder} is used by the server with process id ${holder.pid}.`, {
    pid: holder.pid,
  });
}

/** Gives the complete draft its name in one step, so that nobody ever reads half a lock. */
async function linked(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (isIoError(error) && error.code === "EEXIST") return false;
    throw error;
  }
}

async function release(path: string, text: string): Promise<void> {
  const current = await readFile(path, "utf8").catch(() => undefined);
  if (current === text) await rm(path, { force: true });
}

/** `undefined` when the lock is gone; a file that is no lock counts as left by nobody. */
async function readHolder(path: string): Promise<Holder | undefined> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    if (isIoError(error) && error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const [, pid = "0", startedAt = ""] = HOLDER_FORM.exec(text) ?? [];
  return { pid: Number(pid), startedAt };
}

async function isAlive(holder: Holder): Promise<boolean> {
  if (holder.pid === 0) return false;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    // EPERM: it exists and belongs to somebody else.
    if (isIoError(error) && error.code === "ESRCH") return false;
  }
  return holder.startedAt === "" || holder.startedAt === (await startTimeOf(holder.pid));
}

/** Field 22 of /proc/<pid>/stat, counted behind the command's name, which may hold spaces and brackets. */
async function startTimeOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}

function format(holder: Holder): string {
  return `${holder.pid} ${holder.startedAt}\n`;
}
