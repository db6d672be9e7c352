import { type FunctionVersion, type Realm, realmKey } from "../model/index.ts";

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

/** Under which names a version's calls are counted. */
interface CountedAs {
  readonly function: string;
  readonly realm: string;
}

/** Counts running calls against AWS's two limits: a function's reservation, and what is left for all others. */
export class Concurrency {
  readonly #ofFunction = new Map<string, number>();
  readonly #unreserved = new Map<string, number>();
  /** Told once when a place comes free. */
  #waiting: (() => void)[] = [];
  /** The registry hands out one object per version: names are not put together for every call. */
  readonly #names = new WeakMap<FunctionVersion, CountedAs>();

  /** Takes one place for a call of `version`, or names the limit that is reached; nothing is taken then. */
  admit(version: FunctionVersion, bounds: ConcurrencyBounds): Admission {
    const names = this.#namesOf(version);
    const running = this.#ofFunction.get(names.function) ?? 0;
    if (bounds.reserved !== undefined) {
      if (running >= bounds.reserved) return { kind: "refused", reason: "ReservedFunctionConcurrentInvocationLimitExceeded" };
      this.#ofFunction.set(names.function, running + 1);
      return {
        kind: "admitted",
        release: () => {
          decrement(this.#ofFunction, names.function);
          this.#tellWaiting();
        },
      };
    }
    const shared = this.#unreserved.get(names.realm) ?? 0;
    if (shared >= bounds.unreserved) return { kind: "refused", reason: "ConcurrentInvocationLimitExceeded" };
    this.#ofFunction.set(names.function, running + 1);
    this.#unreserved.set(names.realm, shared + 1);
    return {
      kind: "admitted",
      release: () => {
        decrement(this.#ofFunction, names.function);
        decrement(this.#unreserved, names.realm);
        this.#tellWaiting();
      },
    };
  }

  /** Places that a function has free now. */
  free(realm: Realm, functionName: string, bounds: ConcurrencyBounds): number {
    if (bounds.reserved !== undefined) return bounds.reserved - this.running(realm, functionName);
    return bounds.unreserved - (this.#unreserved.get(realmKey(realm)) ?? 0);
  }

  /** Calls `listener` once, when a place of some function comes free. */
  onceFree(listener: () => void): void {
    this.#waiting.push(listener);
  }

  #tellWaiting(): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const listener of waiting) listener();
  }

  /** Calls of the function that run now. */
  running(realm: Realm, functionName: string): number {
    return this.#ofFunction.get(functionKey(realm, functionName)) ?? 0;
  }

  #namesOf(version: FunctionVersion): CountedAs {
    const known = this.#names.get(version);
    if (known) return known;
    const names = { function: functionKey(version.realm, version.name), realm: realmKey(version.realm) };
    this.#names.set(version, names);
    return names;
  }
}

function functionKey(realm: Realm, functionName: string): string {
  return `${realmKey(realm)}/${functionName}`;
}

export type Admission =
  | { readonly kind: "admitted"; readonly release: () => void }
  | { readonly kind: "refused"; readonly reason: ThrottleReason };

function decrement(counts: Map<string, number>, key: string): void {
  const left = (counts.get(key) ?? 1) - 1;
  if (left === 0) counts.delete(key);
  else counts.set(key, left);
}
