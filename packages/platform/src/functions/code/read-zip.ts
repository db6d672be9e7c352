import type { Entry } from "yauzl";
import { LambentError } from "../../base/index.ts";
import { CODE_ENTRIES_MAX } from "../rules/limits.ts";
import type { ZipEntry } from "./zip-plan.ts";

/** An entry and what finds its packed bytes. */
export interface LocatedEntry extends ZipEntry {
  /** Where the entry's own header begins. */
  readonly headerAt: number;
}

export interface OpenZip {
  readonly entries: readonly LocatedEntry[];
  /** The packed bytes of one entry: a view into the zip. */
  packed(entry: LocatedEntry): Buffer;
}

const MADE_ON_UNIX = 3;

/** Reads the directory of a zip. Throws `InvalidCode` for bytes that are no zip, or a truncated one. */
export async function readZip(zip: Buffer): Promise<OpenZip> {
  if (zip.length === 0) throw new LambentError("InvalidCode", "The deployment package is empty.");
  // Loaded with the first zip: a server that only starts has none.
  const { default: yauzl } = await import("yauzl");
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
    packed: (entry) => packedBytes(zip, entry),
  };
}

const HEADER_MARK = 0x04034b50;
const HEADER_BYTES = 30;

/** The directory has said all about an entry; of its own header only the length matters. */
function packedBytes(zip: Buffer, { headerAt, compressedBytes }: LocatedEntry): Buffer {
  if (headerAt + HEADER_BYTES > zip.length || zip.readUInt32LE(headerAt) !== HEADER_MARK) {
    throw new LambentError("InvalidCode", "The deployment package is not a readable zip: an entry is not where its directory says.");
  }
  const start = headerAt + HEADER_BYTES + zip.readUInt16LE(headerAt + 26) + zip.readUInt16LE(headerAt + 28);
  if (start + compressedBytes > zip.length) throw new LambentError("InvalidCode", "The zip is truncated: an entry's bytes end behind it.");
  return zip.subarray(start, start + compressedBytes);
}

function located(entry: Entry): LocatedEntry {
  return {
    name: entry.fileNameRaw,
    compressedBytes: entry.compressedSize,
    unpackedBytes: entry.uncompressedSize,
    crc32: entry.crc32,
    method: entry.compressionMethod,
    encrypted: entry.isEncrypted(),
    mode: entry.versionMadeBy >>> 8 === MADE_ON_UNIX ? (entry.externalFileAttributes >>> 16) & 0xffff : 0,
    headerAt: entry.relativeOffsetOfLocalHeader,
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
