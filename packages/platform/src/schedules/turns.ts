/** Who may change what at the same time in a group: schedules of different names do not wait for each other, claiming waits for all. */
import { deferred, LambentError } from "../base/index.ts";

/** Changes of schedules that wait for their turn in one group (P7). @limit */
const SCHEDULE_CHANGES_WAITING_MAX = 10_000;

export class GroupTurns {
  readonly #busy = new Map<string, Promise<unknown>>();
  #alone: Promise<void> | undefined;
  #waiting = 0;

  /** Runs `change` when no other change of that name and nothing alone runs. Rejects with `StorageBusy` at the bound. */
  async change<T>(name: string, change: () => Promise<T>): Promise<T> {
    if (this.#waiting >= SCHEDULE_CHANGES_WAITING_MAX)
      throw new LambentError("StorageBusy", `${this.#waiting} changes of schedules wait already, which is the bound.`);
    this.#waiting += 1;
    try {
      for (let before = this.#before(name); before; before = this.#before(name)) await before;
      // From here to `set` nothing is awaited: nobody else takes the turn.
      const running = change();
      const over = running.then(
        () => undefined,
        () => undefined,
      );
      this.#busy.set(name, over);
      void over.then(() => this.#busy.delete(name));
      return await running;
    } finally {
      this.#waiting -= 1;
    }
  }

  /** Runs `work` when nothing else does; changes that come meanwhile wait. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    while (this.#alone) await this.#alone;
    const { promise, resolve } = deferred<void>();
    this.#alone = promise;
    try {
      await Promise.all(this.#busy.values());
      return await work();
    } finally {
      this.#alone = undefined;
      resolve();
    }
  }

  #before(name: string): Promise<unknown> | undefined {
    return this.#alone ?? this.#busy.get(name);
  }
}
