import type { FunctionVersion, Realm } from "../model/index.ts";

/** What the way of a call needs to know of functions: in memory, synchronous. */
export interface FunctionDirectory {
  /**
   * The versions behind a name and qualifier; an alias with weights has two.
   * Throws `NotFound` (saying in which other region the function exists, if in one), `FunctionNotReady`.
   */
  find(realm: Realm, name: string, qualifier: string | undefined): InvocationTarget;
  /** Calls this function may run at once; undefined = shares the account's unreserved ones. */
  reservedConcurrency(realm: Realm, name: string): number | undefined;
  /** All calls of the account at once, and what reservations leave of them. */
  accountConcurrency(realm: Realm): { readonly total: number; readonly unreserved: number };
  /** Instances kept initialised for this version key, 0 mostly. */
  provisionedConcurrency(versionKey: string): number;
  /** Keeps the code of a version that was found, also when it is superseded or deleted meanwhile, until the returned function is called, once. */
  keepCode(version: FunctionVersion): () => void;
  /** Calls `listener` after a change was committed. */
  onChange(listener: (change: FunctionChange) => void): void;
}

export interface InvocationTarget {
  /** Weights add up to 1. */
  readonly versions: readonly { readonly version: FunctionVersion; readonly weight: number }[];
  readonly functionArn: string;
}

export type FunctionChange =
  /** The version key is superseded (code or settings changed) or deleted: its instances drain. */
  | { readonly kind: "retired"; readonly versionKey: string }
  | { readonly kind: "ready"; readonly version: FunctionVersion }
  /** Reserved or provisioned concurrency changed. */
  | { readonly kind: "limits"; readonly realm: Realm; readonly name: string };
