import { LambentError } from "../../base/index.ts";

/** Bytes of records that wait to be appended to partitions that share a budget (P7). @limit */
const APPENDS_WAITING_BYTES_MAX = 64 * 1024 * 1024;

/** What waits to be appended, of one partition; it draws on that of all. At the bound an append is refused with `Throttled`. */
export class AppendBudget {
  readonly #bytesMax: number;
  readonly #all: AppendBudget | undefined;
  #bytes = 0;

  constructor(bytesMax: number = APPENDS_WAITING_BYTES_MAX, all?: AppendBudget) {
    this.#bytesMax = bytesMax;
    this.#all = all;
  }

  /** One append is taken whatever it has, when nothing else waits. */
  take(bytes: number): void {
    if (this.#bytes > 0 && this.#bytes + bytes > this.#bytesMax)
      throw new LambentError("Throttled", `${this.#bytes} bytes of records wait to be appended, where ${this.#bytesMax} may.`);
    this.#all?.take(bytes);
    this.#bytes += bytes;
  }

  giveBack(bytes: number): void {
    this.#bytes -= bytes;
    this.#all?.giveBack(bytes);
  }
}
