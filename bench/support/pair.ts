/** What one measurement gave: the figure that is compared, and what stands beside it. */
export interface Sample {
  readonly value: number;
  readonly details?: Readonly<Record<string, number>>;
}

/** One side of a pair. */
export interface Side {
  readonly name: string;
  readonly measure: () => Promise<Sample>;
}

export interface PairResult {
  /** Median over rounds of ours ÷ bound, round by round. */
  readonly ratio: number;
  readonly ratios: readonly number[];
  readonly ours: readonly Sample[];
  readonly bound: readonly Sample[];
}

/** Measures both sides in each round, the order reversed every time, so that drift of the machine hits both alike. */
export async function measurePair(ours: Side["measure"], bound: Side["measure"], rounds: number): Promise<PairResult> {
  const samples = { ours: [] as Sample[], bound: [] as Sample[] };
  const sides = { ours, bound };
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? (["ours", "bound"] as const) : (["bound", "ours"] as const);
    for (const side of order) samples[side].push(await sides[side]());
  }
  return compare(samples.ours, samples.bound);
}

/** Compares what was measured in the same rounds. */
export function compare(ours: readonly Sample[], bound: readonly Sample[]): PairResult {
  const ratios = ours.map(({ value }, round) => value / (bound[round]?.value ?? Number.NaN));
  return { ratio: median(ratios), ratios, ours, bound };
}

/**
 * Ours ÷ bound, each of its least disturbed round: other work on the machine only ever slows, so this is what a busy machine can
 * still tell, and a regression moves it as much as the median.
 */
export function ratioAtBest({ ours, bound }: PairResult, better: "more" | "less"): number {
  const best = better === "more" ? Math.max : Math.min;
  return best(...ours.map(({ value }) => value)) / best(...bound.map(({ value }) => value));
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? Number.NaN) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
