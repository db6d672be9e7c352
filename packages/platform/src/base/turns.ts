import { LambentError } from "./errors.ts";

/** Changes of one thing that run one behind the other, each deciding on what the one before left. */
export class Turns {
  readonly #what: string;
  readonly #waitingMax: number;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** `what` says of what the changes are; with `waitingMax` under way one more is refused (P7). */
  constructor(what: string, waitingMax: number) {
    this.#what = what;
    this.#waitingMax = waitingMax;
  }

  /** Runs `change` behind those before it, whether or not they succeeded. Rejects with `StorageBusy` at the bound. */
  async take<T>(change: () => T | Promise<T>): Promise<T> {
    if (this.#waiting >= this.#waitingMax)
      throw new LambentError("StorageBusy", `${this.#waiting} changes of ${this.#what} wait already, which is the bound.`);
    this.#waiting += 1;
    const mine = this.#last.then(change);
    this.#last = mine.catch(() => undefined);
    try {
      return await mine;
    } finally {
      this.#waiting -= 1;
    }
  }
}
