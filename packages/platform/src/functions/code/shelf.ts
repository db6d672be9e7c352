/**
 * The shelf: every code unpacked once, as `<folder>/<sha>/tree` with its manifest beside it. The zip in the blob
 * store is the truth; what lies here can be made again from it at any time.
 *
 * A machine that lost power may have lost bytes of files that were never synced, so the shelf is emptied at the first
 * open after a start of the machine; a killed process loses none (the kernel still has them). Deliberately absent: fsync of
 * ten thousand files at deploy.
 */
import { hash } from "node:crypto";
import { mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { LambentError, invariant, type SecureRandom } from "../../base/index.ts";
import type { CodeReference } from "../../model/index.ts";
import type { Blobs } from "../../storage/index.ts";
import { CODE_ZIP_BYTES_MAX } from "../rules/limits.ts";
import type { Manifest } from "./manifest.ts";
import { unpack } from "./unpack.ts";

/** Code that lies ready on the shelf. */
export interface ShelvedCode {
  readonly tree: string;
  readonly manifest: Manifest;
}

const MANIFEST_FILE = "manifest.json";
const TREE_FOLDER = "tree";
const BOOT_FILE = "boot";
const INCOMING_PREFIX = "incoming-";
const FOLDER_MODE = 0o755;

export interface ShelfOptions {
  readonly folder: string;
  readonly blobs: Blobs;
  readonly secureRandom: SecureRandom;
  /** Names this start of the machine; a different one empties the shelf. By default the kernel's. */
  readonly bootId?: string | undefined;
  /** Whether a version or a layer uses code; what nothing uses is removed at open, from the blobs too. */
  readonly isUsed: (code: Pick<CodeReference, "sha256">) => boolean;
}

const DIGEST = /^[0-9a-f]{64}$/;

/** Opens the shelf in `folder` and removes what an earlier process left half done. */
export async function openShelf(options: ShelfOptions): Promise<Shelf> {
  await mkdir(options.folder, { recursive: true, mode: FOLDER_MODE });
  const boot = options.bootId ?? (await kernelBootId());
  const before = await readFile(join(options.folder, BOOT_FILE), "utf8").catch(() => undefined);
  const trusted = boot !== undefined && boot === before;
  for (const name of await readdir(options.folder)) {
    const unused = DIGEST.test(name) && !options.isUsed({ sha256: Buffer.from(name, "hex").toString("base64") });
    if (unused) await options.blobs.delete(name);
    if (unused || !trusted || name.startsWith(INCOMING_PREFIX)) await rm(join(options.folder, name), { recursive: true, force: true });
  }
  if (boot !== undefined) await writeFile(join(options.folder, BOOT_FILE), boot);
  return new Shelf(options);
}

export class Shelf {
  readonly #folder: string;
  readonly #blobs: Blobs;
  readonly #secureRandom: SecureRandom;
  /** By digest: unpacking that is under way, shared by everybody who needs it. */
  readonly #underWay = new Map<string, Promise<ShelvedCode>>();
  /** By digest: removal that is under way; whoever wants the same code again waits for its end. */
  readonly #forgetting = new Map<string, Promise<void>>();
  /** By digest: changes that use the code and are not committed yet. Held code is not forgotten. */
  readonly #holds = new Map<string, number>();

  constructor(options: ShelfOptions) {
    this.#folder = options.folder;
    this.#blobs = options.blobs;
    this.#secureRandom = options.secureRandom;
  }

  /**
   * Checks and unpacks `zip`, makes it durable as a blob, and runs `use` with its reference; while `use` runs the code
   * stays. Throws `RequestTooLarge` or `InvalidCode`.
   */
  async hold<T>(zip: Uint8Array, use: (code: CodeReference) => Promise<T>): Promise<T> {
    const bytes = Buffer.from(zip.buffer, zip.byteOffset, zip.byteLength);
    if (bytes.length > CODE_ZIP_BYTES_MAX) {
      throw new LambentError(
        "RequestTooLarge",
        `The deployment package has ${bytes.length} bytes; at most ${CODE_ZIP_BYTES_MAX} are allowed.`,
      );
    }
    const digest = hash("sha256", bytes, "hex");
    this.#hold(digest);
    try {
      const shelved = await this.#shelve(digest, () => Promise.resolve(bytes));
      if (!(await this.#blobs.has(digest))) await this.#blobs.put(bytes);
      return await use({
        sha256: Buffer.from(digest, "hex").toString("base64"),
        zipBytes: bytes.length,
        unpackedBytes: shelved.manifest.unpackedBytes,
      });
    } finally {
      this.#letGo(digest);
    }
  }

  #hold(digest: string): void {
    this.#holds.set(digest, (this.#holds.get(digest) ?? 0) + 1);
  }

  #letGo(digest: string): void {
    const left = (this.#holds.get(digest) ?? 1) - 1;
    if (left > 0) this.#holds.set(digest, left);
    else this.#holds.delete(digest);
  }

  /** The code unpacked; made from its blob when the shelf has it no more. */
  async take(code: CodeReference): Promise<ShelvedCode> {
    return await this.#shelve(digestOf(code), () => this.zip(code));
  }

  /** The zip as it was uploaded. */
  async zip(code: CodeReference): Promise<Buffer> {
    const zip = await this.#blobs.get(digestOf(code));
    if (zip === undefined) throw new LambentError("StorageCorrupt", `The code ${code.sha256} is not in the blob store.`);
    return zip;
  }

  /** Code that is on the shelf stays until the returned function is called, once; what nothing holds then is not removed by that alone. */
  keep(code: CodeReference): () => void {
    const digest = digestOf(code);
    this.#hold(digest);
    return () => this.#letGo(digest);
  }

  held(code: CodeReference): boolean {
    return this.#holds.has(digestOf(code));
  }

  /** Removes code that nothing refers to. */
  async forget(code: CodeReference): Promise<void> {
    const digest = digestOf(code);
    const forgetting = this.#remove(digest).finally(() => this.#forgetting.delete(digest));
    this.#forgetting.set(digest, forgetting);
    await forgetting;
  }

  async #remove(digest: string): Promise<void> {
    await this.#underWay.get(digest)?.catch(() => undefined);
    await this.#blobs.delete(digest);
    await rm(join(this.#folder, digest), { recursive: true, force: true });
  }

  #shelve(digest: string, zip: () => Promise<Buffer>): Promise<ShelvedCode> {
    const underWay = this.#underWay.get(digest);
    if (underWay) return underWay;
    const making = this.#make(digest, zip).finally(() => this.#underWay.delete(digest));
    this.#underWay.set(digest, making);
    return making;
  }

  async #make(digest: string, zip: () => Promise<Buffer>): Promise<ShelvedCode> {
    invariant(DIGEST.test(digest), "code is named by a SHA-256");
    await this.#forgetting.get(digest)?.catch(() => undefined);
    const place = join(this.#folder, digest);
    const manifest = await readManifest(place);
    if (manifest !== undefined) return { tree: join(place, TREE_FOLDER), manifest };
    const incoming = join(this.#folder, `${INCOMING_PREFIX}${this.#secureRandom.uuid()}`);
    try {
      const tree = join(incoming, TREE_FOLDER);
      await mkdir(tree, { recursive: true, mode: FOLDER_MODE });
      const made = await unpack(await zip(), tree);
      await writeFile(join(incoming, MANIFEST_FILE), JSON.stringify(made));
      await rename(incoming, place);
      return { tree: join(place, TREE_FOLDER), manifest: made };
    } catch (error) {
      await rm(incoming, { recursive: true, force: true });
      throw error;
    }
  }
}

function digestOf(code: CodeReference): string {
  return Buffer.from(code.sha256, "base64").toString("hex");
}

async function readManifest(place: string): Promise<Manifest | undefined> {
  const text = await readFile(join(place, MANIFEST_FILE), "utf8").catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Manifest);
}

/** Undefined where the kernel does not tell; then nothing is trusted over a restart. */
async function kernelBootId(): Promise<string | undefined> {
  return (await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => undefined))?.trim();
}
