import type { StoredBatch } from "../record-batch/index.ts";

/** Bytes of the newest batches that one partition keeps in memory (P7). */
const TAIL_BYTES_MAX = 4 * 1024 * 1024;
/** The same of all partitions together. */
const TAILS_BYTES_MAX = 64 * 1024 * 1024;
/** What a batch takes beside its bytes. */
const BATCH_OVERHEAD_BYTES = 200;

/** The newest batches of a partition, without gaps up to its end. */
export class Tail {
  readonly #all: Tails;
  #batches: (StoredBatch | undefined)[] = [];
  /** Of `#batches`, the first that is still kept: the places of those that are dropped are cut off now and then. */
  #begin = 0;
  #bytes = 0;

  constructor(all: Tails) {
    this.#all = all;
  }

  get bytes(): number {
    return this.#bytes;
  }

  push(batch: StoredBatch): void {
    this.#batches.push(batch);
    this.#grow(batch.bytes.length + BATCH_OVERHEAD_BYTES);
    while (this.#bytes > TAIL_BYTES_MAX) this.dropOldest();
    this.#all.used(this);
  }

  dropOldest(): void {
    const oldest = this.#batches[this.#begin];
    if (!oldest) return;
    this.#batches[this.#begin] = undefined;
    this.#begin += 1;
    this.#grow(-oldest.bytes.length - BATCH_OVERHEAD_BYTES);
    if (this.#begin < 64 || this.#begin * 2 < this.#batches.length) return;
    this.#batches = this.#batches.slice(this.#begin);
    this.#begin = 0;
  }

  /** Batches that end before `offset` are gone. */
  dropBefore(offset: number): void {
    for (let oldest = this.#batches[this.#begin]; oldest && oldest.lastOffset < offset; oldest = this.#batches[this.#begin])
      this.dropOldest();
  }

  clear(): void {
    this.#grow(-this.#bytes);
    this.#batches = [];
    this.#begin = 0;
  }

  /** Those from the one that holds `offset`, in order; undefined when it is not here. */
  *from(offset: number): Generator<StoredBatch, void> {
    for (let index = this.#indexOf(offset); index < this.#batches.length; index += 1) yield this.#batches[index] as StoredBatch;
  }

  has(offset: number): boolean {
    const oldest = this.#batches[this.#begin];
    return oldest !== undefined && oldest.baseOffset <= offset;
  }

  #indexOf(offset: number): number {
    let low = this.#begin;
    let high = this.#batches.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#batches[middle] as StoredBatch).lastOffset < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #grow(bytes: number): void {
    this.#bytes += bytes;
    this.#all.grow(bytes);
  }
}

/** The tails of all partitions under their common bound; at it the one that was appended to longest ago gives way. */
export class Tails {
  readonly #bytesMax: number;
  /** In the order of their last append. */
  readonly #tails = new Set<Tail>();
  #bytes = 0;

  constructor(bytesMax = TAILS_BYTES_MAX) {
    this.#bytesMax = bytesMax;
  }

  grow(bytes: number): void {
    this.#bytes += bytes;
  }

  used(tail: Tail): void {
    this.#tails.delete(tail);
    this.#tails.add(tail);
    while (this.#bytes > this.#bytesMax) {
      const [idlest] = this.#tails;
      if (!idlest) return;
      if (idlest.bytes > 0) idlest.dropOldest();
      else this.#tails.delete(idlest);
    }
  }

  forget(tail: Tail): void {
    tail.clear();
    this.#tails.delete(tail);
  }
}
