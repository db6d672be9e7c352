import { type Instant, TextBuffer } from "../../base/index.ts";
import { realmKey, type Realm } from "../../model/index.ts";
import { encodeEvent, type NewLogEvent } from "./event.ts";

/** Characters of log lines that wait to be written, over all streams; what is over is dropped and counted (P7). */
export const LOG_BUFFER_CHARACTERS_MAX = 16 * 1024 * 1024;
/** The same in lines. */
export const LOG_BUFFER_LINES_MAX = 65_536;

/** A buffer that grew beyond this is not kept for the next lines. */
const SPARE_BYTES_MAX = 1024 * 1024;

/** Where an event goes. */
export interface LogTarget {
  readonly realm: Realm;
  readonly group: string;
  readonly stream: string;
}

/** The first and last of some events by their timestamps. */
export interface Span {
  readonly first: Instant;
  readonly last: Instant;
}

/** What one stream has waiting: lines as they are written, and what is known of them. */
export interface PendingStream extends LogTarget {
  readonly text: TextBuffer;
  lines: number;
  first: Instant;
  last: Instant;
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
  /** Memory of lines that were written, for the next ones: a busy stream would ask for its megabytes anew with every write. */
  #spare: TextBuffer | undefined;

  /** Takes events that came in at `now`. False when some were dropped. */
  add(target: LogTarget, events: readonly NewLogEvent[], now: Instant): boolean {
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
      addLine(pending, event, now);
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

  /** Takes back the memory of lines that nobody reads any more. */
  recycle({ text }: PendingStream): void {
    if (text.length > SPARE_BYTES_MAX) return;
    text.clear();
    this.#spare = text;
  }

  #takeSpare(): TextBuffer {
    const spare = this.#spare ?? new TextBuffer();
    this.#spare = undefined;
    return spare;
  }

  #of({ realm, group, stream }: LogTarget): PendingStream {
    const last = this.#last;
    if (last && last.stream === stream && last.group === group && last.realm === realm) return last;
    return (this.#last = this.#find({ realm, group, stream }));
  }

  #find({ realm, group, stream }: LogTarget): PendingStream {
    // No name holds a line feed.
    const key = `${realmKey(realm)}\n${group}\n${stream}`;
    const known = this.#pending.get(key);
    if (known) return known;
    const fresh = { realm, group, stream, text: this.#takeSpare(), lines: 0, first: Infinity, last: -Infinity, dropped: 0 };
    this.#pending.set(key, fresh);
    return fresh;
  }
}

/** Writes one event behind those that wait. */
export function addLine(pending: PendingStream, event: NewLogEvent, now: Instant): void {
  pending.text.append(encodeEvent(event, now));
  pending.lines++;
  if (event.timestamp < pending.first) pending.first = event.timestamp;
  if (event.timestamp > pending.last) pending.last = event.timestamp;
}
