import { cpus } from "node:os";

/** One measured side of a pair: a figure per round, more is better. */
export interface Side {
  readonly name: string;
  readonly measure: () => Promise<number>;
}

export interface PairResult {
  /** Median over rounds of ours ÷ bound, round by round. */
  readonly ratio: number;
  readonly ratios: readonly number[];
  readonly ours: readonly number[];
  readonly bound: readonly number[];
}

/** Measures both sides in each round, the order reversed every time, so that drift of the machine hits both alike. */
export async function measurePair(ours: Side, bound: Side, rounds: number): Promise<PairResult> {
  const figures = { ours: [] as number[], bound: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? (["ours", "bound"] as const) : (["bound", "ours"] as const);
    for (const side of order) figures[side].push(await (side === "ours" ? ours : bound).measure());
  }
  const ratios = figures.ours.map((figure, round) => figure / (figures.bound[round] ?? Number.NaN));
  return { ratio: median(ratios), ratios, ...figures };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? Number.NaN) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** `1,234.5` */
export function figure(value: number, digits = 1): string {
  return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** One line: median and range of both sides, and the ratio beside its budget. */
export function reportPair(
  name: string,
  unit: string,
  result: PairResult,
  budget: { readonly text: string; readonly holds: boolean },
): void {
  const range = (values: readonly number[]): string =>
    `${figure(median(values))} (${figure(Math.min(...values))}–${figure(Math.max(...values))})`;
  console.log(`${name}\n  ours  ${range(result.ours)} ${unit}\n  bound ${range(result.bound)} ${unit}`);
  console.log(
    `  ratio ${result.ratio.toFixed(2)} [${result.ratios.map((ratio) => ratio.toFixed(2)).join(" ")}]   budget ${budget.text}: ${budget.holds ? "held" : "NOT held"}`,
  );
}

/** What the figures below were measured on. */
export function describeMachine(): void {
  console.log(
    `${cpus().length} × ${cpus()[0]?.model.trim() ?? "unknown processor"} · Node ${process.version} · generator on the same machine\n`,
  );
}
