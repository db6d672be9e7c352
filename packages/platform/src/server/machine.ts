import { readFileSync } from "node:fs";
import { freemem } from "node:os";

const BYTES_PER_MB = 1_048_576;

/** Free memory of the machine in MB, counting what the kernel can give back at once; undefined where it cannot be told. */
export function memoryFreeMb(): number | undefined {
  if (process.platform !== "linux") return freemem() / BYTES_PER_MB;
  const kilobytes = /^MemAvailable:\s+(\d+) kB$/m.exec(memoryInfo())?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) / 1_024;
}

/** Nothing when it cannot be read: out of descriptors is no reason to end the process. */
function memoryInfo(): string {
  try {
    return readFileSync("/proc/meminfo", "latin1");
  } catch {
    return "";
  }
}
