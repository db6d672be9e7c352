/** How a number of shards is come to, step by step: pure. */
import type { ShardRecord } from "../../streams/index.ts";

const KEYS = 1n << 128n;

/** One step; the next one is decided on what this one left. */
export type ReshardingStep =
  | { readonly kind: "split"; readonly shard: number; readonly at: string }
  | { readonly kind: "merge"; readonly shard: number; readonly adjacent: number };

/**
 * The next step from `open` towards `count` shards of the same size; undefined once they are that. First the borders that are missing are
 * made, then those that are too many go: at most `count` splits and as many merges as there were shards.
 */
export function nextStep(open: readonly ShardRecord[], count: number): ReshardingStep | undefined {
  const sorted = [...open].sort((left, right) => (BigInt(left.hashFrom) < BigInt(right.hashFrom) ? -1 : 1));
  const borders = Array.from({ length: count }, (_, index) => (KEYS * BigInt(index)) / BigInt(count));
  const begins = new Set(sorted.map(({ hashFrom }) => BigInt(hashFrom)));
  const missing = borders.find((border) => !begins.has(border));
  if (missing !== undefined) {
    const within = sorted.find(({ hashFrom, hashTo }) => BigInt(hashFrom) < missing && missing <= BigInt(hashTo));
    return within && { kind: "split", shard: within.number, at: missing.toString() };
  }
  const wanted = new Set(borders);
  const index = sorted.findIndex(({ hashFrom }) => !wanted.has(BigInt(hashFrom)));
  const [before, extra] = [sorted[index - 1], sorted[index]];
  return before && extra && { kind: "merge", shard: before.number, adjacent: extra.number };
}
