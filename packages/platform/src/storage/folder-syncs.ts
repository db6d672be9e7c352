/**
 * Makes names in folders durable (P1), for all who ask at once: a sync that begins after a name was made covers it, so one is
 * under way in a folder and one more, at most, waits for it.
 */
import { dirname } from "node:path";
import { LambentError, Lru } from "../base/index.ts";
import { isIoError } from "./io-error.ts";
import { syncFolder } from "./sync-folder.ts";

/** Folders of which it is remembered that they are on the disk; one that was forgotten is synced once more. */
const FOLDERS_REMEMBERED_MAX = 20_000;

export class FolderSyncs {
  /** `the name of a body`. */
  readonly #what: string;
  readonly #syncOne: (folder: string) => Promise<void>;
  readonly #underWay = new Map<string, Promise<void>>();
  readonly #waiting = new Map<string, Promise<void>>();
  /** Folders whose own name is on the disk: somebody else, or a process that was killed, may have made them a moment ago. */
  readonly #named = new Lru<string, Promise<void>>(FOLDERS_REMEMBERED_MAX);
  /** Folders in which names from earlier processes are on the disk. */
  readonly #settled = new Lru<string, Promise<void>>(FOLDERS_REMEMBERED_MAX);
  /** Set once an fsync failed: which names are on the disk is not known, and a second fsync may succeed without them (P1). */
  #failure: LambentError | undefined;

  constructor(what: string, syncOne: (folder: string) => Promise<void> = syncFolder) {
    this.#what = what;
    this.#syncOne = syncOne;
  }

  /** Throws `StorageStopped` once a folder's fsync failed. */
  refuseOnceFailed(): void {
    if (this.#failure) throw this.#failure;
  }

  /** What was made, renamed or removed in `folder` before this call survives a power cut once it resolves. */
  sync(folder: string): Promise<void> {
    const waiting = this.#waiting.get(folder);
    if (waiting) return waiting;
    const before = this.#underWay.get(folder);
    if (!before) return this.#begin(folder);
    const begin = (): Promise<void> => this.#begin(folder);
    const next = before.then(begin, begin);
    this.#waiting.set(folder, next);
    return next;
  }

  /** The folder's own name is durable. */
  named(folder: string): Promise<void> {
    return once(this.#named, folder, () => this.sync(dirname(folder)));
  }

  /** So are the names in it that an earlier process may have made a moment before it was killed. */
  settled(folder: string): Promise<void> {
    return once(this.#settled, folder, () => this.sync(folder));
  }

  #begin(folder: string): Promise<void> {
    this.#waiting.delete(folder);
    const mine = this.#sync(folder).finally(() => {
      if (this.#underWay.get(folder) === mine) this.#underWay.delete(folder);
    });
    this.#underWay.set(folder, mine);
    return mine;
  }

  async #sync(folder: string): Promise<void> {
    try {
      await this.#syncOne(folder);
    } catch (error) {
      // A folder that could not even be opened has lost nothing.
      if (!isIoError(error) || error.syscall === "open") throw error;
      this.#failure ??= new LambentError("StorageStopped", `The disk refused to keep ${this.#what}: ${error.message}.`);
    }
    this.refuseOnceFailed();
  }
}

/** What was begun for `key` before, or `work`, begun now. */
function once(begun: Lru<string, Promise<void>>, key: string, work: () => Promise<void>): Promise<void> {
  const known = begun.get(key);
  if (known) return known;
  const mine = work();
  begun.set(key, mine);
  // What did not come about is begun again by whoever asks next.
  mine.catch(() => begun.delete(key));
  return mine;
}
