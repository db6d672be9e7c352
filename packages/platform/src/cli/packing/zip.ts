import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import yazl from "yazl";
import type { PackFile } from "./walk.ts";

/** A package as it is uploaded. */
export interface Archive {
  readonly zip: Buffer;
  /** SHA-256 of the zip, base64, as Lambda reports it. */
  readonly sha256: string;
}

/** The oldest time a zip can hold: the same files give the same bytes whenever and wherever they are packed. */
const FIXED_TIME = new Date(1980, 0, 1);

/** Packs files in the order of their names' bytes, with one time and two modes. */
export async function zipFiles(files: readonly PackFile[]): Promise<Archive> {
  const archive = new yazl.ZipFile();
  const ordered = files.toSorted((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  for (const { name, source, executable } of ordered) {
    const bytes = source.kind === "bytes" ? source.bytes : readFileSync(source.path);
    archive.addBuffer(bytes, name, { mtime: FIXED_TIME, mode: executable ? 0o100755 : 0o100644, forceDosTimestamp: true });
  }
  archive.end();
  const chunks: Buffer[] = [];
  for await (const chunk of archive.outputStream) chunks.push(Buffer.from(chunk));
  return archiveOf(Buffer.concat(chunks));
}

/** A zip that was made elsewhere. */
export function archiveOf(zip: Buffer): Archive {
  return { zip, sha256: createHash("sha256").update(zip).digest("base64") };
}
