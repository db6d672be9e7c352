import type { Realm } from "../../model/index.ts";
import type { Registry } from "../registry.ts";

export interface AccountUsage {
  /** Zips of all functions, versions and layers, each counted once. */
  readonly codeBytes: number;
  readonly functions: number;
}

/** What an account uses of its limits in one region. */
export class Account {
  readonly #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  usage(realm: Realm): AccountUsage {
    const state = this.#registry.state(realm);
    return { codeBytes: state.codeBytes(), functions: state.functions.size };
  }
}
