/** What becomes of a key's versions when another one arrives or one is removed: pure. */
import type { Versioning } from "./bucket-record.ts";
import { NULL_VERSION, type ObjectVersion } from "./version.ts";

/** What is known of a key's versions. */
export interface KeyVersions {
  readonly current: ObjectVersion | undefined;
  /** The number of the noncurrent version that is called `null`. */
  readonly nullNumber: number | undefined;
}

export interface Arrival {
  /** What the new version is called: `null`, or by an id of its own. */
  readonly id: "null" | "own";
  /** What becomes of the version that was current. */
  readonly current: "none" | "removed" | "kept";
  /** A noncurrent version that goes, because the new one has its name. */
  readonly removes: number | undefined;
}

/** What another version, or a delete marker, does to those that are there. */
export function decideArrival(versioning: Versioning, { current, nullNumber }: KeyVersions): Arrival {
  switch (versioning) {
    case "off":
      return { id: "null", current: current ? "removed" : "none", removes: undefined };
    case "enabled":
      return { id: "own", current: current ? "kept" : "none", removes: undefined };
    case "suspended":
      // There is one version called null at most.
      if (current?.versionId === NULL_VERSION) return { id: "null", current: "removed", removes: undefined };
      return { id: "null", current: current ? "kept" : "none", removes: nullNumber };
  }
}

export type Deletion =
  /** There is nothing to delete. */
  | { readonly kind: "nothing" }
  /** The version goes for good. */
  | { readonly kind: "removed" }
  /** A delete marker arrives. */
  | { readonly kind: "marked"; readonly arrival: Arrival };

/** What deleting a key without naming a version does. */
export function decideDeletion(versioning: Versioning, versions: KeyVersions): Deletion {
  if (versioning === "off") return { kind: versions.current ? "removed" : "nothing" };
  return { kind: "marked", arrival: decideArrival(versioning, versions) };
}

/** Whether versions may change so. Once a bucket had versions it cannot be as if it never had. */
export function mayBecome(from: Versioning, to: Versioning): boolean {
  return to !== "off" || from === "off";
}
