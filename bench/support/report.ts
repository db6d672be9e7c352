import { execFileSync } from "node:child_process";
import { cpus, loadavg, release } from "node:os";
import type { Budget } from "./budgets.ts";
import { median, type PairResult, type Sample } from "./pair.ts";

/** What the figures below were measured on; a load above 0.5 before the start means that others used the machine too. */
export function describeMachine(...more: readonly string[]): void {
  const processors = `${cpus().length} × ${cpus()[0]?.model.trim() ?? "unknown processor"}`;
  const facts = [processors, `Linux ${release()}`, `Node ${process.version}`, ...more, "everything on this machine"];
  console.log(`${facts.join(" · ")}\nload average before the start: ${loadavg()[0]?.toFixed(2)}\n`);
}

/** `Python 3.11.2` */
export function versionOf(program: string): string {
  return execFileSync(program, ["--version"], { encoding: "utf8" }).trim();
}

/** Median and range of both sides with every raw value, what stands beside them, and the ratio beside its budget. */
export function reportPair(name: string, unit: string, result: PairResult, budget: Budget, boundName: string): void {
  const width = Math.max("ours".length, boundName.length);
  console.log(name);
  reportSide("ours".padEnd(width), unit, result.ours);
  reportSide(boundName.padEnd(width), unit, result.bound);
  const held = budget.holds(result.ratio) ? "held" : "NOT held";
  console.log(`  ratio ${result.ratio.toFixed(3)}   ${held}: ${budget.text}\n  ratios ${listed(result.ratios, 3)}\n`);
}

/** A figure with a budget of its own; what stands beside it is for scale only. */
export function reportFigure(
  name: string,
  unit: string,
  samples: readonly Sample[],
  budget: Budget,
  beside?: { readonly name: string; readonly samples: readonly Sample[] },
): void {
  const width = Math.max("ours".length, beside?.name.length ?? 0);
  console.log(name);
  reportSide("ours".padEnd(width), unit, samples);
  if (beside) reportSide(beside.name.padEnd(width), unit, beside.samples);
  console.log(`  ${budget.holds(median(samples.map(({ value }) => value))) ? "held" : "NOT held"}: ${budget.text}\n`);
}

/** Figures without a budget, for scale. */
export function reportSamples(name: string, unit: string, samples: readonly Sample[]): void {
  reportSide(name, unit, samples);
}

/** The section every bench ends with. */
export function reportNotMeasured(...what: readonly string[]): void {
  console.log(`Not measured: ${what.join("; ")}.`);
}

function reportSide(label: string, unit: string, samples: readonly Sample[]): void {
  const values = samples.map(({ value }) => value);
  console.log(
    `  ${label}  ${rounded(median(values))} (${rounded(Math.min(...values))} to ${rounded(Math.max(...values))}) ${unit}   raw ${listed(values)}`,
  );
  const names = Object.keys(samples[0]?.details ?? {});
  const beside = names.map((name) => `${name} ${rounded(median(samples.map(({ details }) => details?.[name] ?? Number.NaN)))}`);
  if (beside.length > 0) console.log(`  ${" ".repeat(label.length)}  ${beside.join(" · ")}`);
}

function listed(values: readonly number[], digits?: number): string {
  return values.map((value) => (digits === undefined ? rounded(value) : value.toFixed(digits))).join(" ");
}

/** Three digits that count: `1,234`, `56.7`, `0.89`. */
function rounded(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
