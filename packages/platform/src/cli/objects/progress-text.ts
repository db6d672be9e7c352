/** A line on how far a transfer is. Pure: reads no clock, knows no terminal. */
import type { MonotonicMs } from "../../base/index.ts";
import { formatBytes, formatSpan } from "../output.ts";

export interface Progress {
  readonly label: string;
  readonly doneBytes: number;
  /** Undefined while nobody knows. */
  readonly totalBytes: number | undefined;
  /** Undefined before there is one. */
  readonly bytesPerSecond: number | undefined;
}

const BAR_CELLS_MAX = 24;
const BAR_CELLS_MIN = 8;
const LABEL_CHARS_MAX = 32;

/** `  cat.jpg  ██████░░░░  43 %  12.3 MB of 28.6 MB  4.2 MB/s  4 s left`, in at most `columns` characters. */
export function progressText({ label, doneBytes, totalBytes, bytesPerSecond }: Progress, columns: number): string {
  const rate = bytesPerSecond === undefined ? [] : [`${formatBytes(Math.round(bytesPerSecond))}/s`];
  if (totalBytes === undefined) return fitted([shortened(label), formatBytes(doneBytes), ...rate], columns);
  const part = totalBytes === 0 ? 1 : Math.min(1, doneBytes / totalBytes);
  const leftMs = bytesPerSecond ? (Math.max(0, totalBytes - doneBytes) / bytesPerSecond) * 1_000 : undefined;
  const facts = [
    // Rounded down: what is not done is not said to be.
    `${String(Math.floor(part * 100)).padStart(3)} %`,
    `${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`,
    ...rate,
    ...(leftMs === undefined ? [] : [`${formatSpan(Math.ceil(leftMs / 1_000) * 1_000)} left`]),
  ];
  const cells = Math.min(BAR_CELLS_MAX, columns - fitted([shortened(label), "", ...facts], Number.POSITIVE_INFINITY).length);
  return fitted([shortened(label), ...(cells < BAR_CELLS_MIN ? [] : [bar(part, cells)]), ...facts], columns);
}

function bar(part: number, cells: number): string {
  const full = Math.floor(part * cells);
  return "█".repeat(full) + "░".repeat(cells - full);
}

/** What matters least stands last, and goes first. */
function fitted(parts: readonly string[], columns: number): string {
  for (let count = parts.length; count > 0; count -= 1) {
    const text = `  ${parts.slice(0, count).join("  ")}`;
    if (text.length <= columns) return text;
  }
  return "";
}

function shortened(label: string): string {
  return label.length <= LABEL_CHARS_MAX ? label : `…${label.slice(1 - LABEL_CHARS_MAX)}`;
}

/** Bytes a second over the last few seconds. */
export class Rate {
  static readonly #SPAN_MS = 5_000;
  static readonly #SAMPLES_MAX = 64;
  readonly #samples: { readonly atMs: MonotonicMs; readonly bytes: number }[] = [];

  /** `bytes` are all so far. */
  note(atMs: MonotonicMs, bytes: number): void {
    this.#samples.push({ atMs, bytes });
    while (this.#samples.length > 2 && (atMs - (this.#samples[0]?.atMs ?? 0) > Rate.#SPAN_MS || this.#samples.length > Rate.#SAMPLES_MAX))
      this.#samples.shift();
  }

  perSecond(): number | undefined {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (!first || !last || last.atMs <= first.atMs) return undefined;
    return ((last.bytes - first.bytes) / (last.atMs - first.atMs)) * 1_000;
  }
}
