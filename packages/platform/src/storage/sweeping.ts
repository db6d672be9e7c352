import { isLambentError, type Timer } from "../base/index.ts";
import type { SweepParts } from "./blobs/sweep.ts";
import { sweepBlobs } from "./care.ts";

const DAY_MS = 86_400_000;
/** The first sweep, behind the start. */
const FIRST_SWEEP_MS = 10_000;

/** Sweeps bodies soon after the start and then daily. Returns how to end it, which waits for a sweep that is under way. */
export function startSweeping(parts: SweepParts, onTrouble: (error: unknown) => void): () => Promise<void> {
  let timer: Timer | undefined;
  let sweeping: Promise<unknown> = Promise.resolve();
  const plan = (delayMs: number): void => {
    timer = parts.clock.schedule(delayMs, () => {
      sweeping = sweepBlobs(parts).catch((error: unknown) => {
        // It has no caller: a storage that is busy is swept tomorrow, one that ends is not swept.
        if (!isLambentError(error)) onTrouble(error);
      });
      plan(DAY_MS);
    });
  };
  plan(FIRST_SWEEP_MS);
  return async () => {
    timer?.cancel();
    await sweeping;
  };
}
