/** The last bytes of what was written to it, without keeping more (P7). */
export class LogTail {
  readonly #bytesMax: number;
  #pieces: Buffer[] = [];
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  add(line: string): void {
    const piece = Buffer.from(`${line}\n`);
    this.#pieces.push(piece.length > this.#bytesMax ? Buffer.from(piece.subarray(piece.length - this.#bytesMax)) : piece);
    this.#bytes += this.#pieces.at(-1)?.length ?? 0;
    while (this.#pieces.length > 1 && this.#bytes - (this.#pieces[0]?.length ?? 0) >= this.#bytesMax) {
      this.#bytes -= this.#pieces.shift()?.length ?? 0;
    }
  }

  /** At most `bytesMax` bytes. */
  content(): Buffer {
    const all = Buffer.concat(this.#pieces);
    return all.subarray(Math.max(0, all.length - this.#bytesMax));
  }
}
