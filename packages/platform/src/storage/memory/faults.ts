import type { CellKey } from "../store.ts";

/** What is about to happen and may go wrong. */
export interface FaultStep {
  readonly kind: "commit" | "read";
  readonly cell: CellKey;
}

/** What goes wrong. */
export type Fault =
  /** Refused with `StorageBusy`; nothing happened. */
  | { readonly kind: "busy" }
  /** The store stops; the commit did not happen. */
  | { readonly kind: "stopBefore" }
  /** The store stops; the commit did happen, but nobody is told so: what a crash between the two looks like. */
  | { readonly kind: "stopAfter" }
  /** The answer comes only once `until` resolves. A commit is applied in its turn all the same. */
  | { readonly kind: "acknowledgeLate"; readonly until: Promise<void> }
  /** Only for reads: `StorageCorrupt`, and the cell takes no commit any more. */
  | { readonly kind: "damaged" };

/** Decides per step, from a list, a seed or a count; `undefined` lets it pass. */
export type FaultPlan = (step: FaultStep) => Fault | undefined;
