/** What sending and fetching have in common: one command's work, whichever way the bytes go. */
import { systemClock } from "../../base/index.ts";
import type { CommandContext } from "../command.ts";
import { formatBytes, formatMs } from "../output.ts";
import type { Place } from "./bucket-path.ts";
import { reportFailed, type Tally } from "./many.ts";
import type { ProgressBar } from "./progress.ts";

export interface CopyOptions {
  readonly recursive?: boolean;
  readonly contentType?: string;
  /** False with `--no-create`. */
  readonly create?: boolean;
}

export interface Copying {
  readonly context: CommandContext;
  readonly options: CopyOptions;
  readonly bar: ProgressBar;
  readonly signal: AbortSignal;
}

export type InBucket = Place & { readonly kind: "bucket" };
export type Elsewhere = Exclude<Place, InBucket>;

/**
 * Adds up, beside the work, how much it will be, for the bar alone: what is worked on is found only as fast as it is carried.
 * What goes wrong here goes wrong there, too, and is told there.
 */
export async function whileMeasured<T>(
  { bar, signal }: Copying,
  itemsUntil: (signal: AbortSignal) => AsyncIterable<{ readonly bytes: number }>,
  work: () => Promise<T>,
): Promise<T> {
  if (!bar.isShown) return work();
  const measuring = new AbortController();
  const until = AbortSignal.any([signal, measuring.signal]);
  const measured = async (): Promise<void> => {
    let sum = 0;
    for await (const { bytes } of itemsUntil(until)) {
      if (until.aborted) return;
      sum += bytes;
    }
    bar.expect(sum);
  };
  void measured().catch(() => undefined);
  try {
    return await work();
  } finally {
    measuring.abort();
  }
}

interface Reported {
  readonly name: string;
  readonly done: "sent" | "fetched";
  readonly startedMs: number;
  readonly created: string | undefined;
}

export function report({ context, bar }: Copying, tally: Tally, { name, done, startedMs, created }: Reported): void {
  bar.end();
  const { output } = context;
  const { objects, bytes, failed } = tally;
  if (output.json)
    output.data({ Objects: objects, Bytes: bytes, Failed: failed, ...(created === undefined ? {} : { CreatedBucket: created }) });
  else
    output.line(
      `  ${output.foreign(name)}   ${done}: ${objects === 1 ? "1 object" : `${objects} objects`}, ${sizeAndTime(bytes, startedMs)}`,
    );
  reportFailed(context, tally, `were not ${done}`);
}

export function sizeAndTime(bytes: number, startedMs: number): string {
  return `${formatBytes(bytes)} in ${formatMs(systemClock.monotonicMs() - startedMs)}`;
}
