import { readFileSync } from "node:fs";
import { freemem } from "node:os";

const MIB = 1_048_576;

/** Free memory of the machine in MB, counting what the kernel can give back at once; undefined where it cannot be told. */
export function memoryFreeMb(): number | undefined {
  if (process.platform !== "linux") return freemem() / MIB;
  const kilobytes = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync("/proc/meminfo", "latin1"))?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) / 1_024;
}
