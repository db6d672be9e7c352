import type { MonotonicMs } from "../base/index.ts";

/** How many unassigned processes wait ready. A decision of its own, apart from how many assigned instances there are. */

/** Waiting processes of the 128 MB class; other classes start on demand. */
export const POOL_READY_MAX = 2;
/** The memory class that waits ready: the heap limit of Node acts only at its start. */
export const POOL_MEMORY_MB = 128;
/** After a process was taken the pool is quiet for this long: a start costs CPU that the taken one needs now. */
export const POOL_REFILL_DELAY_MS = 150;
const BACK_OFF_MS_MIN = 500;
const BACK_OFF_MS_MAX = 60_000;

export interface PoolObservation {
  readonly ready: number;
  readonly starting: number;
  readonly readyMax: number;
  /** Starts that failed in a row, and when the last did. */
  readonly failures: number;
  readonly failedAt: MonotonicMs;
  /** When a process was last taken; -Infinity when never. */
  readonly takenAt: MonotonicMs;
}

/** Start `count` now; look again at `nextAt` (undefined: only when something changes). */
export interface PoolDecision {
  readonly count: number;
  readonly nextAt: MonotonicMs | undefined;
}

/** What to start now. Reads no clock; same inputs, same answer (P10). */
export function decidePool(seen: PoolObservation, now: MonotonicMs): PoolDecision {
  const missing = seen.readyMax - seen.ready - seen.starting;
  if (missing <= 0) return { count: 0, nextAt: undefined };
  const openAt = Math.max(seen.takenAt + POOL_REFILL_DELAY_MS, seen.failures > 0 ? seen.failedAt + backOffMs(seen.failures) : -Infinity);
  if (now < openAt) return { count: 0, nextAt: openAt };
  // One at a time after a failure: whatever is wrong is asked with the least work.
  return { count: seen.failures > 0 ? 1 : missing, nextAt: undefined };
}

/** Doubles from half a second to a minute. */
export function backOffMs(failures: number): number {
  return Math.min(BACK_OFF_MS_MAX, BACK_OFF_MS_MIN * 2 ** Math.min(failures - 1, 20));
}

/** V8's old-space limit for a memory size: what the process needs beside its heap is left out, and the kernel does not kill it first. */
export function heapLimitMb(memoryMb: number): number {
  return Math.max(Math.floor(memoryMb * 0.6), Math.floor(memoryMb * 0.9) - 60);
}
