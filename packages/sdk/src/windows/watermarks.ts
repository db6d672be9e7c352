/**
 * How far event time has come. Each source (a partition) has its own watermark, `outOfOrdernessMs` behind its newest record; the windows'
 * is that of the slowest source, so that no source closes a window that another still has records of. It never goes back.
 */
import type { BlockReader, BlockWriter } from "./blocks.ts";
import type { WindowDefinition } from "./definition.ts";

interface SourceState {
  /** -Infinity before its first record. */
  watermark: number;
  /** One that is silent does not hold the others back. */
  silent: boolean;
}

export class Watermarks {
  readonly #outOfOrdernessMs: number;
  readonly #jumpMsMax: number;
  readonly #sources = new Map<number, SourceState>();
  #watermark = -Infinity;

  constructor({ outOfOrdernessMs, jumpMsMax }: WindowDefinition) {
    this.#outOfOrdernessMs = outOfOrdernessMs;
    this.#jumpMsMax = jumpMsMax;
  }

  /** Every record with a smaller time has been seen. */
  get watermark(): number {
    return this.#watermark;
  }

  of(source: number): number {
    return this.#sources.get(source)?.watermark ?? -Infinity;
  }

  /** Whether a record is so far ahead that believing it would close everybody's windows. */
  isFuture(source: number, time: number, arrivedAt: number | undefined): boolean {
    // The newest record seen is so far ahead of the watermark; from there the jump is measured.
    const newest = Math.max(this.of(source), arrivedAt === undefined ? this.#watermark : -Infinity) + this.#outOfOrdernessMs;
    const reached = Math.max(newest, arrivedAt ?? -Infinity);
    return reached !== -Infinity && time > reached + this.#jumpMsMax;
  }

  /** Notes a record; answers whether the windows' watermark moved. */
  saw(source: number, time: number): boolean {
    return this.advance(source, time - this.#outOfOrdernessMs);
  }

  /** Moves a source's watermark, never back; answers whether the windows' moved. */
  advance(source: number, watermark: number): boolean {
    const state = this.#open(source);
    const wasSlowest = state.watermark <= this.#watermark || state.silent;
    state.silent = false;
    if (watermark > state.watermark) state.watermark = watermark;
    return wasSlowest && this.#follow();
  }

  /** The source holds the watermark back until it has one of its own. */
  open(source: number): void {
    this.#open(source);
  }

  close(source: number): boolean {
    return this.#sources.delete(source) && this.#follow();
  }

  idle(source: number): boolean {
    this.#open(source).silent = true;
    return this.#follow();
  }

  /** Nothing more comes. */
  finish(): void {
    this.#watermark = Infinity;
  }

  write(to: BlockWriter): void {
    to.double(this.#watermark);
    to.count(this.#sources.size);
    for (const [source, { watermark, silent }] of this.#sources) {
      to.count(source);
      to.double(watermark);
      to.byte(silent ? 1 : 0);
    }
  }

  read(from: BlockReader): void {
    this.#watermark = from.double();
    for (let left = from.count(); left > 0; left--) {
      const source = from.count();
      const watermark = from.double();
      this.#sources.set(source, { watermark, silent: from.byte() === 1 });
    }
  }

  #open(source: number): SourceState {
    let state = this.#sources.get(source);
    if (state === undefined) this.#sources.set(source, (state = { watermark: -Infinity, silent: false }));
    return state;
  }

  /** Up to the slowest source; when all are silent, to the farthest: nobody is waited for. */
  #follow(): boolean {
    let [slowest, farthest] = [Infinity, -Infinity];
    for (const { watermark, silent } of this.#sources.values()) {
      if (!silent) slowest = Math.min(slowest, watermark);
      farthest = Math.max(farthest, watermark);
    }
    const watermark = slowest === Infinity ? farthest : slowest;
    if (!(watermark > this.#watermark)) return false;
    this.#watermark = watermark;
    return true;
  }
}
