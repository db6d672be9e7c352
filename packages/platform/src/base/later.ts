import { LambentError } from "./errors.ts";

type State<T> =
  | { readonly kind: "untouched" }
  | { readonly kind: "opening"; readonly opening: Promise<T> }
  | { readonly kind: "open"; readonly value: T; readonly opening: Promise<T> }
  | { readonly kind: "closed" };

/**
 * What is opened at its first use, so that a start need not wait for it: once for all who ask meanwhile. When it cannot be opened, all of them
 * are told why, and the next one to ask tries again.
 */
export class Later<T> {
  readonly #open: () => Promise<T>;
  #state: State<T> = { kind: "untouched" };

  constructor(open: () => Promise<T>) {
    this.#open = open;
  }

  /** The opened thing; opens it when nobody did before. Rejects with what kept it from opening, or with `ShuttingDown` once it is closed. */
  get(): Promise<T> {
    switch (this.#state.kind) {
      case "untouched":
        return this.#begin();
      case "opening":
      case "open":
        return this.#state.opening;
      case "closed":
        return Promise.reject(new LambentError("ShuttingDown", "The server is stopping."));
    }
  }

  /** The opened thing, or undefined while it is not open: for those who go on without waiting. */
  opened(): T | undefined {
    return this.#state.kind === "open" ? this.#state.value : undefined;
  }

  /** Opens it no more, and closes what is open by `close`; what is being opened is waited for and closed too. */
  async close(close: (value: T) => Promise<void>): Promise<void> {
    const before = this.#state;
    this.#state = { kind: "closed" };
    if (before.kind === "open") return close(before.value);
    if (before.kind !== "opening") return;
    const [outcome] = await Promise.allSettled([before.opening]);
    if (outcome.status === "fulfilled") await close(outcome.value);
  }

  #begin(): Promise<T> {
    const opening = this.#open().then(
      (value) => {
        if (this.#state.kind === "opening") this.#state = { kind: "open", value, opening };
        return value;
      },
      (error: unknown) => {
        if (this.#state.kind === "opening") this.#state = { kind: "untouched" };
        throw error;
      },
    );
    this.#state = { kind: "opening", opening };
    return opening;
  }
}
