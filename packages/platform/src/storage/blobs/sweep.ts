/**
 * Removes bodies that no row refers to: left by a crash between putting a body and committing the row, or by a row's end.
 * A body is left alone until it was neither put nor asked for for `ORPHAN_AGE_MS_MIN`: its row may be on the way.
 */
import { type Clock, isLambentError } from "../../base/index.ts";
import type { Store } from "../store.ts";
import type { BlobFolder } from "./blobs.ts";
import { type BlobReferences, referencedBlobs } from "./references.ts";

const DAY_MS = 86_400_000;
/** A body that no row refers to is kept at least this long after it was last put or asked for. */
export const ORPHAN_AGE_MS_MIN = DAY_MS;

export interface SweepParts {
  readonly store: Store;
  readonly blobs: BlobFolder;
  readonly references: readonly BlobReferences[];
  readonly clock: Clock;
}

/** Sweeps once and returns how many bodies went. Nothing goes when a cell cannot be read: it may have referred to anything. */
export async function sweepBlobs({ store, blobs, references, clock }: SweepParts): Promise<number> {
  // Before the rows are read: what becomes young while they are is referred to by a commit this does not see.
  const before = clock.now() - ORPHAN_AGE_MS_MIN;
  let referenced: ReadonlyMap<string, unknown>;
  try {
    referenced = await referencedBlobs(store, references);
  } catch (error) {
    if (isLambentError(error, "StorageCorrupt")) return 0;
    throw error;
  }
  let removed = 0;
  for await (const { digest } of blobs.list()) {
    if (digest !== undefined && !referenced.has(digest) && (await blobs.deleteUntouched(digest, before))) removed++;
  }
  return removed;
}
