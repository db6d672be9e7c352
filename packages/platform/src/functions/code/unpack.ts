import { createWriteStream, writeFile } from "node:fs";
import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { crc32, createInflateRaw, inflateRaw, inflateRawSync } from "node:zlib";
import { LambentError } from "../../base/index.ts";
import { eachAtOnce } from "./each-at-once.ts";
import type { Manifest, ManifestEntry } from "./manifest.ts";
import { readZip, type LocatedEntry, type OpenZip } from "./read-zip.ts";
import { CODE_LINK_BYTES_MAX } from "../rules/limits.ts";
import { checkLink, planZip, refuse, type PlannedFile, type ZipPlan } from "./zip-plan.ts";

/** Entries up to this size are unpacked in one piece, larger ones as a stream. */
const WHOLE_ENTRY_BYTES_MAX = 262_144;
/** Entries up to this size are inflated at once, which takes a tenth of a millisecond; handing them to a thread takes longer. */
const INFLATE_AT_ONCE_BYTES_MAX = 16_384;
/** Files written at once: as many as the threads that write them. */
const FILES_AT_ONCE = 4;
const STORED = 0;
const DIRECTORY_MODE = 0o755;
/** An instance runs as another user than the one who owns its code: everybody may read, nobody else may write. */
const FILE_MODE = 0o644;
const EXECUTABLE_MODE = 0o755;

const inflateWhole = promisify(inflateRaw);
/** For ten thousand small files a third of what `node:fs/promises` takes, which makes a handle for each. */
const writeWhole = promisify(writeFile);

/**
 * Unpacks `zip` into the empty directory `folder` and says what is in it. Throws `InvalidCode` naming entry and rule;
 * then the folder may hold a part. Beyond the zip itself at most `FILES_AT_ONCE` small entries or stream buffers are
 * in memory, and never more is written than the zip's checked directory claims.
 */
export async function unpack(zip: Buffer, folder: string): Promise<Manifest> {
  const open = await readZip(zip);
  const plan = planZip(open.entries, zip.length);
  for (const directory of plan.directories) await mkdir(join(folder, directory), { mode: DIRECTORY_MODE });
  const written: ManifestEntry[] = plan.directories.map((path) => ({ kind: "directory", path }));
  await eachAtOnce(ofKind(plan, "file"), FILES_AT_ONCE, async (file) => {
    await writeEntry(open, file, join(folder, file.path));
    written.push({ kind: "file", path: file.path, bytes: file.source.unpackedBytes, executable: file.executable });
  });
  // Links last, so that no file is ever written through one.
  for (const link of ofKind(plan, "link")) {
    const target = checkLink(link.path, await wholeEntry(open, link, CODE_LINK_BYTES_MAX));
    await symlink(target, join(folder, link.path));
    written.push({ kind: "link", path: link.path, target });
  }
  return { entries: written, unpackedBytes: plan.unpackedBytes };
}

function ofKind(plan: ZipPlan<LocatedEntry>, kind: "file" | "link"): PlannedFile<LocatedEntry>[] {
  return plan.files.filter((file) => file.kind === kind);
}

async function writeEntry(open: OpenZip, file: PlannedFile<LocatedEntry>, target: string): Promise<void> {
  const mode = file.executable ? EXECUTABLE_MODE : FILE_MODE;
  if (file.source.unpackedBytes <= WHOLE_ENTRY_BYTES_MAX) {
    await writeWhole(target, await wholeEntry(open, file, WHOLE_ENTRY_BYTES_MAX), { mode, flag: "wx" });
    return;
  }
  const packed = open.packed(file.source);
  const check = new ContentCheck(file);
  const sink = createWriteStream(target, { mode, flags: "wx" });
  if (file.source.method === STORED) return await pipeline(Readable.from(chunksOf(packed)), check, sink);
  try {
    await pipeline(Readable.from(chunksOf(packed)), createInflateRaw(), check, sink);
  } catch (error) {
    throw asDamage(error, file.path);
  }
}

/** The content of an entry that claims at most `bytesMax` bytes. */
async function wholeEntry(open: OpenZip, file: PlannedFile<LocatedEntry>, bytesMax: number): Promise<Buffer> {
  const packed = open.packed(file.source);
  const content = file.source.method === STORED ? packed : await inflated(packed, file, bytesMax);
  if (content.length !== file.source.unpackedBytes) refuse(file.path, "has not the size that the zip claims");
  if (crc32(content) !== file.source.crc32) refuse(file.path, "does not match its checksum");
  return content;
}

async function inflated(packed: Buffer, file: PlannedFile<LocatedEntry>, bytesMax: number): Promise<Buffer> {
  if (file.source.unpackedBytes > bytesMax) refuse(file.path, `is longer than ${bytesMax} bytes`);
  try {
    // One byte more than claimed is enough to see that the claim is false.
    const options = { maxOutputLength: file.source.unpackedBytes + 1 };
    return file.source.unpackedBytes <= INFLATE_AT_ONCE_BYTES_MAX ? inflateRawSync(packed, options) : await inflateWhole(packed, options);
  } catch (error) {
    throw asDamage(error, file.path);
  }
}

/** Passes content on while it is as long as claimed, and compares its checksum at the end. */
class ContentCheck extends Transform {
  readonly #file: PlannedFile<LocatedEntry>;
  #bytes = 0;
  #checksum = 0;

  constructor(file: PlannedFile<LocatedEntry>) {
    super();
    this.#file = file;
  }

  override _transform(chunk: Buffer, _encoding: string, done: (error: Error | null, chunk?: Buffer) => void): void {
    this.#bytes += chunk.length;
    this.#checksum = crc32(chunk, this.#checksum);
    done(this.#bytes > this.#file.source.unpackedBytes ? this.#damage("is longer than the zip claims") : null, chunk);
  }

  override _flush(done: (error: Error | null) => void): void {
    if (this.#bytes !== this.#file.source.unpackedBytes) return done(this.#damage("is shorter than the zip claims"));
    done(this.#checksum === this.#file.source.crc32 ? null : this.#damage("does not match its checksum"));
  }

  #damage(rule: string): LambentError {
    return new LambentError("InvalidCode", `The zip's entry ${JSON.stringify(this.#file.path)} ${rule}.`);
  }
}

/** Errors of the decompressor are about the bytes; errors of the disk are not and stay what they are. */
function asDamage(error: unknown, path: string): unknown {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (!code.startsWith("Z_") && code !== "ERR_BUFFER_TOO_LARGE") return error;
  const rule = code === "ERR_BUFFER_TOO_LARGE" ? "is longer than the zip claims" : "cannot be unpacked: its deflate data is damaged";
  return new LambentError("InvalidCode", `The zip's entry ${JSON.stringify(path)} ${rule}.`);
}

const CHUNK_BYTES = 65_536;

function* chunksOf(bytes: Buffer): Generator<Buffer> {
  for (let start = 0; start < bytes.length; start += CHUNK_BYTES) yield bytes.subarray(start, start + CHUNK_BYTES);
}
