import yauzl from "yauzl";
import { LambentError } from "../../base/index.ts";
import { CODE_ENTRIES_MAX } from "../rules/limits.ts";
import type { ZipEntry } from "./zip-plan.ts";

/** An entry and what finds its packed bytes. */
export interface LocatedEntry extends ZipEntry {
  readonly handle: yauzl.Entry;
}

export interface OpenZip {
  readonly entries: readonly LocatedEntry[];
  /** The packed bytes of one entry: a view into the zip. */
  packed(entry: LocatedEntry): Promise<Buffer>;
}

const MADE_ON_UNIX = 3;

/** Reads the directory of a zip. Throws `InvalidCode` for bytes that are no zip, or a truncated one. */
export async function readZip(zip: Buffer): Promise<OpenZip> {
  if (zip.length === 0) throw new LambentError("InvalidCode", "The deployment package is empty.");
  const file = await orInvalid(() => yauzl.fromBufferPromise(zip, { lazyEntries: true, decodeStrings: false, validateEntrySizes: true }));
  // Closing twice is harmless, and nothing is held open: the zip is a buffer.
  file.on("error", () => file.close());
  if (file.entryCount > CODE_ENTRIES_MAX) {
    throw new LambentError("InvalidCode", `The zip has ${file.entryCount} entries; at most ${CODE_ENTRIES_MAX} are allowed.`);
  }
  const entries = await orInvalid(async () => {
    const found: LocatedEntry[] = [];
    for await (const entry of file.eachEntry()) found.push(located(entry));
    return found;
  });
  return {
    entries,
    async packed(entry) {
      const { fileDataStart } = await orInvalid(() => file.readLocalFileHeaderPromise(entry.handle, { minimal: true }));
      const end = fileDataStart + entry.compressedBytes;
      if (end > zip.length) throw new LambentError("InvalidCode", "The zip is truncated: an entry's bytes end behind it.");
      return zip.subarray(fileDataStart, end);
    },
  };
}

function located(entry: yauzl.Entry): LocatedEntry {
  return {
    name: entry.fileNameRaw,
    compressedBytes: entry.compressedSize,
    unpackedBytes: entry.uncompressedSize,
    crc32: entry.crc32,
    method: entry.compressionMethod,
    encrypted: entry.isEncrypted(),
    mode: entry.versionMadeBy >>> 8 === MADE_ON_UNIX ? (entry.externalFileAttributes >>> 16) & 0xffff : 0,
    handle: entry,
  };
}

/** Everything the reader throws is about the bytes: it has no other input. */
async function orInvalid<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new LambentError("InvalidCode", `The deployment package is not a readable zip: ${why.replace(/[.\s]+$/, "")}.`);
  }
}
