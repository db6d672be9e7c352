/** What a tree of code consists of: enough to build it again by links, without reading a folder. */
export type ManifestEntry =
  | { readonly kind: "directory"; readonly path: string }
  | { readonly kind: "file"; readonly path: string; readonly bytes: number; readonly executable: boolean }
  /** `target` is relative and stays inside the tree (`zip-plan.ts`). */
  | { readonly kind: "link"; readonly path: string; readonly target: string };

export interface Manifest {
  /** Parents before what they contain. */
  readonly entries: readonly ManifestEntry[];
  readonly unpackedBytes: number;
}

/** One entry of a merged tree and which of the sources it comes from. */
export interface MergedEntry {
  readonly entry: ManifestEntry;
  readonly source: number;
}

/**
 * Lays trees over each other in order, as layers are unpacked over `/opt`: a later tree's file takes the place of an
 * earlier one's. Where one has a directory and the other a file or link of the same path, the later kind stays, and
 * what the earlier had below it goes. So nothing of a later tree is ever written through an earlier one's link.
 */
export function mergeManifests(manifests: readonly Manifest[]): MergedEntry[] {
  const merged = new Map<string, MergedEntry>();
  for (const [source, manifest] of manifests.entries()) {
    for (const entry of manifest.entries) {
      const before = merged.get(entry.path);
      if (before?.entry.kind === "directory" && entry.kind !== "directory") removeBelow(merged, entry.path);
      if (before?.entry.kind === "directory" && entry.kind === "directory") continue;
      // Deleted first, so that a path whose kind changed stands behind its own parents again.
      merged.delete(entry.path);
      merged.set(entry.path, { entry, source });
    }
  }
  return [...merged.values()];
}

function removeBelow(merged: Map<string, MergedEntry>, path: string): void {
  const prefix = `${path}/`;
  for (const known of merged.keys()) if (known.startsWith(prefix)) merged.delete(known);
}
