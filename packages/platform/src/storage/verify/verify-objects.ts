import { createHash } from "node:crypto";
import { isLambentError } from "../../base/index.ts";
import type { BodyFiles } from "../bodies/bodies.ts";
import { type BodyReferences, differenceOf, eachBodyReference, nameOf, type RowReference, whoRefers } from "../bodies/references.ts";
import { isIoError } from "../io-error.ts";
import type { Store } from "../store.ts";
import { readOwnRow } from "../work-list/own-rows.ts";
import type { Faults } from "./faults.ts";

/** Files of objects, and whose rows refer to them. */
export interface KeptObjects {
  readonly bodies: BodyFiles;
  readonly references: readonly BodyReferences[];
}

export interface ObjectsReport {
  readonly objectFiles: number;
  /** Of those that rows refer to and that are as they were written. */
  readonly objectBytes: number;
  /** Files that no row refers to: no fault, they are being written or about to go. */
  readonly unreferencedObjectFiles: number;
}

export const NO_OBJECTS: ObjectsReport = { objectFiles: 0, objectBytes: 0, unreferencedObjectFiles: 0 };

/**
 * Reads every file that a row refers to and holds it against the length and the MD5 that the row names. Files are counted before
 * rows are read, so that one which joins meanwhile is not taken for one that nothing refers to. No list of either is kept: a file
 * has one row that refers to it.
 */
export async function verifyObjects(store: Store, { bodies, references }: KeptObjects, faults: Faults): Promise<ObjectsReport> {
  const objectFiles = await countFiles(bodies, faults);
  let found = 0;
  let objectBytes = 0;
  try {
    for await (const reference of eachBodyReference(store, references)) {
      const content = await contentOf(bodies, reference);
      if (content !== undefined) found++;
      const what = content === "unreadable" ? "it cannot be read" : differenceOf(reference, content);
      if (what === undefined) objectBytes += reference.bytes;
      else if (await stillRefers(store, references, reference))
        faults.add({ kind: "object", name: nameOf(reference), what: `${what}, and ${whoRefers(reference)}` });
    }
  } catch (error) {
    // A damaged cell is named already; what it refers to cannot be told.
    if (!isLambentError(error, "StorageCorrupt")) throw error;
    found = objectFiles;
  }
  return { objectFiles, objectBytes, unreferencedObjectFiles: Math.max(0, objectFiles - found) };
}

async function countFiles(bodies: BodyFiles, faults: Faults): Promise<number> {
  let files = 0;
  for await (const { path, body } of bodies.list()) {
    if (body) files++;
    else faults.add({ kind: "object", name: path, what: "it is no object's file: nothing of Lambent is called so" });
  }
  return files;
}

async function contentOf(bodies: BodyFiles, { owner, file }: RowReference) {
  const hash = createHash("md5");
  let bytes = 0;
  try {
    const stream = await bodies.read(owner, file);
    if (!stream) return undefined;
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      hash.update(chunk);
      bytes += chunk.byteLength;
    }
  } catch (error) {
    if (!isIoError(error) && !isLambentError(error, "StorageStopped")) throw error;
    return "unreadable";
  }
  return { bytes, md5: hash.digest("hex") };
}

/** The row may have changed since it was read, and its file be gone with it. */
async function stillRefers(
  store: Store,
  references: readonly BodyReferences[],
  { cell, key, owner, file }: RowReference,
): Promise<boolean> {
  const value = await readOwnRow(store, cell, key);
  if (value === undefined) return false;
  const now = references.filter((each) => each.isIn(cell)).flatMap((each) => each.of(cell, key, value));
  return now.some((body) => body.owner === owner && body.file === file);
}
