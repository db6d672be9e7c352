import { realmKey, type Realm } from "../../model/index.ts";
import type { NewLogEvent } from "./event.ts";

/** Characters of log lines that wait to be written, over all streams; what is over is dropped and counted (P7). */
export const LOG_BUFFER_CHARACTERS_MAX = 16 * 1024 * 1024;
/** The same in lines. */
export const LOG_BUFFER_LINES_MAX = 65_536;

/** What one stream has waiting. */
export interface PendingStream {
  readonly realm: Realm;
  readonly group: string;
  readonly stream: string;
  readonly events: NewLogEvent[];
  /** Lines dropped since the last write. */
  dropped: number;
}

/** Events on their way to their files. */
export class WriteBuffer {
  #pending = new Map<string, PendingStream>();
  /** The stream written last: lines of one call come one after the other. */
  #last: PendingStream | undefined;
  #characters = 0;
  #lines = 0;

  /** False when events were dropped. */
  add(target: Pick<PendingStream, "realm" | "group" | "stream">, events: readonly NewLogEvent[]): boolean {
    const pending = this.#of(target);
    let all = true;
    for (const event of events) {
      if (this.#lines >= LOG_BUFFER_LINES_MAX || this.#characters + event.message.length > LOG_BUFFER_CHARACTERS_MAX) {
        pending.dropped++;
        all = false;
        continue;
      }
      this.#lines++;
      this.#characters += event.message.length;
      pending.events.push(event);
    }
    return all;
  }

  /** Empties the buffer. */
  take(): PendingStream[] {
    const taken = [...this.#pending.values()];
    this.#pending = new Map();
    this.#last = undefined;
    this.#characters = 0;
    this.#lines = 0;
    return taken;
  }

  #of({ realm, group, stream }: Pick<PendingStream, "realm" | "group" | "stream">): PendingStream {
    const last = this.#last;
    if (last && last.stream === stream && last.group === group && last.realm === realm) return last;
    return (this.#last = this.#find({ realm, group, stream }));
  }

  #find({ realm, group, stream }: Pick<PendingStream, "realm" | "group" | "stream">): PendingStream {
    // No name holds a line feed.
    const key = `${realmKey(realm)}\n${group}\n${stream}`;
    const known = this.#pending.get(key);
    if (known) return known;
    const fresh = { realm, group, stream, events: [], dropped: 0 };
    this.#pending.set(key, fresh);
    return fresh;
  }
}
