import { readFileSync } from "node:fs";

export interface Limits {
  readonly memoryMb: number;
  readonly cpu: CpuLimit;
  readonly pidsMax: number;
}

export interface CpuLimit {
  /** Relative to other instances, acting only when they compete: proportional to memory, as on AWS. */
  readonly weightOfCpu: number;
  /** CPUs at most. */
  readonly cpusMax: number;
}

export interface GroupUsage {
  readonly cpuMs: number;
  readonly memoryBytes: number;
  readonly memoryPeakBytes: number;
}

/** What a version's module provides; folders are absolute. */
export interface CgroupTree {
  readonly version: "v1" | "v2";
  /** One folder for each controller (v1), or one (v2). */
  readonly folders: readonly string[];
  /** The file by which a process with one thread moves itself, writing `0`. */
  readonly selfFile: string;
  limit(name: string, limits: Limits): void;
  usage(name: string): GroupUsage;
  outOfMemory(name: string): boolean;
}

/** The file's text, or empty: a counter that a kernel lacks, or a group that is gone, reads as nothing. */
export function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** The number behind `name` in a file of `name number` lines. */
export function keyedNumber(text: string, name: string): number {
  const line = text.split("\n").find((candidate) => candidate.startsWith(`${name} `));
  return line === undefined ? 0 : Number(line.slice(name.length + 1));
}
