import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { chown, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Clock } from "../../base/index.ts";
import { messageOf } from "../spawn.ts";

const run = promisify(execFile);

/** Loop devices are the host's: instances beyond this many have their `/tmp` accounted instead (P7). */
export const TMP_IMAGES_MAX = 64;
/** Mounted images of the default size that wait for an instance. */
export const TMP_IMAGES_READY_MAX = 2;
/** The size that waits ready: AWS's default. */
const TMP_DEFAULT_MB = 512;
/** A taken image is replaced only after this long, so that the start that took it has the processor. */
const REFILL_DELAY_MS = 100;
/** Makes the file system in the image `$1` and mounts it at `$2`: one start of a process where two would cost the server two. */
const MAKE_AND_MOUNT =
  'mkfs.ext4 -q -F -m 0 -O ^has_journal,^resize_inode -E lazy_itable_init=1,nodiscard "$1" && exec mount -o loop,nosuid,nodev,noatime "$1" "$2"';
/** Part of the image that ext4 keeps for itself: 512 MB of image hold 493 of files. */
const FILE_SYSTEM_OVERHEAD = 1.04;

/** One mounted image, in the hands of one instance. */
export interface TmpImage {
  readonly folder: string;
  release(): Promise<void>;
}

/**
 * `/tmp` of exactly the promised size: an ext4 image per instance, mounted through a loop device. On disk, because
 * pages of a tmpfs would count as the function's memory and get it killed. Needs root.
 */
export class TmpImages {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #ready: Promise<TmpImage>[] = [];
  #mounted = 0;
  #nextNumber = 1;
  #closed = false;

  constructor(folder: string, clock: Clock) {
    this.#folder = folder;
    this.#clock = clock;
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { mode: 0o700 });
  }

  /** Mounts the first image, which then waits for an instance; answers why that cannot be done here. */
  async prove(): Promise<string | undefined> {
    this.#addReady();
    return await this.#ready[0]?.then(() => undefined, messageOf);
  }

  /** An empty image of `sizeMb` owned by `uid`; undefined at the bound of loop devices. */
  async take(sizeMb: number, uid: number): Promise<TmpImage | undefined> {
    const ready = sizeMb === TMP_DEFAULT_MB ? this.#ready.shift() : undefined;
    if (ready) this.#clock.schedule(REFILL_DELAY_MS, () => this.#refill());
    if (!ready && this.#mounted >= TMP_IMAGES_MAX) return undefined;
    const image = await (ready ?? this.#mount(sizeMb));
    await chown(image.folder, uid, uid);
    return image;
  }

  /** Ends the waiting ones; those in hands are released by their instances before. */
  async close(): Promise<void> {
    this.#closed = true;
    const waiting = await Promise.allSettled(this.#ready.splice(0));
    await Promise.all(waiting.flatMap((image) => (image.status === "fulfilled" ? [image.value.release()] : [])));
    await rm(this.#folder, { recursive: true, force: true });
  }

  #refill(): void {
    while (!this.#closed && this.#ready.length < TMP_IMAGES_READY_MAX && this.#mounted < TMP_IMAGES_MAX) this.#addReady();
  }

  #addReady(): void {
    const made = this.#mount(TMP_DEFAULT_MB);
    // Whoever takes it sees the failure.
    made.catch(() => {});
    this.#ready.push(made);
  }

  async #mount(sizeMb: number): Promise<TmpImage> {
    this.#mounted++;
    const name = `${sizeMb}-${this.#nextNumber++}`;
    const image = join(this.#folder, `${name}.img`);
    const folder = join(this.#folder, name);
    try {
      // At once: empty files, and at a start the process is under way before this thread is busy with loading modules.
      mkdirSync(folder);
      writeFileSync(image, "");
      truncateSync(image, Math.ceil(sizeMb * FILE_SYSTEM_OVERHEAD) * 1024 * 1024);
      await run("/bin/sh", ["-c", MAKE_AND_MOUNT, "lambent", image, folder], { env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" } });
      await rm(join(folder, "lost+found"), { recursive: true, force: true });
    } catch (error) {
      this.#mounted--;
      await rm(image, { force: true });
      throw error;
    }
    return { folder, release: () => this.#release(image, folder) };
  }

  /** Unmounting frees the loop device by itself; before it the image's space would stay taken. */
  async #release(image: string, folder: string): Promise<void> {
    await run("umount", [folder]).catch(() => run("umount", ["--lazy", folder]));
    await rm(image, { force: true });
    await rmdir(folder);
    this.#mounted--;
  }
}

/** Unmounts what a crashed server left mounted below `folder`. */
export async function sweepMounts(folder: string): Promise<void> {
  const mounts = readFileSync("/proc/self/mountinfo", "utf8");
  const points = mounts
    .split("\n")
    .map((line) => unescapeOctal(line.split(" ")[4] ?? ""))
    .filter((point) => point.startsWith(`${folder}/`));
  for (const point of points.toReversed()) await run("umount", ["--lazy", point]).catch(() => {});
}

/** `/proc` writes spaces and the like in paths as `\040`. */
function unescapeOctal(path: string): string {
  return path.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
