import { LambentError } from "../../base/index.ts";

/** The host uids of a configured range, each in the hands of at most one instance. */
export class UidPool {
  readonly #free: number[];
  readonly #count: number;

  constructor(range: { readonly first: number; readonly count: number }) {
    this.#count = range.count;
    this.#free = Array.from({ length: range.count }, (_, index) => range.first + range.count - 1 - index);
  }

  take(): number {
    const uid = this.#free.pop();
    if (uid === undefined)
      throw new LambentError("RuntimeUnavailable", `All ${this.#count} uids of the configured range are in use by instances.`);
    return uid;
  }

  /** Given back only when nothing runs under it any more. Reused last: its files, if any were left, grow old first. */
  give(uid: number): void {
    this.#free.unshift(uid);
  }
}
