/** Calls that were refused, of all shards of one mapping: they are tried again in their order as soon as calls of the function may begin. */
interface Waiting {
  /** It has not been tried again meanwhile. */
  readonly isWaiting: boolean;
  tryAgain(): void;
}

export interface RoomParts {
  /** Calls of the function that may begin now. */
  readonly free: () => number;
  /** Calls `listener` once, when a call of whatever function has ended. */
  readonly onceFree: (listener: () => void) => void;
}

export class Room {
  readonly #parts: RoomParts;
  readonly #waiting = new Set<Waiting>();
  #asked = false;

  constructor(parts: RoomParts) {
    this.#parts = parts;
  }

  await(slot: Waiting): void {
    // Behind those that wait already.
    this.#waiting.delete(slot);
    this.#waiting.add(slot);
    this.#ask();
  }

  #ask(): void {
    if (this.#asked) return;
    this.#asked = true;
    this.#parts.onceFree(() => {
      this.#asked = false;
      for (const slot of [...this.#waiting]) if (!slot.isWaiting) this.#waiting.delete(slot);
      for (const slot of [...this.#waiting].slice(0, Math.max(0, this.#parts.free()))) {
        this.#waiting.delete(slot);
        slot.tryAgain();
      }
      if (this.#waiting.size > 0) this.#ask();
    });
  }
}
