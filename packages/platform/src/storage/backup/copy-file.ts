import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { type Source, writeNewFile } from "../write-file.ts";

const READ_BYTES = 1024 * 1024;

export interface Content {
  readonly bytes: number;
  readonly sha256: string;
}

/** Copies a file, syncs the copy, and says what was copied. The target must not exist. */
export function copyFileDurably(from: string, to: string): Promise<Content> {
  return writeContent(to, chunksOf(from));
}

/** Writes what `source` gives to a new file, syncs it, and says what was written. `look` sees it too. */
export async function writeContent(to: string, source: Source, look?: (chunk: Uint8Array) => void): Promise<Content> {
  const hash = createHash("sha256");
  const bytes = await writeNewFile(to, source, {
    look(chunk) {
      hash.update(chunk);
      look?.(chunk);
    },
  });
  return { bytes, sha256: hash.digest("hex") };
}

/** Reads a file and says what is in it; syncs it first. */
export async function hashFile(path: string): Promise<Content> {
  const hash = createHash("sha256");
  let bytes = 0;
  const file = await open(path, "r+");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
  for await (const chunk of chunksOf(path)) {
    hash.update(chunk);
    bytes += chunk.byteLength;
  }
  return { bytes, sha256: hash.digest("hex") };
}

/** Opened when it is first read: a stream that fails before anybody listens would end the process. */
async function* chunksOf(path: string): AsyncGenerator<Buffer> {
  yield* createReadStream(path, { highWaterMark: READ_BYTES }) as AsyncIterable<Buffer>;
}
