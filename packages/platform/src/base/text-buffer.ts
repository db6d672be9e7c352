/**
 * Text gathered as UTF-8 bytes until it is written as a whole.
 *
 * For what waits in great numbers between a call and a write (log lines, usage records): as bytes it is one object, which the
 * garbage collector does not walk; as strings or records each would be copied by it once or twice before it is written.
 */
export class TextBuffer {
  #bytes: Buffer = NOTHING;
  #used = 0;

  /** Bytes gathered. */
  get length(): number {
    return this.#used;
  }

  append(text: string): void {
    const needed = this.#used + text.length * UTF8_BYTES_PER_UNIT_MAX;
    if (needed > this.#bytes.length) this.#grow(needed);
    this.#used += this.#bytes.write(text, this.#used);
  }

  /** All bytes so far, in order: a view, good until the next `append`. */
  content(): Buffer {
    return this.#bytes.subarray(0, this.#used);
  }

  /** Forgets all bytes and keeps their memory for the next ones. */
  clear(): void {
    this.#used = 0;
  }

  #grow(needed: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2, FIRST_BYTES));
    this.#bytes.copy(grown, 0, 0, this.#used);
    this.#bytes = grown;
  }
}

/** A unit of UTF-16 takes at most this many bytes; a pair takes four for two. */
const UTF8_BYTES_PER_UNIT_MAX = 3;
const FIRST_BYTES = 4_096;
const NOTHING = Buffer.alloc(0);
