/**
 * `lambent verify`: reads everything that is kept and says what is not as it was written. Rows against their checksums,
 * bodies against their names, references of rows to bodies both ways. Changes nothing, except that a damaged cell is stopped.
 */
import type { BlobFolder } from "../blobs/blobs.ts";
import { type BlobReferences, referencedBlobs } from "../blobs/references.ts";
import { isLambentError } from "../../base/index.ts";
import type { EmbeddedStore } from "../sqlite/sqlite-store.ts";

/** Faults a report names; further ones are counted only. */
export const VERIFY_FAULTS_MAX = 1_000;

export interface VerifyFault {
  readonly kind: "store" | "cell" | "blob";
  /** The cell's key or the body's digest; the file for the store as a whole. */
  readonly name: string;
  readonly what: string;
}

export interface VerifyReport {
  readonly cells: number;
  readonly rows: number;
  readonly bytes: number;
  readonly blobs: number;
  readonly blobBytes: number;
  /** Bodies that no row refers to: no fault, they are swept when they are old enough. */
  readonly unreferencedBlobs: number;
  readonly faults: readonly VerifyFault[];
  readonly faultCount: number;
}

export interface VerifyParts {
  readonly store: EmbeddedStore;
  readonly storeFile: string;
  readonly blobs: BlobFolder;
  readonly references: readonly BlobReferences[];
  /** Lets SQLite check its own file too; only while nobody commits. */
  readonly structure: boolean;
}

/** Reads everything. Through a running server it reads beside what goes on; each row as it is at its moment. */
export async function verifyKept(parts: VerifyParts): Promise<VerifyReport> {
  const faults = new Faults();
  const store = await parts.store.check({ structure: parts.structure });
  for (const { cell, what } of store.faults)
    faults.add(cell === undefined ? { kind: "store", name: parts.storeFile, what } : { kind: "cell", name: cell, what });
  const there = await verifyBodies(parts.blobs, faults);
  const unreferencedBlobs = await verifyReferences(parts, there.digests, faults);
  const { cells, rows, bytes } = store;
  return { cells, rows, bytes, blobs: there.digests.size, blobBytes: there.bytes, unreferencedBlobs, ...faults.list() };
}

/** A report of a store that does not even open. */
export function unopenedReport(storeFile: string, what: string): VerifyReport {
  const faults = [{ kind: "store", name: storeFile, what } as const];
  return { cells: 0, rows: 0, bytes: 0, blobs: 0, blobBytes: 0, unreferencedBlobs: 0, faults, faultCount: 1 };
}

async function verifyBodies(blobs: BlobFolder, faults: Faults): Promise<{ readonly digests: Set<string>; readonly bytes: number }> {
  const digests = new Set<string>();
  let bytes = 0;
  for await (const { name, digest } of blobs.list()) {
    if (digest === undefined) {
      faults.add({ kind: "blob", name, what: "it is no body: nothing of Lambent is called so" });
      continue;
    }
    const body = await blobs.check(digest);
    if (body.kind === "damaged") faults.add({ kind: "blob", name: digest, what: "it does not have its checksum" });
    // One that went meanwhile was deleted by its owner.
    if (body.kind !== "absent") digests.add(digest);
    if (body.kind === "whole") bytes += body.bytes;
  }
  return { digests, bytes };
}

/**
 * Rows are read behind the bodies. One that is missing may have gone with its row since the row was read: rows are read again.
 * Returns how many bodies nothing refers to.
 */
async function verifyReferences({ store, blobs, references }: VerifyParts, there: ReadonlySet<string>, faults: Faults): Promise<number> {
  try {
    const referenced = await referencedBlobs(store, references);
    let missing = await missingOf(
      blobs,
      [...referenced.keys()].filter((digest) => !there.has(digest)),
    );
    if (missing.length > 0) {
      const again = await referencedBlobs(store, references);
      missing = await missingOf(
        blobs,
        missing.filter((digest) => again.has(digest)),
      );
    }
    for (const name of missing) faults.add({ kind: "blob", name, what: `it is missing, and cell ${referenced.get(name)} refers to it` });
    return [...there].filter((digest) => !referenced.has(digest)).length;
  } catch (error) {
    // A damaged cell is named already; what it refers to cannot be told.
    if (!isLambentError(error, "StorageCorrupt")) throw error;
    return 0;
  }
}

async function missingOf(blobs: BlobFolder, digests: readonly string[]): Promise<string[]> {
  const missing: string[] = [];
  for (const digest of digests) if ((await blobs.check(digest)).kind === "absent") missing.push(digest);
  return missing;
}

class Faults {
  readonly #faults: VerifyFault[] = [];
  #count = 0;

  add(fault: VerifyFault): void {
    this.#count++;
    if (this.#faults.length < VERIFY_FAULTS_MAX) this.#faults.push(fault);
  }

  list(): { readonly faults: readonly VerifyFault[]; readonly faultCount: number } {
    return { faults: this.#faults, faultCount: this.#count };
  }
}
