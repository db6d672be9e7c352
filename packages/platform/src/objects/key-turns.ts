import { type Deferred, deferred, LambentError } from "../base/index.ts";

/** Changes of one key that wait for those before them; one more is refused with `StorageBusy` (P7). @limit */
export const KEY_WAITERS_MAX = 1_000;

interface Line {
  /** Settles once the last of them has ended. */
  last: Promise<unknown>;
  length: number;
}

/** Changes of a key run one behind the other; those of different keys never wait for each other. */
export class KeyTurns {
  readonly #lines = new Map<string, Line>();
  #idle: Deferred<void> | undefined;

  /** Runs `change` behind those of the same key, whether or not they succeeded. */
  async take<T>(key: string, change: () => Promise<T>): Promise<T> {
    const known = this.#lines.get(key);
    if (known && known.length > KEY_WAITERS_MAX)
      throw new LambentError("StorageBusy", `${KEY_WAITERS_MAX} changes of the key ${key} wait already, which is the bound.`);
    const line = known ?? { last: Promise.resolve(), length: 0 };
    if (!known) this.#lines.set(key, line);
    line.length += 1;
    const mine = line.last.then(change);
    line.last = mine.catch(() => undefined);
    try {
      return await mine;
    } finally {
      this.#leave(key, line);
    }
  }

  /** Resolves once nothing is under way. Whoever asks sees to it that nothing more comes. */
  idle(): Promise<void> {
    if (this.#lines.size === 0) return Promise.resolve();
    this.#idle ??= deferred<void>();
    return this.#idle.promise;
  }

  #leave(key: string, line: Line): void {
    line.length -= 1;
    if (line.length > 0) return;
    this.#lines.delete(key);
    if (this.#lines.size > 0) return;
    this.#idle?.resolve();
    this.#idle = undefined;
  }
}
