/** Offsets that are past go. One timer serves all groups; it is set for the earliest time at which something can be past. */
import { isLambentError, type Clock, type Instant, type Timer } from "../../base/index.ts";
import type { CoordinatedGroup } from "./coordinated-group.ts";
import { EXPIRY_PAUSE_MS } from "./settings.ts";

interface ExpiryParts {
  readonly clock: Clock;
  readonly groups: () => Iterable<CoordinatedGroup>;
  /** Removes what is past of a group, and the group when nothing of it is left. */
  readonly expire: (group: CoordinatedGroup, now: Instant) => Promise<void>;
  readonly onProblem: (error: unknown) => void;
}

export class Expiry {
  readonly #parts: ExpiryParts;
  #timer: { readonly at: Instant; readonly timer: Timer } | undefined;
  #looking: Promise<void> | undefined;
  #isClosed = false;

  constructor(parts: ExpiryParts) {
    this.#parts = parts;
  }

  /** Something of a group can be past at `at`. */
  plan(at: Instant): void {
    if (this.#isClosed || this.#looking || at === Infinity) return;
    const { clock } = this.#parts;
    const then = Math.max(at, clock.now() + EXPIRY_PAUSE_MS);
    if (this.#timer && this.#timer.at <= then) return;
    this.#timer?.timer.cancel();
    const timer = clock.schedule(then - clock.now(), () => {
      this.#timer = undefined;
      this.#looking = this.#look().finally(() => {
        this.#looking = undefined;
        this.plan(Math.min(Infinity, ...Array.from(this.#parts.groups(), ({ dueAt }) => dueAt)));
      });
    });
    this.#timer = { at: then, timer };
  }

  /** Resolves once a look that is under way has ended. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.timer.cancel();
    await this.#looking;
  }

  async #look(): Promise<void> {
    const { clock, groups, expire, onProblem } = this.#parts;
    const now = clock.now();
    for (const group of [...groups()].filter(({ dueAt }) => dueAt <= now)) {
      if (this.#isClosed) return;
      try {
        // Not two at once: nobody waits for it.
        await expire(group, now);
      } catch (error) {
        if (!isLambentError(error, "StorageBusy", "ShuttingDown")) onProblem(error);
      }
    }
  }
}
