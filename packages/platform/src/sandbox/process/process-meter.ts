import { readFileSync } from "node:fs";
import type { Meter } from "../instance-process.ts";

/** Milliseconds of one tick of `/proc/<pid>/stat`; Linux fixes the user-visible rate at 100 a second. */
const TICK_MS = 10;

/**
 * What the main process of an unconfined instance used, from `/proc`; its children are not in it. Nothing limits it,
 * and after its end only the last reading is left. Zeros where there is no `/proc`.
 */
export function processMeter(pid: number): Meter {
  let last = { cpuMs: 0, memoryBytes: 0, memoryPeakBytes: 0 };
  return {
    usage() {
      last = readUsage(pid) ?? { ...last, memoryBytes: 0 };
      return last;
    },
    outOfMemory: () => false,
  };
}

function readUsage(pid: number): ReturnType<Meter["usage"]> | undefined {
  const status = read(`/proc/${pid}/status`);
  const memoryBytes = kilobytes(status, "VmRSS");
  if (memoryBytes === undefined) return undefined;
  // Fields behind the command name, which may itself hold spaces and brackets: utime and stime are 12th and 13th.
  const fields = read(`/proc/${pid}/stat`).split(") ").at(-1)?.split(" ") ?? [];
  const cpuMs = (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * TICK_MS;
  return { cpuMs, memoryBytes, memoryPeakBytes: kilobytes(status, "VmHWM") ?? memoryBytes };
}

function kilobytes(status: string, name: string): number | undefined {
  const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1];
  return found === undefined ? undefined : Number(found) * 1024;
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
