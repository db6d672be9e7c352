/**
 * Content-addressed bodies as files: `<folder>/ab/<sha-256>`. Acknowledged only when the bytes and the name are on
 * the disk (P1): temporary file, fdatasync, rename, fsync of the folder.
 *
 * It does not know who refers to a body; sweeping unreferenced ones is the owner's decision.
 */
import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { access, mkdir, open, readdir, rename, rm, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { invariant, LambentError, type SecureRandom } from "../../base/index.ts";
import { isIoError } from "../io-error.ts";
import type { Blobs } from "../store.ts";
import { syncFolder } from "../sync-folder.ts";

/** Inside the blobs' folder, so that a rename never crosses file systems. */
const INCOMING_FOLDER = "incoming";
const DIGEST_FORM = /^[0-9a-f]{64}$/;

/** Opens the blobs of `folder`, making it when absent and sweeping what a crash left half written. */
export async function openBlobs(folder: string, secure: SecureRandom): Promise<Blobs> {
  const incoming = join(folder, INCOMING_FOLDER);
  await mkdir(incoming, { recursive: true, mode: 0o700 });
  for (const orphan of await readdir(incoming)) await rm(join(incoming, orphan), { force: true });
  await syncFolder(folder);
  return new FileBlobs(folder, secure);
}

class FileBlobs implements Blobs {
  readonly #folder: string;
  readonly #secure: SecureRandom;

  constructor(folder: string, secure: SecureRandom) {
    this.#folder = folder;
    this.#secure = secure;
  }

  async put(source: AsyncIterable<Uint8Array> | Uint8Array): Promise<{ readonly digest: string; readonly bytes: number }> {
    const temporary = join(this.#folder, INCOMING_FOLDER, this.#secure.uuid());
    try {
      const written = await writeDurably(temporary, source instanceof Uint8Array ? [source] : source);
      await this.#place(temporary, written.digest);
      return written;
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined);
      if (isIoError(error)) throw new LambentError("StorageStopped", `The disk refused a body: ${error.message}.`);
      throw error;
    }
  }

  async has(digest: string): Promise<boolean> {
    return access(this.#path(digest)).then(
      () => true,
      () => false,
    );
  }

  async get(digest: string): Promise<Buffer | undefined> {
    const chunks: Buffer[] = [];
    const hash = createHash("sha256");
    try {
      for await (const chunk of createReadStream(this.#path(digest), { highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>) {
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
    await rm(this.#path(digest), { force: true });
  }

  /** Gives the body its name. A name that is there already may not be on the disk yet, so its folder is synced too. */
  async #place(temporary: string, digest: string): Promise<void> {
    const folder = join(this.#folder, digest.slice(0, 2));
    if ((await mkdir(folder, { recursive: true, mode: 0o700 })) !== undefined) await syncFolder(this.#folder);
    if (await this.has(digest)) await rm(temporary);
    else await rename(temporary, this.#path(digest));
    await syncFolder(folder);
  }

  #path(digest: string): string {
    invariant(DIGEST_FORM.test(digest), `${digest} is no SHA-256 in hex`);
    return join(this.#folder, digest.slice(0, 2), digest);
  }
}

async function writeDurably(
  path: string,
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<{ digest: string; bytes: number }> {
  const hash = createHash("sha256");
  const file = await open(path, "wx", 0o600);
  try {
    const bytes = await writeAll(file, source, hash);
    await file.datasync();
    return { digest: hash.digest("hex"), bytes };
  } finally {
    await file.close();
  }
}

async function writeAll(file: FileHandle, source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, hash: Hash): Promise<number> {
  let bytes = 0;
  for await (const chunk of source) {
    hash.update(chunk);
    await file.appendFile(chunk);
    bytes += chunk.byteLength;
  }
  return bytes;
}
