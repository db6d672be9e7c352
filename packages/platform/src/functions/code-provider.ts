import type { FunctionVersion } from "../model/index.ts";

/** Ready code trees for assignment: a rename, whatever their size (ARCHITECTURE.md §6). */
export interface CodeProvider {
  /**
   * A directory with the version's unpacked code that the caller may rename away, on the file system of the slots.
   * One spare tree of hard links per version is kept ready; the next is made behind this call.
   */
  takeTree(version: FunctionVersion): Promise<string>;
  /** The same for the merged layers of `/opt`; undefined when the version has none. */
  takeLayers(version: FunctionVersion): Promise<string | undefined>;
}
