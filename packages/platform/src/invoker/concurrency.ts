import type { Realm } from "../model/index.ts";
import { realmKey } from "../model/index.ts";

/** Why a call was not taken, in AWS's words where it has them. */
export type ThrottleReason =
  | "ReservedFunctionConcurrentInvocationLimitExceeded"
  | "ConcurrentInvocationLimitExceeded"
  | "InFlightBytesExceeded";

/** What may run at once, as the registry says it. */
export interface ConcurrencyBounds {
  /** Calls this function may run at once; undefined = it shares the account's unreserved ones. */
  readonly reserved: number | undefined;
  /** What reservations leave of the account's total. */
  readonly unreserved: number;
}

/** Counts running calls against AWS's two limits: a function's reservation, and what is left for all others. */
export class Concurrency {
  readonly #ofFunction = new Map<string, number>();
  readonly #unreserved = new Map<string, number>();

  /** Takes one place, or names the limit that is reached; nothing is taken then. */
  admit(realm: Realm, functionName: string, bounds: ConcurrencyBounds): Admission {
    const scope = realmKey(realm);
    const key = `${scope}/${functionName}`;
    const running = this.#ofFunction.get(key) ?? 0;
    if (bounds.reserved !== undefined) {
      if (running >= bounds.reserved) return { kind: "refused", reason: "ReservedFunctionConcurrentInvocationLimitExceeded" };
      this.#ofFunction.set(key, running + 1);
      return { kind: "admitted", release: () => decrement(this.#ofFunction, key) };
    }
    const shared = this.#unreserved.get(scope) ?? 0;
    if (shared >= bounds.unreserved) return { kind: "refused", reason: "ConcurrentInvocationLimitExceeded" };
    this.#ofFunction.set(key, running + 1);
    this.#unreserved.set(scope, shared + 1);
    return {
      kind: "admitted",
      release: () => {
        decrement(this.#ofFunction, key);
        decrement(this.#unreserved, scope);
      },
    };
  }

  /** Calls of the function that run now. */
  running(realm: Realm, functionName: string): number {
    return this.#ofFunction.get(`${realmKey(realm)}/${functionName}`) ?? 0;
  }
}

export type Admission =
  | { readonly kind: "admitted"; readonly release: () => void }
  | { readonly kind: "refused"; readonly reason: ThrottleReason };

function decrement(counts: Map<string, number>, key: string): void {
  const left = (counts.get(key) ?? 1) - 1;
  if (left === 0) counts.delete(key);
  else counts.set(key, left);
}
