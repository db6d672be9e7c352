/**
 * Content-addressed bodies as files: `<folder>/ab/<sha-256>`. Acknowledged only when the bytes and the name are on
 * the disk (P1): temporary file, fdatasync, rename, fsync of the folder.
 *
 * It does not know who refers to a body: `sweep.ts` asks. A body's age is the time since it was put or asked for with
 * `has`, so whoever does that before a commit that refers to it keeps it from being swept meanwhile.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Clock, failpoint, type Instant, invariant, LambentError, type SecureRandom, systemClock } from "../../base/index.ts";
import { FolderSyncs } from "../folder-syncs.ts";
import { isIoError } from "../io-error.ts";
import type { Blobs } from "../store.ts";
import { syncFolder } from "../sync-folder.ts";
import { writeNewFile } from "../write-file.ts";

/** Inside the blobs' folder, so that a rename never crosses file systems. */
const INCOMING_FOLDER = "incoming";
const DIGEST_FORM = /^[0-9a-f]{64}$/;
const READ_BYTES = 1024 * 1024;

/** Bodies as files of one folder, with what looking after them needs. */
export interface BlobFolder extends Blobs {
  /** Digests of all bodies, in their order; also names under which there cannot be one. */
  list(): AsyncGenerator<{ readonly name: string; readonly digest: string | undefined }>;
  /** Reads a body without keeping it: its bytes, or what is wrong with it. */
  check(digest: string): Promise<{ readonly kind: "whole"; readonly bytes: number } | { readonly kind: "damaged" | "absent" }>;
  /** Removes a body that was neither put nor asked for since `instant`. True when it did. */
  deleteUntouched(digest: string, instant: Instant): Promise<boolean>;
  /** From now on deleted bodies stay until the returned function is called: whoever copies bodies finds all that were there. */
  holdDeletes(): () => Promise<void>;
  /** Where a body is. */
  pathOf(digest: string): string;
}

/** Opens the blobs of `folder`, making it when absent and sweeping what a crash left half written. */
export async function openBlobs(folder: string, secure: SecureRandom, clock: Clock = systemClock): Promise<BlobFolder> {
  const incoming = join(folder, INCOMING_FOLDER);
  await mkdir(incoming, { recursive: true, mode: 0o700 });
  for (const orphan of await readdir(incoming)) await rm(join(incoming, orphan), { force: true });
  await syncFolder(folder);
  return new FileBlobs(folder, secure, clock);
}

class FileBlobs implements BlobFolder {
  readonly #folder: string;
  readonly #secure: SecureRandom;
  readonly #clock: Clock;
  readonly #syncs = new FolderSyncs("the name of a body");
  /** What is being done to a body, one thing at a time: looking whether it is wanted and removing it is one. */
  readonly #busy = new Map<string, Promise<unknown>>();
  /** Those who hold deletes back, and what is deleted once they have let go. */
  #holds = 0;
  #deleted = new Set<string>();

  constructor(folder: string, secure: SecureRandom, clock: Clock) {
    this.#folder = folder;
    this.#secure = secure;
    this.#clock = clock;
  }

  async put(source: AsyncIterable<Uint8Array> | Uint8Array): Promise<{ readonly digest: string; readonly bytes: number }> {
    const temporary = join(this.#folder, INCOMING_FOLDER, this.#secure.uuid());
    try {
      this.#syncs.refuseOnceFailed();
      const hash = createHash("sha256");
      const chunks = source instanceof Uint8Array ? [source] : source;
      const bytes = await writeNewFile(temporary, chunks, { look: (chunk) => hash.update(chunk) });
      const digest = hash.digest("hex");
      failpoint("blob.written");
      await this.#place(temporary, digest);
      return { digest, bytes };
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined);
      if (isIoError(error)) throw new LambentError("StorageStopped", `The disk refused a body: ${error.message}.`);
      throw error;
    }
  }

  async has(digest: string): Promise<boolean> {
    this.#syncs.refuseOnceFailed();
    try {
      return await this.#alone(digest, () => this.#touch(digest));
    } catch (error) {
      throw isIoError(error) ? new LambentError("StorageStopped", `The disk refused to look at a body: ${error.message}.`) : error;
    }
  }

