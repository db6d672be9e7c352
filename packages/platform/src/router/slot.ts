import type { Instance, StartEnding } from "../runtime/index.ts";

/** A place for one call in one instance. `release` exactly once, when the call ended. */
export interface Slot {
  readonly instance: Instance;
  /** The instance's first call: it waited for the start, so its init is part of this call's bill. */
  readonly coldStart: boolean;
  release(): void;
}

/** How the search for a slot ended. */
export type Acquired =
  | { readonly kind: "slot"; readonly slot: Slot }
  | Extract<StartEnding, { kind: "initFailed" | "unavailable" }>
  /** No slot came free in time. */
  | { readonly kind: "waitedTooLong" };
