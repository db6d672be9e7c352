import type { BlockReader, BlockWriter } from "../blocks.ts";
import type { JsonValue } from "../definition.ts";
import { identityOf } from "../json-values.ts";
import type { Box } from "./box.ts";

/** Values whose frequency is counted by `topK`, at least; up to as many different ones the counts are exact. @limit */
export const FREQUENT_COUNTERS_MIN = 1_000;
const COUNTER_BYTES = 96;

/**
 * The most frequent values (Misra and Gries; merged after Agarwal and others). When twice as many are counted as are kept, the count
 * of the largest that is not kept is taken from all. So a count is short by at most the records over `FREQUENT_COUNTERS_MIN`, and
 * each answer says by how much: `count` ≤ true count ≤ `countMax`.
 */
export class Frequent implements Box {
  readonly #most: number;
  readonly #kept: number;
  readonly #counts = new Map<string, number>();
  #short = 0;
  #bytes = 0;

  constructor(most: number) {
    this.#most = most;
    this.#kept = Math.max(FREQUENT_COUNTERS_MIN, 2 * most);
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(value: JsonValue): void {
    this.#count(identityOf(value), 1);
    this.#shrink();
  }

  merge(other: Frequent): void {
    for (const [identity, count] of other.#counts) this.#count(identity, count);
    this.#short += other.#short;
    this.#shrink();
  }

  result(): JsonValue {
    return topOf(this.#counts, this.#most, this.#short);
  }

  write(to: BlockWriter): void {
    to.count(this.#short);
    to.count(this.#counts.size);
    for (const [identity, count] of this.#counts) {
      to.text(identity);
      to.count(count);
    }
  }

  read(from: BlockReader): void {
    this.#short = from.count();
    for (let left = from.count(); left > 0; left--) {
      const identity = from.text();
      this.#count(identity, from.count());
    }
  }

  #count(identity: string, more: number): void {
    const before = this.#counts.get(identity);
    if (before === undefined) this.#bytes += COUNTER_BYTES + 2 * identity.length;
    this.#counts.set(identity, (before ?? 0) + more);
  }

  #shrink(): void {
    if (this.#counts.size <= 2 * this.#kept) return;
    const counts = Float64Array.from(this.#counts.values()).toSorted();
    const taken = counts[counts.length - 1 - this.#kept] as number;
    this.#short += taken;
    for (const [identity, count] of this.#counts) {
      if (count > taken) {
        this.#counts.set(identity, count - taken);
        continue;
      }
      this.#counts.delete(identity);
      this.#bytes -= COUNTER_BYTES + 2 * identity.length;
    }
  }
}

/** The `most` largest counts, the larger first; among equals by the value's text. */
export function topOf(counts: ReadonlyMap<string, number>, most: number, short: number): JsonValue {
  const sorted = [...counts].toSorted(([a, countOfA], [b, countOfB]) => countOfB - countOfA || (a < b ? -1 : 1));
  return sorted.slice(0, most).map(([identity, count]) => ({
    value: JSON.parse(identity) as JsonValue,
    count,
    countMax: count + short,
  }));
}
