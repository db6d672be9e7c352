/**
 * What a backup says of itself: `manifest.json`, written last. A folder without one is no backup, or one that was not
 * finished; with one, every file is as long and has the checksum it names.
 */
import { createHash } from "node:crypto";
import { LambentError } from "../../base/index.ts";
import { SCHEMA_VERSION } from "../sqlite/schema.ts";

/** The layout's version; a backup of a newer one is refused. */
export const BACKUP_FORMAT = 1;
export const MANIFEST_FILE = "manifest.json";
/** Bytes of a manifest that are read: about a million files. A backup of more is not made. */
export const MANIFEST_BYTES_MAX = 256 * 1024 * 1024;

export interface BackupFile {
  /** Relative, with `/`. */
  readonly path: string;
  readonly bytes: number;
  /** In hex. */
  readonly sha256: string;
}

export interface Manifest {
  readonly format: number;
  /** Version of the store's tables. */
  readonly schema: number;
  /** Version of the Lambent that made it. */
  readonly lambent: string;
  /** ISO 8601. */
  readonly takenAt: string;
  readonly files: readonly BackupFile[];
}

/** Where a file of a backup may be: nothing a manifest says leads out of the folder. */
const PATH_FORM =
  /^(?:store\.db|format|root-key|cipher-key|config|blobs\/[0-9a-f]{2}\/[0-9a-f]{64}|objects\/[A-Za-z0-9_-]{2,128}\/[A-Za-z0-9_-]{2}\/[A-Za-z0-9_-]{2,128})$/;

/** The manifest as it is written: its own checksum stands beside it. */
export function encodeManifest(manifest: Manifest): string {
  return `${JSON.stringify({ manifest, sha256: checksumOf(manifest) }, undefined, 1)}\n`;
}

/** Reads a manifest. Throws `BackupFailed` for what is none, is damaged, or is of a newer Lambent. */
export function decodeManifest(text: string): Manifest {
  const read = parse(text);
  const { manifest } = read;
  if (!isManifest(manifest)) throw refused("is not what a manifest is");
  if (manifest.format > BACKUP_FORMAT || manifest.schema > SCHEMA_VERSION)
    throw refused(`was made by a newer Lambent (${manifest.lambent}); restore it with that one`);
  if (read.sha256 !== checksumOf(manifest)) throw refused("does not have its checksum");
  const stray = manifest.files.find(({ path }) => !PATH_FORM.test(path));
  if (stray) throw refused(`names a file that no backup has: ${JSON.stringify(stray.path)}`);
  for (const vital of ["store.db", "format"])
    if (!manifest.files.some(({ path }) => path === vital)) throw refused(`names no file ${vital}`);
  return manifest;
}

function checksumOf(manifest: Manifest): string {
  return createHash("sha256").update(JSON.stringify(manifest)).digest("hex");
}

function parse(text: string): { readonly manifest?: unknown; readonly sha256?: unknown } {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    throw refused("is not JSON");
  }
}

function isManifest(value: unknown): value is Manifest {
  if (typeof value !== "object" || value === null) return false;
  const { format, schema, lambent, takenAt, files } = value as Record<string, unknown>;
  const scalars = typeof format === "number" && typeof schema === "number" && typeof lambent === "string" && typeof takenAt === "string";
  return scalars && Array.isArray(files) && files.every(isFile);
}

function isFile(value: unknown): value is BackupFile {
  if (typeof value !== "object" || value === null) return false;
  const { path, bytes, sha256 } = value as Record<string, unknown>;
  return typeof path === "string" && typeof bytes === "number" && typeof sha256 === "string";
}

function refused(why: string): LambentError {
  return new LambentError("BackupFailed", `The backup's ${MANIFEST_FILE} ${why}.`);
}
