import { deferred, type Deferred } from "../../base/index.ts";

interface Waiting {
  readonly bytes: number;
  readonly turn: Deferred<void>;
}

export interface Share {
  set(bytes: number): void;
  /** As many bytes as it may have now: what is left beside the others, but `min` at least and `max` at most. */
  within(min: number, max: number): number;
}

/** Bytes that may be held at once by everybody together (P7); who asks for more than are left waits in line. */
export class ByteBudget {
  readonly #bytesMax: number;
  readonly #waiting: Waiting[] = [];
  #held = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get left(): number {
    return Math.max(0, this.#bytesMax - this.#held);
  }

  /** Takes `bytes`, which are never more than all; they count until `release`. Rejects with the signal's reason where that aborts first. */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#waiting.length === 0 && bytes <= this.left) {
      this.#held += bytes;
      return;
    }
    const waiting: Waiting = { bytes, turn: deferred<void>() };
    const giveUp = (): void => {
      const place = this.#waiting.indexOf(waiting);
      if (place < 0) return;
      this.#waiting.splice(place, 1);
      waiting.turn.reject(signal.reason);
      this.#next();
    };
    this.#waiting.push(waiting);
    signal.addEventListener("abort", giveUp, { once: true });
    await waiting.turn.promise;
    signal.removeEventListener("abort", giveUp);
  }

  /** Counts bytes that are held already, whether or not they are left: what was read cannot be unread. */
  count(bytes: number): void {
    this.#held += bytes;
  }

  release(bytes: number): void {
    this.#held -= bytes;
    this.#next();
  }

  /** A share that counts as much as it is set to. */
  share(): Share {
    let held = 0;
    const set = (bytes: number): void => {
      if (bytes > held) this.count(bytes - held);
      else if (bytes < held) this.release(held - bytes);
      held = bytes;
    };
    return { set, within: (min, max) => Math.min(max, Math.max(min, this.left + held)) };
  }

  #next(): void {
    for (let first = this.#waiting[0]; first && first.bytes <= this.left; first = this.#waiting[0]) {
      this.#waiting.shift();
      this.#held += first.bytes;
      first.turn.resolve();
    }
  }
}
