import type { MonotonicMs } from "../base/index.ts";
import { messageBytes, type StoredMessage } from "./message.ts";

/** How long a receive request attempt id is remembered. */
const ATTEMPT_MS = 300_000;
/** Attempt ids of one queue that are remembered; the oldest goes. */
const ATTEMPTS_MAX = 1_000;
/** The same in bytes of their messages. */
const ATTEMPT_BYTES_MAX = 4 * 1024 * 1024;

interface Attempt<Message> {
  readonly at: MonotonicMs;
  readonly messages: readonly Message[];
  readonly bytes: number;
}

/** What receives under an attempt id were given, so that a repeated one is given the same. */
export class ReceiveAttempts<Message extends StoredMessage> {
  readonly #attempts = new Map<string, Attempt<Message>>();
  #bytes = 0;

  remember(id: string, messages: readonly Message[], at: MonotonicMs): void {
    this.#forget(id);
    const bytes = messages.reduce((sum, message) => sum + messageBytes(message), 0);
    this.#attempts.set(id, { at, messages, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#attempts.keys()) {
      if (this.#attempts.size <= ATTEMPTS_MAX && this.#bytes <= ATTEMPT_BYTES_MAX) return;
      this.#forget(oldest);
    }
  }

  find(id: string, now: MonotonicMs): readonly Message[] | undefined {
    const known = this.#attempts.get(id);
    return known && known.at + ATTEMPT_MS > now ? known.messages : undefined;
  }

  #forget(id: string): void {
    this.#bytes -= this.#attempts.get(id)?.bytes ?? 0;
    this.#attempts.delete(id);
  }
}
