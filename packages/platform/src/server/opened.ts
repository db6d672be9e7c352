/**
 * What was opened so far, to be closed in the reverse order: when the server stops, and when a later part fails to open.
 */
export class Opened {
  readonly #closers: (() => Promise<void>)[] = [];

  /** Remembers how to close what was just opened. */
  push(close: () => Promise<void>): void {
    this.#closers.push(close);
  }

  /** Closes everything, the last opened first. A part that fails to close does not keep the others open; the first failure is thrown at the end. */
  async closeAll(): Promise<void> {
    const failures: unknown[] = [];
    for (let close = this.#closers.pop(); close; close = this.#closers.pop()) {
      await close().catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }
}
