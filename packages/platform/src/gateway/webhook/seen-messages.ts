/**
 * Messages that were taken lately, by the sender's own id: senders send again what they had no answer to.
 *
 * In memory, for `WEBHOOK_SEEN_MS`, and at most `WEBHOOK_SEEN_MAX` of them: behind that, and after a restart, a message that is sent again
 * is another event. Times are monotonic and passed in.
 */
import type { MonotonicMs } from "../../base/index.ts";

/** How long a message is remembered. @limit */
export const WEBHOOK_SEEN_MS = 3_600_000;
/** Messages that are remembered; at the bound the oldest goes (P7). @limit */
export const WEBHOOK_SEEN_MAX = 10_000;

interface Seen {
  readonly at: MonotonicMs;
  readonly event: Promise<string>;
}

export class SeenMessages {
  readonly #seen = new Map<string, Seen>();

  /** The event of this message when it was taken before; also while it still is being taken. */
  find(key: string, now: MonotonicMs): Promise<string> | undefined {
    this.#forget(now);
    return this.#seen.get(key)?.event;
  }

  /** Remembers it from here on; one that could not be taken is forgotten again. */
  add(key: string, event: Promise<string>, now: MonotonicMs): void {
    const seen: Seen = { at: now, event };
    this.#seen.set(key, seen);
    event.catch(() => {
      if (this.#seen.get(key) === seen) this.#seen.delete(key);
    });
  }

  /** The oldest stand first. */
  #forget(now: MonotonicMs): void {
    for (const [key, { at }] of this.#seen) {
      if (now - at < WEBHOOK_SEEN_MS && this.#seen.size <= WEBHOOK_SEEN_MAX) return;
      this.#seen.delete(key);
    }
  }
}