  async get(digest: string): Promise<Buffer | undefined> {
    const chunks: Buffer[] = [];
    const hash = createHash("sha256");
    try {
      for await (const chunk of this.#read(digest)) {
        hash.update(chunk);
        chunks.push(chunk);
      }
    } catch (error) {
      if (isIoError(error) && error.code === "ENOENT") return undefined;
      throw error;
    }
    if (hash.digest("hex") !== digest)
      throw new LambentError("StorageCorrupt", `The body ${digest} does not have its checksum.`, { digest });
    return Buffer.concat(chunks);
  }

  async delete(digest: string): Promise<void> {
    const path = this.pathOf(digest);
    await this.#alone(digest, async () => {
      if (this.#holds > 0) this.#deleted.add(digest);
      else await rm(path, { force: true });
    });
  }

  async *list(): AsyncGenerator<{ readonly name: string; readonly digest: string | undefined }> {
    for (const prefix of (await readdir(this.#folder)).sort()) {
      if (prefix === INCOMING_FOLDER) continue;
      const names = /^[0-9a-f]{2}$/.test(prefix) ? await readdir(join(this.#folder, prefix)) : [];
      if (names.length === 0 && prefix.length !== 2) yield { name: prefix, digest: undefined };
      for (const name of names.sort())
        yield { name: `${prefix}/${name}`, digest: DIGEST_FORM.test(name) && name.startsWith(prefix) ? name : undefined };
    }
  }

  async check(digest: string): Promise<{ readonly kind: "whole"; readonly bytes: number } | { readonly kind: "damaged" | "absent" }> {
    const hash = createHash("sha256");
    let bytes = 0;
    try {
      for await (const chunk of this.#read(digest)) {
        hash.update(chunk);
        bytes += chunk.byteLength;
      }
    } catch (error) {
      if (!isIoError(error)) throw error;
      return { kind: error.code === "ENOENT" ? "absent" : "damaged" };
    }
    return hash.digest("hex") === digest ? { kind: "whole", bytes } : { kind: "damaged" };
  }

  async deleteUntouched(digest: string, instant: Instant): Promise<boolean> {
    return this.#alone(digest, async () => {
      const found = await stat(this.pathOf(digest)).catch(() => undefined);
      if (found === undefined || found.mtimeMs >= instant || this.#holds > 0) return false;
      await rm(this.pathOf(digest), { force: true });
      return true;
    });
  }

  holdDeletes(): () => Promise<void> {
    this.#holds++;
    return async () => {
      if (--this.#holds > 0) return;
      const deleted = this.#deleted;
      this.#deleted = new Set();
      for (const digest of deleted) await this.delete(digest);
    };
  }

  pathOf(digest: string): string {
    invariant(DIGEST_FORM.test(digest), `${digest} is no SHA-256 in hex`);
    return join(this.#folder, digest.slice(0, 2), digest);
  }

  /** Gives the body its name, in a folder that is on the disk too. */
  async #place(temporary: string, digest: string): Promise<void> {
    const folder = dirname(this.pathOf(digest));
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await this.#syncs.named(folder);
    await this.#alone(digest, async () => {
      if (await this.#touch(digest)) return rm(temporary);
      await rename(temporary, this.pathOf(digest));
      failpoint("blob.named");
      await this.#syncs.sync(folder);
    });
  }

  /** Makes a body young again and its name durable. False when it is absent. */
  async #touch(digest: string): Promise<boolean> {
    const path = this.pathOf(digest);
    const now = this.#clock.now() / 1_000;
    this.#deleted.delete(digest);
    try {
      await utimes(path, now, now);
    } catch (error) {
      if (isIoError(error) && error.code === "ENOENT") return false;
      throw error;
    }
    const folder = dirname(path);
    await this.#syncs.named(folder);
    await this.#syncs.settled(folder);
    return true;
  }

  async #alone<T>(digest: string, work: () => Promise<T>): Promise<T> {
    const before = this.#busy.get(digest);
    const mine = (before ?? Promise.resolve()).then(work, work);
    this.#busy.set(digest, mine);
    try {
      return await mine;
    } finally {
      if (this.#busy.get(digest) === mine) this.#busy.delete(digest);
    }
  }

  #read(digest: string): AsyncIterable<Buffer> {
    return createReadStream(this.pathOf(digest), { highWaterMark: READ_BYTES }) as AsyncIterable<Buffer>;
  }
}
