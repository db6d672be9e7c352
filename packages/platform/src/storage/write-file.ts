import { open, rm, type FileHandle } from "node:fs/promises";
import { invariant } from "../base/index.ts";

/** Bytes that are gathered before they are written, where few files are: small chunks cost a system call each. */
const WRITE_BYTES = 1024 * 1024;
/** Bytes that all files together gather; of very many each has `WRITE_BYTES_MIN` (P7). */
const GATHERED_BYTES_TARGET = 128 * 1024 * 1024;
const WRITE_BYTES_MIN = 32 * 1024;
/** Bytes behind which a sync begins beside the writing: the disk works from the start, and the last sync has little left to do. */
const SYNC_BYTES = 16 * 1024 * 1024;
/** Chunks that are gathered: what a small one is cut from may be large. */
const WRITE_CHUNKS_MAX = 256;

export type Source = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

export interface WriteOptions {
  /** Sees each chunk before it is written. */
  readonly look?: (chunk: Uint8Array) => void;
  /** What the caller is told of an error of the disk; errors of the source pass as they are. */
  readonly onDiskError?: (error: unknown) => unknown;
  readonly openFile?: typeof open;
}

/**
 * Writes `source` to a new file, syncs it, and says how many bytes it has. Chunks are left alone until it resolves. Where
 * anything fails the file is gone again. Memory is what two writes take, whatever the length, and of
 * many files at once each has less.
 */
export async function writeNewFile(path: string, source: Source, options: WriteOptions = {}): Promise<number> {
  const { look, onDiskError = same, openFile = open } = options;
  const onDisk = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw onDiskError(error);
    }
  };
  const file = await onDisk(() => openFile(path, "wx", 0o600));
  filesUnderWay += 1;
  try {
    const writing = new Writing(file);
    for await (const chunk of source) {
      look?.(chunk);
      if (writing.add(chunk)) await onDisk(() => writing.flush());
    }
    await onDisk(() => writing.end());
    return writing.bytes;
  } catch (error) {
    await rm(path, { force: true }).catch(() => undefined);
    throw error;
  } finally {
    filesUnderWay -= 1;
    await file.close();
  }
}

let filesUnderWay = 0;

/** What one of so many files may gather before it is written: senders that are slow hold what they sent until then. */
export function gatheredBytesMax(files: number): number {
  return Math.min(WRITE_BYTES, Math.max(WRITE_BYTES_MIN, Math.floor(GATHERED_BYTES_TARGET / files)));
}

/** One write is under way while the next one is gathered, and one sync beside them. */
class Writing {
  readonly #file: FileHandle;
  #chunks: Uint8Array[] = [];
  #gathered = 0;
  #underWay: Promise<void> = Promise.resolve();
  #syncing: Promise<void> = Promise.resolve();
  #unsynced = 0;
  bytes = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** True when enough is gathered: `flush` is due. */
  add(chunk: Uint8Array): boolean {
    if (chunk.byteLength > 0) this.#chunks.push(chunk);
    this.#gathered += chunk.byteLength;
    this.bytes += chunk.byteLength;
    return this.#gathered >= gatheredBytesMax(filesUnderWay) || this.#chunks.length >= WRITE_CHUNKS_MAX;
  }

  /** Waits for the write before, and begins to write what is gathered. */
  async flush(): Promise<void> {
    await this.#underWay;
    if (this.#unsynced >= SYNC_BYTES) {
      await this.#syncing;
      this.#unsynced = 0;
      this.#syncing = heldBack(this.#file.datasync());
    }
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#unsynced += this.#gathered;
    this.#gathered = 0;
    this.#underWay = heldBack(writeAll(this.#file, chunks));
  }

  /** Writes what is left; then everything is on the disk. */
  async end(): Promise<void> {
    await this.flush();
    await this.#underWay;
    await this.#syncing;
    await this.#file.datasync();
  }
}

/** Whoever waits for it next is told how it ended; nobody may do so before the source goes on. */
function heldBack(work: Promise<void>): Promise<void> {
  work.catch(() => undefined);
  return work;
}

async function writeAll(file: FileHandle, chunks: readonly Uint8Array[]): Promise<void> {
  for (let left = chunks; left.length > 0;) {
    const { bytesWritten } = await file.writev(left);
    invariant(bytesWritten > 0, "a write that takes nothing is an error");
    left = behind(left, bytesWritten);
  }
}

/** What of `chunks` comes behind their first bytes: a write may take a part of what it is given. */
function behind(chunks: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let taken = bytes;
  let index = 0;
  for (let chunk = chunks[0]; chunk && taken >= chunk.byteLength; chunk = chunks[++index]) taken -= chunk.byteLength;
  const [first, ...others] = chunks.slice(index);
  return first === undefined ? [] : [first.subarray(taken), ...others];
}

function same(error: unknown): unknown {
  return error;
}
