/** Bytes of messages that all mappings hold at once; beyond it nothing is read until some have ended (P7). @limit */
export const HELD_BYTES_MAX = 256 * 1024 * 1024;

/** What mappings hold in memory, under one bound. One read may overrun it, by what that read brings. */
export class HeldBytes {
  readonly #max: number;
  #held = 0;
  #waiting: (() => void)[] = [];

  constructor(max: number = HELD_BYTES_MAX) {
    this.#max = max;
  }

  /** Resolves once there is room. At most one caller a mapping waits. */
  async room(): Promise<void> {
    while (this.#held >= this.#max) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  take(bytes: number): void {
    this.#held += bytes;
  }

  release(bytes: number): void {
    this.#held -= bytes;
    if (this.#held >= this.#max || this.#waiting.length === 0) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
