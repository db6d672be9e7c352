/**
 * The last values, in the order they came and sorted: their median at once, the median of their distances from it in log n.
 * Adding costs two searches and one move of the values between.
 */
import type { SnapshotReader, SnapshotWriter } from "./snapshot.ts";

/** Makes the median absolute deviation of normal noise its standard deviation. */
const MAD_TO_DEVIATION = 1.4826;
/** The same for the mean absolute deviation. */
const MEAN_DEVIATION_TO_DEVIATION = 1.2533;

export class RobustWindow {
  readonly #arrived: Float64Array;
  readonly #sorted: Float64Array;
  #oldest = 0;
  #size = 0;

  constructor(size: number) {
    this.#arrived = new Float64Array(size);
    this.#sorted = new Float64Array(size);
  }

  get size(): number {
    return this.#size;
  }

  get bytes(): number {
    return this.#arrived.byteLength + this.#sorted.byteLength;
  }

  add(value: number): void {
    const arrived = this.#arrived;
    if (this.#size < arrived.length) {
      const at = this.#rankOf(value);
      this.#sorted.copyWithin(at + 1, at, this.#size);
      this.#sorted[at] = value;
      arrived[(this.#oldest + this.#size) % arrived.length] = value;
      this.#size += 1;
      return;
    }
    this.#replace(arrived[this.#oldest] ?? 0, value);
    arrived[this.#oldest] = value;
    this.#oldest = (this.#oldest + 1) % arrived.length;
  }

  /** Of an even number of values, the mean of the two in the middle; 0 of none. */
  get median(): number {
    const upper = this.#size >> 1;
    const sorted = this.#sorted;
    return (this.#size & 1) === 1 ? (sorted[upper] ?? 0) : ((sorted[upper - 1] ?? 0) + (sorted[upper] ?? 0)) / 2;
  }

  /** The smallest value that at most `share` of all are above; 0 of none. */
  above(share: number): number {
    return this.#sorted[Math.max(0, Math.ceil(this.#size * (1 - share)) - 1)] ?? 0;
  }

  /** The median of the distances from the median. */
  get medianDeviation(): number {
    if (this.#size === 0) return 0;
    const median = this.median;
    const sorted = this.#sorted;
    const below = this.#rankOf(median);
    const above = this.#size - below;
    // Distances below and above the median are two sorted lists; the lower half of both together is `left` of one and the rest of the other.
    const half = this.#size - (this.#size >> 1);
    let fewest = Math.max(0, half - above);
    let most = Math.min(half, below);
    while (fewest < most) {
      const left = (fewest + most) >> 1;
      const right = half - left;
      if (median - (sorted[below - 1 - left] ?? 0) < (sorted[below + right - 1] ?? 0) - median) fewest = left + 1;
      else most = left;
    }
    const right = half - fewest;
    const low = Math.max(
      fewest > 0 ? median - (sorted[below - fewest] ?? 0) : 0,
      right > 0 ? (sorted[below + right - 1] ?? 0) - median : 0,
    );
    if ((this.#size & 1) === 1) return low;
    const nextBelow = fewest < below ? median - (sorted[below - 1 - fewest] ?? 0) : Infinity;
    const nextAbove = right < above ? (sorted[below + right] ?? 0) - median : Infinity;
    return (low + Math.min(nextBelow, nextAbove)) / 2;
  }

  /** The standard deviation as far as wild values do not count. Where more than half are equal, the mean distance stands in. */
  get spread(): number {
    const deviation = this.medianDeviation;
    return deviation > 0 ? deviation * MAD_TO_DEVIATION : this.#meanDeviation() * MEAN_DEVIATION_TO_DEVIATION;
  }

  write(writer: SnapshotWriter): void {
    writer.whole(this.#size);
    for (let i = 0; i < this.#size; i++) writer.float(this.#arrived[(this.#oldest + i) % this.#arrived.length] ?? 0);
  }

  read(reader: SnapshotReader): void {
    const size = reader.count(this.#arrived.length);
    for (let i = 0; i < size && reader.isSound; i++) this.add(reader.finite());
  }

  #meanDeviation(): number {
    const median = this.median;
    let sum = 0;
    for (let i = 0; i < this.#size; i++) sum += Math.abs((this.#sorted[i] ?? 0) - median);
    return this.#size === 0 ? 0 : sum / this.#size;
  }

  #replace(old: number, value: number): void {
    const sorted = this.#sorted;
    const from = this.#rankOf(old);
    const rank = this.#rankOf(value);
    if (rank > from) {
      sorted.copyWithin(from, from + 1, rank);
      sorted[rank - 1] = value;
    } else {
      sorted.copyWithin(rank + 1, rank, from);
      sorted[rank] = value;
    }
  }

  /** How many values are smaller. */
  #rankOf(value: number): number {
    const sorted = this.#sorted;
    let low = 0;
    let high = this.#size;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sorted[middle] ?? 0) < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
