/**
 * `lambent verify`: reads everything that is kept and says what is not as it was written. Rows against their checksums,
 * bodies against their names, references of rows to bodies both ways, objects' files against what their rows say. Changes nothing, except that a damaged cell is stopped.
 */
import type { BlobFolder } from "../blobs/blobs.ts";
import { type BlobReferences, referencedBlobs } from "../blobs/references.ts";
import { isLambentError } from "../../base/index.ts";
import type { EmbeddedStore } from "../sqlite/sqlite-store.ts";
import { Faults, type VerifyFault } from "./faults.ts";
import { type KeptObjects, NO_OBJECTS, type ObjectsReport, verifyObjects } from "./verify-objects.ts";

export interface VerifyReport extends ObjectsReport {
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
  /** Without it, objects are not looked at. */
  readonly objects?: KeptObjects | undefined;
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
  const objects = parts.objects ? await verifyObjects(parts.store, parts.objects, faults) : NO_OBJECTS;
  const { cells, rows, bytes } = store;
  return { cells, rows, bytes, blobs: there.digests.size, blobBytes: there.bytes, unreferencedBlobs, ...objects, ...faults.list() };
}

/** A report of a store that does not even open. */
export function unopenedReport(storeFile: string, what: string): VerifyReport {
  const faults = [{ kind: "store", name: storeFile, what } as const];
  return { cells: 0, rows: 0, bytes: 0, blobs: 0, blobBytes: 0, unreferencedBlobs: 0, ...NO_OBJECTS, faults, faultCount: 1 };
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
